"""The rules of a session through the API: given at the start, changed while it trains, refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions.domain.states import State
from sessions.models import TrainingSession
from tests.factories import CONFIG, make_practice_trainer, make_session
from tests.sessions.api.test_schema import check, schema_of

pytestmark = pytest.mark.usefixtures("home")
BODY = {"run_id": "ball-1", "config": CONFIG.decode(), "trainer": "practice"}


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    make_practice_trainer()
    client.force_login(ada)
    return client


def send(api: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    return getattr(api, method)(f"/api/sessions/{path}", json.dumps(body), content_type="application/json")


def test_a_start_with_rules_answers_them_in_numbers_and_in_words(api: Client) -> None:
    answer = send(api, "post", "", {**BODY, "rules": {"stall_minutes": 30, "budget_until": "2026-05-01T08:00:00Z"}})
    assert answer.status_code == 201
    told = answer.json()
    assert told["rules"] == {"stall_minutes": 30.0, "budget_until": TrainingSession.objects.get().rules["budget_until"]}
    assert told["unattended"][0] == "Warns after 30 minutes without a new step."
    schema = schema_of(api)
    check(told, schema["paths"]["/api/sessions/"]["post"]["responses"]["201"], schema)


@pytest.mark.parametrize(("given", "rules"), [({}, {"restart_limit": 2}), ({"rules": None}, {"restart_limit": 2}),
                                              ({"rules": {}}, {})])  # fmt: skip
def test_without_rules_those_of_the_option_hold(
    api: Client, settings: Settings, given: dict[str, Any], rules: dict[str, Any]
) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_RULES": {"restart_limit": 2}}
    assert send(api, "post", "", {**BODY, **given}).json()["rules"] == rules


def test_rules_are_replaced_while_a_session_trains(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING, rules={"restart_limit": 3})
    told = send(api, "patch", "ball/", {"rules": {"goal_value": 0.9}, "notes": "as planned"}).json()
    assert (told["rules"], told["notes"]) == ({"goal_value": 0.9}, "as planned")
    assert send(api, "patch", "ball/", {"notes": "still"}).json()["rules"] == {"goal_value": 0.9}
    assert send(api, "patch", "ball/", {"rules": {}}).json()["rules"] == {}


@pytest.mark.parametrize("method", ["post", "patch"])
def test_wrong_rules_are_refused_by_name_and_nothing_is_stored(api: Client, ada: User, method: str) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING, rules={"restart_limit": 3})
    wrong = {"rules": {"restart_limit": 0, "luck": 7}, "notes": "x"}
    answer = send(api, method, "ball/" if method == "patch" else "", wrong if method == "patch" else {**BODY, **wrong})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"rules.restart_limit", "rules.luck"}
    session = TrainingSession.objects.get()
    assert (session.rules, session.notes) == ({"restart_limit": 3}, "")


def test_rules_are_a_mapping(api: Client) -> None:
    answer = send(api, "post", "", {**BODY, "rules": ["restart_limit"]})
    assert answer.status_code == 400
    assert "rules" in answer.json()["errors"]


def test_an_alarm_is_part_of_a_session(api: Client, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    session.attempts.update(alarm="Watchdog: No new step in 30 minutes.")
    assert api.get("/api/sessions/ball/").json()["alarm"] == "Watchdog: No new step in 30 minutes."
    assert api.get("/api/sessions/").json()["results"][0]["alarm"] == "Watchdog: No new step in 30 minutes."
