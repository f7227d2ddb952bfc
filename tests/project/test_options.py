"""Options: read from the environment, with a sentence for what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from mentor_site.options import read_options, unknown_options


def test_an_empty_environment_gives_every_default() -> None:
    values, problems = read_options({})
    assert values["MENTOR_MAX_PARALLEL"] == 2
    assert values["MENTOR_DATABASE_URL"] == ""
    assert not problems


def test_values_have_the_type_the_table_says() -> None:
    folders = os.pathsep.join(["/a", "/b"])
    values, problems = read_options(
        {
            "MENTOR_PORT": "9000",
            "MENTOR_HTTPS": "yes",
            "MENTOR_FOLDERS": folders,
            "MENTOR_ALLOWED_HOSTS": "a, b",
        }
    )
    assert (values["MENTOR_PORT"], values["MENTOR_HTTPS"]) == (9000, True)
    assert values["MENTOR_FOLDERS"] == [Path("/a").resolve(), Path("/b").resolve()]
    assert values["MENTOR_ALLOWED_HOSTS"] == ["a", "b"]
    assert not problems


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MENTOR_PORT", "80"),
        ("MENTOR_PORT", "many"),
        ("MENTOR_MAX_PARALLEL", "0"),
        ("MENTOR_DEBUG", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_and_its_default_holds(name: str, text: str) -> None:
    values, problems = read_options({name: text})
    assert text in problems[name]
    assert values[name] == read_options({})[0][name]


def test_a_mistyped_option_is_noticed() -> None:
    assert unknown_options({"MENTOR_MAX_PARALEL": "3", "MENTOR_PORT": "9000"}) == ["MENTOR_MAX_PARALEL"]


def test_wrong_options_are_errors_of_the_check_with_a_hint(settings: Settings) -> None:
    settings.OPTION_PROBLEMS = {"MENTOR_PORT": "MENTOR_PORT='80' cannot be used."}
    found = [message for message in run_checks() if message.id == "mentor.E001"]
    assert [message.msg for message in found] == ["MENTOR_PORT='80' cannot be used."]
    assert found[0].hint


@pytest.mark.parametrize("key", ["short", "django-insecure-" + "x" * 60])
def test_a_weak_secret_key_is_refused(settings: Settings, key: str) -> None:
    settings.SECRET_KEY = key
    assert "mentor.E002" in {message.id for message in run_checks()}


def test_debug_pages_are_refused_where_others_can_reach_them(settings: Settings) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_DEBUG": True, "MENTOR_HOST": "0.0.0.0"}
    assert "mentor.E003" in {message.id for message in run_checks()}


def test_rules_for_all_sessions_are_read_and_refused_like_any_option() -> None:
    values, problems = read_options({"MENTOR_RULES": "restart_limit=3,stall_minutes=30"})
    assert values["MENTOR_RULES"] == {"restart_limit": 3, "stall_minutes": 30.0}
    assert not problems
    values, problems = read_options({"MENTOR_RULES": "restart_limit=often"})
    assert values["MENTOR_RULES"] == {}
    assert "restart_limit must be a whole number" in problems["MENTOR_RULES"]
