"""A pause keeps the place in the queue; a resume may wait for the end of another session, and never for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.errors import Conflict, InvalidStart
from sessions.models import Attempt, Machine, TrainingSession
from sessions.services import editing, queue, stopping
from tests.factories import make_session
from tests.sessions.services.queueing import states

pytestmark = pytest.mark.usefixtures("launches")


def put(session: TrainingSession, state: State) -> TrainingSession:
    TrainingSession.objects.filter(pk=session.pk).update(state=state.value)
    session.attempts.update(state=state.value)
    session.refresh_from_db()
    return session


@pytest.fixture
def paused(ada: User) -> TrainingSession:
    return make_session(owner=ada, run_id="paused", state=State.PAUSED)


def test_who_resumes_after_a_pause_stands_where_it_stood(ada: User, paused: TrainingSession) -> None:
    later = make_session(owner=ada, run_id="later")
    editing.resume(paused, by="ada")
    assert [attempt.session.run_id for attempt in queue.waiting_attempts()] == ["paused", "later"]
    stopped = put(later, State.STOPPED)
    make_session(owner=ada, run_id="last")
    editing.resume(stopped, by="ada")
    assert [attempt.session.run_id for attempt in queue.waiting_attempts()] == ["paused", "last", "later"]


def test_a_resume_waits_for_the_end_of_another_session(ada: User, paused: TrainingSession, machine: Machine) -> None:
    other = make_session(owner=ada, run_id="other", state=State.RUNNING)
    editing.resume(paused, by="ada", after="other")
    queue.grant_waiting(machine)
    paused.refresh_from_db()
    assert (paused.state, paused.waits_for) == ("queued", "session")
    assert "other" in paused.explanation
    put(other, State.PAUSED)
    queue.grant_waiting(machine)
    assert states(paused)[-1] == "queued", "a pause is no end"
    put(other, State.STOPPED)
    queue.grant_waiting(machine)
    assert states(paused)[-1] == "launching"


def test_a_resume_never_waits_for_itself_nor_for_who_waits_for_it(ada: User, paused: TrainingSession) -> None:
    first, second = (make_session(owner=ada, run_id=name) for name in ("first", "second"))
    first.attempts.update(after=paused)
    second.attempts.update(after=first)
    for name in ("paused", "first", "second", "nobody"):
        with pytest.raises(InvalidStart):
            editing.resume(paused, by="ada", after=name)
    assert paused.attempts.count() == 1
    second.attempts.update(after=None)
    editing.resume(paused, by="ada", after="second")
    assert paused.attempts.get(number=2).after == second


def test_what_has_not_started_is_held_rather_than_paused(ada: User) -> None:
    with pytest.raises(Conflict, match="has not started"):
        stopping.request_pause(make_session(owner=ada), by="ada")


@pytest.mark.parametrize(
    ("asked", "then", "wanted"),
    [("pause", "pause", "pause"), ("pause", "stop", "stop"), ("pause", "kill", "kill"), ("stop", "pause", "stop")],
)
def test_a_pause_may_become_a_stop_and_a_stop_no_pause(ada: User, asked: str, then: str, wanted: str) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    for wish in (asked, then):
        getattr(stopping, f"request_{wish}")(session, by="ada")
    assert session.wanted == wanted
    assert Attempt.objects.get().stop_asked_by == "ada"


@pytest.mark.parametrize("body", [{}, {"after": None}, {"after": "other"}])
def test_the_api_resumes_at_once_or_after_another(
    client: Client, ada: User, paused: TrainingSession, body: dict[str, Any]
) -> None:
    make_session(owner=ada, run_id="other")
    client.force_login(ada)
    answer = client.post("/api/sessions/paused/resume/", json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    assert answer.json()["start_after"] == body.get("after")
    assert [one["resume"] for one in answer.json()["attempts"]] == [False, True]


def test_the_api_refuses_to_wait_for_ever(client: Client, ada: User, paused: TrainingSession) -> None:
    client.force_login(ada)
    answer = client.post("/api/sessions/paused/resume/", {"after": "paused"}, content_type="application/json")
    assert (answer.status_code, paused.attempts.count()) == (400, 1)
    assert "wait for ever" in answer.json()["detail"]


def test_paused_sessions_stand_on_the_dashboard_with_a_way_on(
    client: Client, ada: User, paused: TrainingSession
) -> None:
    make_session(owner=ada, run_id="over", state=State.STOPPED)
    client.force_login(ada)
    page = client.get("/")
    assert [one.run_id for one in page.context["paused"]] == ["paused"]
    assert [one.run_id for one in page.context["ended"]] == ["over"]
    assert b'action="/sessions/paused/resume/"' in page.content
    assert b'action="/sessions/over/resume/"' not in page.content


def test_the_page_of_a_paused_session_offers_to_wait_for_those_that_train(
    client: Client, ada: User, paused: TrainingSession
) -> None:
    make_session(owner=ada, run_id="trains", state=State.RUNNING)
    make_session(owner=ada, run_id="over", state=State.STOPPED)
    client.force_login(ada)
    assert client.get("/sessions/paused/").context["awaitable"] == ["trains"]
    client.post("/sessions/paused/resume/", {"after": "trains"})
    assert paused.attempts.get(number=2).after == TrainingSession.objects.get(run_id="trains")
