"""Configurations by the API: the same findings as everywhere, for anybody who is signed in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.services import library
from tests.sessions.domain.configuration.old_examples import CURRICULUM_0_10, FLAT_PPO

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


def test_a_request_that_is_no_json_or_too_much_of_it_is_told_in_one_shape(api: Client) -> None:
    for body, status, words in (
        (b"[" * 100_000, 400, "nested too deeply"),
        (b'{"config": "' + b"x" * 3_000_000 + b'"}', 413, "larger than 2 MB"),
        (b"{", 400, "JSON parse error"),
    ):
        answer = api.post("/api/configs/validate/", body, content_type="application/json")
        assert (answer.status_code, set(answer.json())) == (status, {"code", "detail", "hint", "errors"})
        assert words in answer.json()["detail"]


def test_an_older_trainer_does_not_know_everything(api: Client) -> None:
    asked = {"config": "behaviors:\n  Ball:\n    even_checkpoints: true\n", "version": "0.30.0"}
    answer = api.post("/api/configs/validate/", json.dumps(asked), content_type="application/json").json()
    assert answer["valid"]
    assert [one["line"] for one in answer["findings"] if "0.30.0 refuses it" in one["message"]] == [3]


def test_an_upgrade_takes_along_what_stood_in_files_of_its_own(api: Client) -> None:
    beside = [{"name": "Roller.json", "config": CURRICULUM_0_10}, {"name": "x.yaml", "config": "behaviors: {A: {}}"}]
    asked = {"config": FLAT_PPO, "beside": beside[:1]}
    answer = api.post("/api/configs/upgrade/", json.dumps(asked), content_type="application/json").json()
    assert "behavior: Roller" in answer["upgraded"]
    assert "+environment_parameters:" in answer["difference"].splitlines()
    asked["beside"] = beside
    answer = api.post("/api/configs/upgrade/", json.dumps(asked), content_type="application/json").json()
    assert (answer["upgraded"], answer["difference"]) == (None, "")
    assert any("x.yaml cannot be taken along" in one["message"] for one in answer["findings"])


def test_a_text_is_compared_with_a_kept_version_or_a_starting_point(api: Client, ada: User) -> None:
    kept = library.keep(name="Ball", text="behaviors:\n  Ball:\n    max_steps: 5\n", by=ada)
    text = "behaviors:\n  Other:\n    max_steps: 7\n"

    def compared(**other: Any) -> Any:
        body = json.dumps({"config": text, **other})
        return api.post("/api/configs/compare/", body, content_type="application/json")

    (one,) = compared(kept=kept.pk).json()["results"]
    assert (one["path"], one["before"], one["now"]) == ("behaviors.Other.max_steps", "5", "7")
    assert compared(preset="ppo").json()["results"]
    assert [
        compared(**other).status_code for other in ({}, {"kept": 999}, {"preset": "x"}, {"kept": 1, "preset": "ppo"})
    ] == [400, 404, 404, 400]
