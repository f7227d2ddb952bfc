"""Evaluating a checkpoint: what its trainer is told, when it is enough, and what the rewards say together."""

from __future__ import annotations

import math
import statistics

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.evaluation import (
    NEVER,
    Rewards,
    Statistics,
    combined,
    curricula,
    enough,
    evaluation_config,
    lessons_used,
    summary_freq,
)

REWARD = st.floats(-1e6, 1e6)


def summary(values: list[float]) -> Rewards:
    return Rewards(len(values), math.fsum(values), math.fsum(one * one for one in values), min(values), max(values))


@given(parts=st.lists(st.lists(REWARD, min_size=1, max_size=20), min_size=1, max_size=20))
def test_summaries_together_say_what_all_their_episodes_say(parts: list[list[float]]) -> None:
    whole = [value for part in parts for value in part]
    found = combined([summary(part) for part in parts])
    assert found is not None
    assert (found.episodes, found.minimum, found.maximum) == (len(whole), min(whole), max(whole))
    assert found.mean == pytest.approx(statistics.fmean(whole), abs=1e-6)
    if len(whole) > 1:
        std = statistics.stdev(whole)
        assert found.std == pytest.approx(std, rel=1e-6, abs=1e-2)
        assert found.standard_error == pytest.approx((found.std or 0) / math.sqrt(len(whole)))


def test_rewards_that_are_large_and_close_keep_their_spread() -> None:
    found = combined([summary([1e4 + one / 10]) for one in range(10)])
    assert found is not None
    assert found.std == pytest.approx(statistics.stdev(one / 10 for one in range(10)), rel=1e-6)


def test_a_single_episode_has_no_spread_and_none_has_nothing() -> None:
    assert combined([summary([2.0])]) == Statistics(1, 2.0, None, 2.0, 2.0, None)
    assert combined([]) is None
    assert combined([Rewards(0, 0.0, 0.0, 0.0, 0.0)]) is None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_rewards_that_are_no_numbers_say_nothing(number: float) -> None:
    assert combined([summary([1.0]), Rewards(1, number, number, number, number)]) is None


@given(counts=st.lists(st.integers(0, 9), max_size=30), wanted=st.integers(1, 60))
def test_the_first_summaries_that_hold_enough_episodes_count(counts: list[int], wanted: int) -> None:
    found = enough([Rewards(count, 0.0, 0.0, 0.0, 0.0) for count in counts], wanted)
    if found is None:
        assert sum(counts) < wanted
    else:
        assert sum(counts[:found]) >= wanted > sum(counts[: found - 1])


@given(episodes=st.integers(1, 10_000), steps=st.none() | st.floats(0.1, 1e6) | st.just(math.nan))
def test_a_summary_is_due_about_twenty_times(episodes: int, steps: float | None) -> None:
    freq = summary_freq(episodes, steps)
    assert freq >= 1
    if steps is None or math.isnan(steps):
        assert freq == summary_freq(episodes, 500.0)
    elif freq > 1:
        assert freq == pytest.approx(steps * episodes / 20, abs=0.51)


TREE = {
    "default_settings": {"trainer_type": "ppo", "behavioral_cloning": {"demo_path": "gone.demo"}, "init_path": "x"},
    "behaviors": {
        "Ball": {
            "max_steps": 500,
            "even_checkpoints": True,
            "init_path": "elsewhere/checkpoint.pt",
            "reward_signals": {"extrinsic": {"gamma": 0.9}, "gail": {"demo_path": "gone.demo"}},
            "network_settings": {"hidden_units": 32},
        },
        "Never": {"max_steps": 1},
    },
    "environment_parameters": {
        "gravity": 9.81,
        "wall": {
            "curriculum": [
                {"name": "low", "value": 1.0, "completion_criteria": {"behavior": "Ball"}},
                {"name": "high", "value": {"sampler_type": "uniform"}},
            ]
        },
    },
    "debug": True,
}


def test_the_trainer_is_told_to_act_as_it_was_trained_and_nothing_else() -> None:
    told = yaml.safe_load(evaluation_config(TREE, ["Ball", "Other"], freq=70, lessons={}))
    ball = told["behaviors"]["Ball"]
    assert set(told["behaviors"]) == {"Ball", "Other"}
    assert (ball["max_steps"], ball["checkpoint_interval"], ball["summary_freq"]) == (NEVER, NEVER, 70)
    assert (ball["even_checkpoints"], ball["threaded"]) == (False, False)
    assert ball["network_settings"] == {"hidden_units": 32}
    assert ball["reward_signals"] == {"extrinsic": {"gamma": 0.9}}
    assert "init_path" not in ball
    assert told["default_settings"] == {"trainer_type": "ppo"}
    assert "debug" not in told
    assert TREE["behaviors"]["Ball"]["init_path"] == "elsewhere/checkpoint.pt"  # type: ignore[index]


@pytest.mark.parametrize(
    ("known", "value"), [({}, {"sampler_type": "uniform"}), ({"wall": 0}, 1.0), ({"wall": -3}, 1.0)]
)
def test_a_curriculum_stays_in_the_lesson_of_the_checkpoint(known: dict[str, int], value: object) -> None:
    told = yaml.safe_load(evaluation_config(TREE, ["Ball"], freq=1, lessons=known))
    assert told["environment_parameters"] == {"gravity": 9.81, "wall": value}
    assert curricula(TREE) == ["wall"]
    assert lessons_used(TREE, {}) == {"wall": 1}
    assert lessons_used(TREE, {"wall": 7}) == {"wall": 1}
