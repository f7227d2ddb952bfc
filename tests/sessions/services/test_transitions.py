"""Changes of state: one caller wins, and attempt, session and event are written together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from sessions.domain.states import ENDED, EXPLANATIONS, State
from sessions.errors import IllegalTransition
from sessions.models import SessionEvent, TrainingSession
from sessions.services.transitions import move
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")


def stored(session: TrainingSession) -> tuple[str, list[str], int, int]:
    """All that a change of state writes: session, attempts, number of events, version."""
    session = TrainingSession.objects.get(pk=session.pk)
    attempts = list(session.attempts.values_list("state", flat=True))
    return session.state, attempts, session.events.count(), session.version


def test_a_change_is_written_to_session_attempt_and_event(ada: User) -> None:
    session = make_session(owner=ada, state=State.STARTING)
    assert move(session.attempts.get(), State.RUNNING, who="ben", why="It trains.")
    session.refresh_from_db()
    assert (session.state, session.explanation, session.version) == ("running", "It trains.", 1)
    attempt = session.attempts.get()
    assert attempt.state == "running"
    event = SessionEvent.objects.filter(session=session).latest("pk")
    written = (event.from_state, event.to_state, event.who, event.why, event.attempt)
    assert written == ("starting", "running", "ben", "It trains.", attempt)


def test_without_a_reason_the_state_explains_itself(ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    move(session.attempts.get(), State.STOPPING, who="ada")
    session.refresh_from_db()
    assert session.explanation == EXPLANATIONS[State.STOPPING]


def test_the_caller_s_attempt_is_as_stored_afterwards(ada: User) -> None:
    attempt = make_session(owner=ada, state=State.RUNNING).attempts.get()
    move(attempt, State.FAILED, who="ada", fields={"exit_code": 3})
    assert (attempt.state, attempt.exit_code) == ("failed", 3)
    assert attempt.ended_at is not None


def test_of_two_callers_one_wins(ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    first, second = session.attempts.get(), session.attempts.get()
    assert move(first, State.COMPLETED, who="first", fields={"exit_code": 0})
    after = stored(session)
    assert not move(second, State.LOST, who="second", fields={"exit_code": 9})
    assert stored(session) == after
    assert session.attempts.get().exit_code == 0


def test_who_is_overtaken_between_look_and_change_changes_nothing(ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    attempt = session.attempts.get()
    events = session.events.count()

    def overtake(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        # As on PostgreSQL, where another transaction may commit after this one has looked.
        if sql.startswith("UPDATE"):
            with connection.cursor() as cursor:
                cursor.cursor.execute("UPDATE training_attempt SET state = 'completed'")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(overtake):
        assert not move(attempt, State.LOST, who="late")
    session.refresh_from_db()
    assert (session.attempts.get().state, session.state, session.events.count()) == ("completed", "running", events)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (State.QUEUED, State.RUNNING),
        (State.RUNNING, State.LAUNCHING),
        (State.STOPPING, State.RUNNING),
        (State.COMPLETED, State.RUNNING),
        (State.LOST, State.FAILED),
    ],
)
def test_a_change_that_the_table_does_not_have_raises(ada: User, old: State, new: State) -> None:
    session = make_session(owner=ada, state=old)
    before = stored(session)
    with pytest.raises(IllegalTransition):
        move(session.attempts.get(), new, who="ada")
    assert stored(session) == before


def test_an_expected_state_replaces_what_the_caller_knew(ada: User) -> None:
    session = make_session(owner=ada, state=State.STARTING)
    stale = session.attempts.get()
    move(session.attempts.get(), State.RUNNING, who="trainer")
    assert move(stale, State.STOPPING, who="ada", expected=[State.STARTING, State.RUNNING])
    event = SessionEvent.objects.filter(session=session).latest("pk")
    assert (event.from_state, event.to_state) == ("running", "stopping")


def test_every_expected_state_must_be_one_that_may_change(ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    with pytest.raises(IllegalTransition):
        move(session.attempts.get(), State.STOPPING, who="ada", expected=[State.RUNNING, State.COMPLETED])
    assert session.attempts.get().state == "running"


def test_what_fails_inside_the_change_undoes_it(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no event")

    session = make_session(owner=ada, state=State.RUNNING)
    before = stored(session)
    monkeypatch.setattr("sessions.services.transitions.record", fail)
    with pytest.raises(RuntimeError):
        move(session.attempts.get(), State.STOPPING, who="ada")
    assert stored(session) == before


def test_the_first_start_of_a_session_stays_its_start(ada: User) -> None:
    session = make_session(owner=ada, state=State.LAUNCHING)
    long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
    TrainingSession.objects.filter(pk=session.pk).update(started_at=long_ago)
    move(session.attempts.get(), State.STARTING, who="ada")
    session.refresh_from_db()
    assert session.started_at == long_ago
    assert session.attempts.get().started_at is not None


@pytest.mark.parametrize("end", sorted(ENDED))
def test_an_end_has_a_time_and_no_pace(ada: User, end: State) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    TrainingSession.objects.filter(pk=session.pk).update(steps_per_second=99.0)
    move(session.attempts.get(), end, who="ada")
    session.refresh_from_db()
    assert session.steps_per_second is None
    assert session.ended_at is not None
    assert session.attempts.get().ended_at is not None


def test_a_session_ended_when_its_attempt_did_and_not_when_it_was_noticed(ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    ended_at = datetime(2024, 5, 6, 7, 8, tzinfo=timezone.utc)
    move(session.attempts.get(), State.COMPLETED, who="supervisor", fields={"ended_at": ended_at})
    session.refresh_from_db()
    assert (session.ended_at, session.attempts.get().ended_at) == (ended_at, ended_at)


def test_open_pages_are_nudged_only_once_the_change_is_committed(
    ada: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    nudged: list[int] = []
    monkeypatch.setattr("sessions.nudge.session", nudged.append)
    session = make_session(owner=ada, state=State.RUNNING)
    with django_capture_on_commit_callbacks(execute=True):
        move(session.attempts.get(), State.STOPPING, who="ada")
        assert nudged == []
    assert nudged == [session.pk]
