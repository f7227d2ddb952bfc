"""The queue's page: its order, what each waits for, moving, holding and saying when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions.models import TrainingSession
from tests.factories import CONFIG, make_practice_trainer, make_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def order(page: Client) -> list[str]:
    return [one.run_id for one in page.get("/queue/").context["waiting"]]


def attempt_of(run_id: str) -> Any:
    return TrainingSession.objects.get(run_id=run_id).attempts.get()


def test_it_shows_who_waits_in_the_order_of_the_queue(page: Client, ada: User) -> None:
    for run_id, priority in (("low", -1), ("first", 0), ("second", 0), ("high", 1)):
        make_session(owner=ada, run_id=run_id, priority=priority)
    assert order(page) == ["high", "first", "second", "low"]
    assert [one["run_id"] for one in page.get("/api/queue/").json()["results"]] == order(page)


def test_a_row_is_moved_by_its_button_and_by_the_api(page: Client, ada: User) -> None:
    for run_id in ("a", "b", "c"):
        make_session(owner=ada, run_id=run_id)
    answer = page.post("/sessions/c/move/", {"index": "0"})
    assert answer["Location"] == "/queue/"
    assert order(page) == ["c", "a", "b"]
    answer = page.post("/api/sessions/c/move/", {"index": 1}, content_type="application/json")
    assert answer.status_code == 200
    assert order(page) == ["a", "c", "b"]


@pytest.mark.parametrize("index", ["", "-1", "next", "1e3", "9" * 20])
def test_a_place_that_is_no_number_moves_nothing(page: Client, ada: User, index: str) -> None:
    for run_id in ("a", "b"):
        make_session(owner=ada, run_id=run_id)
    assert page.post("/sessions/a/move/", {"index": index}).status_code == 302
    assert order(page) == ["a", "b"]


def test_who_may_not_start_may_not_move(client: Client, ada: User, ben: User) -> None:
    for run_id in ("a", "b"):
        make_session(owner=ada, run_id=run_id)
    client.force_login(ben)
    for body in ("move", "schedule"):
        answer = client.post(f"/api/sessions/b/{body}/", {"index": 0}, content_type="application/json")
        assert answer.status_code == 403
    assert order(client) == ["a", "b"]


def test_holding_and_releasing_stay_on_the_page(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="a")
    for action, held in (("hold", True), ("release", False)):
        assert page.post(f"/sessions/a/{action}/", {"next": "queue"})["Location"] == "/queue/"
        assert page.get("/queue/").context["waiting"][0].held is held


def test_a_time_typed_into_the_page_is_that_of_this_machine(page: Client, ada: User) -> None:
    for run_id in ("a", "b"):
        make_session(owner=ada, run_id=run_id)
    page.post("/sessions/b/schedule/", {"start_at": "2040-01-31T08:15", "start_after": "a"})
    attempt = attempt_of("b")
    assert attempt.not_before == datetime(2040, 1, 31, 8, 15).astimezone()
    assert attempt.after.run_id == "a"
    content = page.get("/queue/").content.decode()
    assert 'value="2040-01-31T08:15"' in content
    assert "after a" in content


def test_a_time_that_is_none_changes_nothing(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="a")
    page.post("/sessions/a/schedule/", {"start_at": "tomorrow"})
    assert attempt_of("a").not_before is None
    answer = page.post("/api/sessions/a/schedule/", {"start_at": "tomorrow"}, content_type="application/json")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"start_at"})


def test_the_api_answers_what_a_session_waits_for(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="a")
    moment = timezone.now() + timedelta(days=1)
    make_session(owner=ada, run_id="b", start_after="a", start_at=moment, held=True)
    answer = page.get("/api/sessions/b/").json()
    assert (answer["held"], answer["start_after"]) == (True, "a")
    assert datetime.fromisoformat(answer["start_at"].replace("Z", "+00:00")) == moment


def started(page: Client, **changes: str) -> Any:
    make_practice_trainer()
    form = {"config_text": CONFIG.decode(), "run_id": "ball", "mode": "editor", "trainer": "practice"}
    return page.post("/start/", {**form, "action": "start", **changes})


def test_one_form_starts_a_session_for_each_seed(page: Client) -> None:
    answer = started(page, seeds="1, 3-4", sequential="on", priority="2")
    assert answer["Location"] == "/queue/"
    assert order(page) == ["ball-s1", "ball-s3", "ball-s4"]
    assert [attempt_of(name).after_id is not None for name in order(page)] == [False, True, True]


def test_the_form_says_which_sessions_would_be_started(page: Client) -> None:
    make_practice_trainer()
    form = {"config_text": CONFIG.decode(), "run_id": "ball", "mode": "editor", "trainer": "practice", "seeds": "1-9"}
    notices = page.post("/start/preview/", form).json()["notices"]
    assert notices[0].startswith("Starts 9 sessions: ball-s1, ball-s2, ")
    assert not TrainingSession.objects.exists()


@pytest.mark.parametrize("seeds", ["one", "1-", "-3", "1-500", "1;2"])
def test_seeds_that_are_none_are_told(page: Client, seeds: str) -> None:
    answer = started(page, seeds=seeds)
    assert answer.status_code == 422
    assert answer.context["form"].errors["seeds"]
    assert not TrainingSession.objects.exists()


def test_what_is_wrong_with_one_of_several_is_told_by_its_name(page: Client) -> None:
    answer = started(page, more_configs="/nowhere/other.yaml")
    assert answer.status_code == 422
    assert "ball-other" in answer.content.decode()
    assert not TrainingSession.objects.exists()


def test_a_batch_is_started_by_the_api(page: Client) -> None:
    make_practice_trainer()
    bodies = [{"run_id": name, "config": CONFIG.decode(), "trainer": "practice"} for name in ("a", "b")]
    answer = page.post("/api/batches/", {"sessions": bodies, "sequential": True}, content_type="application/json")
    assert answer.status_code == 201
    assert [(one["run_id"], one["start_after"]) for one in answer.json()["results"]] == [("a", None), ("b", "a")]
    answer = page.post("/api/batches/", {"sessions": bodies}, content_type="application/json")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"a", "b"})
