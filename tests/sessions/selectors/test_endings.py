"""A stop that is under way says how it stands and how long the trainer still has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sessions.domain.states import State
from sessions.models import Attempt, TrainingSession
from sessions.selectors.sessions import session_detail, session_named
from sessions.selectors.shapes import StoppingShape
from sessions.services import stopping
from tests.factories import make_session
from tests.sessions.attempts import OnDisk

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def stopped(ada: User) -> OnDisk:
    """A session that was just asked to stop."""
    session = make_session(owner=ada, state=State.RUNNING)
    stopping.request_stop(session, by="ada")
    return put(session, State.STOPPING)


def put(session: TrainingSession, state: State) -> OnDisk:
    TrainingSession.objects.filter(pk=session.pk).update(state=state.value)
    session.attempts.update(state=state.value)
    return OnDisk(session)


def seen_by(user: User, written: OnDisk) -> StoppingShape | None:
    return session_detail(session_named(written.session.run_id, user)).stopping


def test_before_the_supervisor_has_carried_the_wish_the_usual_grace_counts(stopped: OnDisk, ada: User) -> None:
    shape = seen_by(ada, stopped)
    assert shape is not None
    assert (shape.stage, shape.asked_by, shape.grace_seconds) == ("asked", "ada", 180.0)
    assert shape.seconds_left == pytest.approx(180, abs=30)


@pytest.mark.parametrize(
    ("stage", "shown"),
    [("import", "loading"), ("train", "saving"), ("save", "saving"), ("end", "ending"), ("unanswered", "unanswered")],
)
def test_the_request_on_disk_says_how_long_and_the_trainer_how_far(
    stopped: OnDisk, ada: User, stage: str, shown: str
) -> None:
    stopped.directory.request_stop("ada", 40.0)
    stopped.directory.see_stop(stage)
    shape = seen_by(ada, stopped)
    assert shape is not None
    assert (shape.stage, shape.grace_seconds) == (shown, 40.0)
    assert shape.seconds_left is not None
    assert 0 < shape.seconds_left <= 40
    assert shape.words.endswith(".")


def test_a_stop_that_is_overdue_has_no_time_left(stopped: OnDisk, ada: User) -> None:
    Attempt.objects.filter(pk=stopped.pk).update(stop_asked_at=timezone.now() - timedelta(hours=1))
    shape = seen_by(ada, stopped)
    assert shape is not None
    assert shape.seconds_left == 0.0


def test_a_kill_has_no_countdown(stopped: OnDisk, ada: User) -> None:
    stopping.request_kill(stopped.session, by="ada")
    shape = seen_by(ada, stopped)
    assert shape is not None
    assert (shape.seconds_left, shape.words) == (None, "Its processes are being ended.")


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.STOPPED])
def test_who_does_not_stop_has_no_countdown(ada: User, state: State) -> None:
    session = make_session(owner=ada, state=state)
    assert session_detail(session_named(session.run_id, ada)).stopping is None
