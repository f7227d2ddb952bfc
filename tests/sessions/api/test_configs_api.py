"""Configurations by the API: the same findings as everywhere, for anybody who is signed in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.sessions.domain.configuration.old_examples import FLAT_PPO

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture
def api(client: Client, ben: User) -> Client:
    client.force_login(ben)
    return client


def validated(api: Client, config: str) -> Any:
    answer = api.post("/api/configs/validate/", json.dumps({"config": config}), content_type="application/json")
    assert answer.status_code == 200
    return answer.json()


def test_findings_have_line_column_path_message_and_hint(api: Client) -> None:
    assert validated(api, "behaviors:\n  Ball:\n    max_step: 5\n") == {
        "valid": False,
        "format": "1.1.0",
        "findings": [
            {
                "severity": "error",
                "line": 3,
                "column": 5,
                "path": "behaviors.Ball.max_step",
                "message": "max_step is no setting of a behavior.",
                "hint": "Did you mean max_steps?",
            }
        ],
        "upgraded": None,
    }


def test_an_old_format_comes_back_upgraded(api: Client) -> None:
    answer = validated(api, FLAT_PPO)
    assert (answer["valid"], answer["format"]) == (False, "0.16 or older")
    assert validated(api, answer["upgraded"])["valid"]


def test_hostile_text_is_answered_in_time(api: Client) -> None:
    (finding,) = validated(api, "[" * 100_000)["findings"]
    assert "levels" in finding["message"]


def test_a_wrong_request_is_told(api: Client) -> None:
    answer = api.post("/api/configs/validate/", "{}", content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"]["config"]
