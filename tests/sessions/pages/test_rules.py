"""The rules of a session on its pages: chosen at the start, told in words, changed while it trains."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions.domain.rules import RULES
from sessions.domain.states import State
from sessions.models import SessionEvent, TrainingSession
from sessions.pages.rules_form import PREFIX
from tests.factories import CONFIG, make_practice_trainer, make_session

pytestmark = pytest.mark.usefixtures("home")
START = {"run_id": "ball-1", "mode": "executable", "trainer": "practice", "config_text": CONFIG.decode()}
CHOSEN = {"rule_restart_limit": "3", "rule_stall_minutes": "30", "rule_stall_action": "restart"}


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    make_practice_trainer()
    client.force_login(ada)
    return client


@pytest.fixture
def session(ada: User) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING, rules={"stall_minutes": 30})


def sentence_at(field: str, answer: Any) -> str:
    """What the page says below a field."""
    found = re.search(rf'data-errors="{field}"[^>]*>(.*?)</p>', answer.content.decode(), re.S)
    assert found, f"there is no place for the sentences of {field}"
    return html.unescape(found[1]).strip()


def test_the_start_form_has_a_field_for_every_rule_and_all_are_off(page: Client) -> None:
    content = page.get("/start/").content.decode()
    for name in RULES:
        assert f'name="{PREFIX}{name}"' in content
    assert not re.search(r'name="rule_\w+_(limit|minutes|mb|value|steps|until)"[^>]* value=', content)
    assert '<details class="panel"><summary>Unattended' in content


def test_a_start_stores_the_rules_that_were_filled_in(page: Client) -> None:
    assert page.post("/start/", {**START, **CHOSEN, "action": "start"}).status_code == 302
    assert TrainingSession.objects.get().rules == {
        "restart_limit": 3,
        "stall_minutes": 30.0,
        "stall_action": "restart",
    }


def test_a_rule_that_cannot_be_used_is_told_at_its_field_and_nothing_is_started(page: Client) -> None:
    answer = page.post("/start/", {**START, "rule_restart_limit": "often", "action": "start"})
    assert answer.status_code == 422
    assert sentence_at("rule_restart_limit", answer).startswith("restart_limit must be a whole number")
    assert '<details class="panel" open><summary>Unattended' in answer.content.decode()
    assert not TrainingSession.objects.exists()


def test_the_preview_tells_what_is_wrong_with_a_rule(page: Client) -> None:
    answer = page.post("/start/preview/", {**START, "rule_stall_action": "stop"}).json()
    assert answer["errors"] == {"rule_stall_minutes": ["stall_action has no effect without stall_minutes."]}


def test_the_form_begins_with_the_rules_of_the_option(page: Client, settings: Settings) -> None:
    rules = {"stall_minutes": 30.0, "budget_until": "2026-05-01T08:00:00+00:00"}
    settings.MENTOR = {**settings.MENTOR, "MENTOR_RULES": rules}
    content = page.get("/start/").content.decode()
    assert re.search(r'name="rule_stall_minutes"[^>]*value="30"|value="30"[^>]*name="rule_stall_minutes"', content)
    assert '<details class="panel" open><summary>Unattended' in content
    # Emptied on the form they are off.
    page.post("/start/", {**START, "rule_stall_minutes": "", "action": "start"})
    assert TrainingSession.objects.get().rules == {}


def test_the_session_page_says_what_is_on(page: Client, session: TrainingSession) -> None:
    content = page.get("/sessions/ball/").content.decode()
    assert "<li>Warns after 30 minutes without a new step.</li>" in content
    TrainingSession.objects.update(rules={})
    assert "No rule is on" in page.get("/sessions/ball/").content.decode()


def test_rules_are_changed_on_the_session_page(page: Client, session: TrainingSession) -> None:
    answer = page.post("/sessions/ball/rules/", {"rule_goal_value": "0.9", "rule_goal_direction": "above"})
    assert answer.status_code == 302
    assert TrainingSession.objects.get().rules == {"goal_value": 0.9}
    event = SessionEvent.objects.latest("pk")
    assert event.who == "ada"
    assert event.why.startswith("Rules: Stops when Environment/Cumulative Reward")


def test_a_wrong_change_is_told_at_its_field_and_changes_nothing(page: Client, session: TrainingSession) -> None:
    answer = page.post("/sessions/ball/rules/", {"rule_stall_minutes": "soon"})
    assert answer.status_code == 422
    assert "stall_minutes must be a number" in sentence_at("rule_stall_minutes", answer)
    assert TrainingSession.objects.get().rules == {"stall_minutes": 30.0}


def test_what_the_form_shows_is_what_it_stores_again(page: Client, session: TrainingSession) -> None:
    rules = {"stall_minutes": 0.5, "stall_action": "stop", "budget_until": "2026-05-01T08:00:00+00:00"}
    TrainingSession.objects.update(rules=rules)
    content = page.get("/sessions/ball/").content.decode()
    typed = {}
    for tag in re.findall(r"<input [^>]*name=\"rule_[^>]*>", content):
        value = re.search(r'value="([^"]*)"', tag)
        found = re.search(r'name="([^"]*)"', tag)
        assert found
        typed[found[1]] = value[1] if value else ""
    page.post("/sessions/ball/rules/", {**typed, "rule_stall_action": "stop"})
    assert TrainingSession.objects.get().rules == rules


def test_who_may_not_start_sessions_may_not_change_their_rules(client: Client, ben: User, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING)
    client.force_login(ben)
    answer: Any = client.post("/sessions/ball/rules/", {"rule_stall_minutes": "5"})
    assert [str(message) for message in answer.wsgi_request._messages] == [
        "You may not do this. Ask an administrator for the permission."
    ]
    assert TrainingSession.objects.get().rules == {}
    assert client.get("/sessions/ball/rules/").status_code == 405
    assert client.get("/sessions/ball/").status_code == 200


def test_an_alarm_stands_on_the_page(page: Client, session: TrainingSession) -> None:
    assert 'data-field="alarm" role="status"></p>' in page.get("/sessions/ball/").content.decode()
    session.attempts.update(alarm="Watchdog: No new step in 30 minutes.")
    assert "Watchdog: No new step in 30 minutes.</p>" in page.get("/sessions/ball/").content.decode()
