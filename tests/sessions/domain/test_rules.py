"""Rules as people write them: read, refused with a sentence, told in words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.rules import RULES, InvalidRules, Rules, as_json, in_words, read_rules, read_text

WHOLE = {
    "restart_limit": 3,
    "restart_pause_seconds": 60.0,
    "stall_minutes": 30.0,
    "stall_action": "restart",
    "memory_mb": 8000.0,
    "goal_value": 0.9,
    "goal_behavior": "Ball",
    "plateau_steps": 100_000,
    "budget_minutes": 600.0,
    "budget_until": "2026-05-01T08:00:00+00:00",
}


def test_nothing_is_on_until_it_is_chosen() -> None:
    assert (in_words(Rules()), as_json(Rules()), read_rules({})) == ([], {}, Rules())


def test_numbers_and_texts_mean_the_same() -> None:
    texts = {key: f" {value} " for key, value in WHOLE.items()}
    assert read_rules(texts) == read_rules(WHOLE)


def test_what_is_left_empty_stays_at_its_default() -> None:
    assert read_rules(dict.fromkeys(RULES, "")) == read_rules(dict.fromkeys(RULES)) == Rules()


def test_what_is_stored_is_read_again_as_it_was() -> None:
    rules = read_rules(WHOLE)
    assert read_rules(as_json(rules)) == rules
    assert rules.budget_until == datetime(2026, 5, 1, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["2026-05-01T08:00Z", "2026-05-01T10:00+02:00"])
def test_a_moment_may_say_its_zone(text: str) -> None:
    assert read_rules({"budget_until": text}).budget_until == datetime(2026, 5, 1, 8, tzinfo=timezone.utc)


def test_a_moment_without_a_zone_is_in_the_time_of_the_machine() -> None:
    until = read_rules({"budget_until": "2026-05-01T08:00"}).budget_until
    assert until is not None
    assert until.replace(tzinfo=None) == datetime(2026, 5, 1, 8)  # noqa: DTZ001 - that is the subject
    assert until.utcoffset() is not None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"restart_limit": "many"}, "restart_limit must be a whole number from 1 to 1,000,"),
        ({"restart_limit": 0}, "restart_limit must be a whole number from 1"),
        ({"restart_limit": 2.5}, "restart_limit must be a whole number"),
        ({"restart_limit": True}, "restart_limit must be a whole number"),
        ({"stall_minutes": "nan"}, "stall_minutes must be a number from"),
        ({"stall_minutes": "inf"}, "stall_minutes must be a number from"),
        ({"stall_minutes": 5, "stall_action": "explode"}, "stall_action must be warn, stop or restart."),
        ({"goal_value": 1, "goal_tag": "x" * 256}, "goal_tag must be a text of at most 255 characters."),
        ({"goal_value": [1]}, "goal_value must be a number"),
        ({"budget_until": "tomorrow"}, "budget_until must be a moment such as 2026-05-01T08:00"),
        ({"budget_until": 5}, "budget_until must be a moment"),
        ({"restarts": 3}, "There is no rule restarts."),
        ({"stall_action": "stop"}, "stall_action has no effect without stall_minutes."),
        ({"goal_summaries": 5}, "goal_summaries has no effect without goal_value."),
        ({"memory_action": "stop"}, "memory_action has no effect without memory_mb or memory_growth_percent."),
        ({"stall_minutes": 5, "stall_action": "restart"}, "Say in restart_limit how often in a row"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRules) as refused:
        read_rules(given)
    assert sentence.rstrip(",") in " ".join(one for each in refused.value.errors.values() for one in each)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidRules) as refused:
        read_rules({"restart_limit": "x", "stall_minutes": -1, "unknown": 1})
    assert set(refused.value.errors) == {"rules.restart_limit", "rules.stall_minutes", "rules.unknown"}


@given(st.dictionaries(st.sampled_from(sorted(RULES)) | st.text(), st.none() | st.floats() | st.integers() | st.text()))
def test_anything_is_read_or_refused_with_sentences(given: dict[str, Any]) -> None:
    try:
        rules = read_rules(given)
    except InvalidRules as error:
        assert all(sentence.endswith((".", "!", "?")) for each in error.errors.values() for sentence in each)
    else:
        assert read_rules(as_json(rules)) == rules
        assert all(sentence.endswith(".") for sentence in in_words(rules))


def test_an_option_is_written_in_one_line() -> None:
    assert read_text("restart_limit=3, stall_minutes=30") == {"restart_limit": 3, "stall_minutes": 30.0}
    assert read_text(" ") == {}


@pytest.mark.parametrize("text", ["restart_limit", "restart_limit=often", "nothing=1", "goal_summaries=2"])
def test_an_option_that_cannot_be_used_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"restart_limit|nothing|goal_summaries"):
        read_text(text)


def test_each_rule_that_is_on_has_a_sentence() -> None:
    assert in_words(read_rules({**WHOLE, "budget_until": None, "memory_growth_percent": 20, "budget_disk_mb": 1})) == [
        "Restarts after a crash, at most 3 times in a row; first after 60 seconds.",
        "Restarts after 30 minutes without a new step.",
        "Warns above 8,000 MB of memory.",
        "Warns when memory grows by more than 20 % an hour, over 30 minutes.",
        "Stops when Environment/Cumulative Reward of Ball is 0.9 or above for 3 summaries in a row.",
        "Stops when Environment/Cumulative Reward of every behavior has not gained for 100,000 steps.",
        "Stops after 600 minutes of training.",
        "Stops when its results take more than 1 MB.",
    ]


def test_a_moment_is_told_with_its_zone() -> None:
    until = datetime.now(timezone(timedelta(hours=2))).isoformat()
    assert in_words(read_rules({"budget_until": until}))[0].startswith("Stops at ")
