"""When a waiting session may start, and that nobody waits for himself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sessions.domain.states import State
from sessions.errors import Conflict, InvalidStart
from sessions.models import TrainingSession
from sessions.services import starting
from sessions.services.schedule import set_schedule
from tests.factories import make_practice_trainer, make_request, make_session

pytestmark = pytest.mark.usefixtures("home")


def test_a_start_can_bring_its_conditions(ada: User) -> None:
    before, moment = make_session(owner=ada), timezone.now() + timedelta(hours=1)
    session = make_session(owner=ada, start_after=before.run_id, start_at=moment, held=True)
    attempt = session.attempts.get()
    assert (attempt.after, attempt.not_before, session.held) == (before, moment, True)


def test_conditions_are_changed_while_it_waits_and_told(ada: User) -> None:
    before, session = make_session(owner=ada), make_session(owner=ada)
    set_schedule(session, at=None, after=before.run_id, by="ada")
    assert session.attempts.get().after == before
    set_schedule(session, at=None, after=None, by="ada")
    assert session.attempts.get().after is None
    told = [event.why for event in session.events.order_by("pk")][-2:]
    assert told == [f"Starts after {before.run_id}.", "Starts when its turn comes."]


def test_who_does_not_wait_has_no_schedule(ada: User) -> None:
    running = make_session(owner=ada, state=State.RUNNING)
    with pytest.raises(Conflict, match="does not wait"):
        set_schedule(running, at=None, after=None, by="ada")
    assert not running.events.filter(why__startswith="Starts").exists()


def test_nobody_waits_for_who_is_not_there(ada: User) -> None:
    make_practice_trainer()
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(make_request(start_after="nobody"), by=ada)
    assert refused.value.errors == {"start_after": ["There is no session nobody to wait for."]}


def test_nobody_waits_for_himself_not_even_through_others(ada: User) -> None:
    first = make_session(owner=ada)
    second = make_session(owner=ada, start_after=first.run_id)
    third = make_session(owner=ada, start_after=second.run_id)
    for other in (first, third):
        with pytest.raises(InvalidStart, match="wait for ever"):
            set_schedule(first, at=None, after=other.run_id, by="ada")
    set_schedule(third, at=None, after=first.run_id, by="ada")


def test_who_is_resumed_goes_to_the_end_of_the_queue_but_who_was_paused_keeps_his_place(ada: User) -> None:
    places = {}
    for state in (State.STOPPED, State.PAUSED):
        session = make_session(owner=ada, state=state)
        places[state] = session.place
        starting.new_attempt(session, by="ada", resume=True, force=False)
        session.refresh_from_db()
        assert (session.place > places[state]) == (state is State.STOPPED)


def test_a_hold_does_not_outlive_the_queue(ada: User) -> None:
    session = make_session(owner=ada, held=True)
    TrainingSession.objects.filter(pk=session.pk).update(state="stopped")
    session.attempts.update(state="stopped")
    session.refresh_from_db()
    starting.new_attempt(session, by="ada", resume=False, force=False)
    session.refresh_from_db()
    assert (session.state, session.held) == ("queued", False)
