"""What the curves of a running training say that is wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.health import (
    ENTROPY,
    LEARNING_RATE,
    LESSON,
    REWARD,
    VALUE_LOSS,
    Course,
    findings,
)  # fmt: skip


def points(values: Sequence[float], *, every: int = 1000, seconds: float = 10.0) -> list[tuple[int, float, float]]:
    return [(every * number, seconds * number, value) for number, value in enumerate(values, 1)]


def kinds(max_steps: int | None = 100_000, restarts: int = 0, **curves: Sequence[float]) -> list[str]:
    tags = {"reward": REWARD, "entropy": ENTROPY, "value_loss": VALUE_LOSS, "rate": LEARNING_RATE}
    course = Course(
        "Ball", {tags[name]: points(values) for name, values in curves.items()}, max_steps, restarts=restarts
    )
    return [one.kind for one in findings(course)]


def rising(count: int, noise: float = 0.05, seed: int = 1) -> list[float]:
    source = random.Random(seed)
    return [number / count + source.gauss(0, noise) for number in range(count)]


def test_a_healthy_training_has_no_findings() -> None:
    steady = [1.4 - 0.01 * number for number in range(40)]
    assert kinds(reward=rising(40), entropy=steady, value_loss=[0.5] * 40, rate=[3e-4] * 40) == []


@pytest.mark.parametrize("seed", range(30))
def test_noise_is_no_collapse(seed: int) -> None:
    source = random.Random(seed)
    flat = [source.gauss(0.0, 1.0) for _ in range(60)]
    assert "reward collapse" not in kinds(reward=flat)
    assert "reward collapse" not in kinds(reward=rising(60, noise=0.2, seed=seed))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_told_with_the_first_summary(value: float) -> None:
    assert kinds(value_loss=[0.1, 0.2, value]) == ["nan"]


def test_a_reward_that_falls_back_is_noticed_within_two_summaries() -> None:
    reward = rising(30)
    assert kinds(reward=[*reward, 0.0]) == []
    assert kinds(reward=[*reward, 0.0, 0.02]) == ["reward collapse"]


def test_rewards_below_zero_collapse_too() -> None:
    reward = [-10 + 8 * value for value in rising(30)]
    assert kinds(reward=[*reward, -9.8, -9.9]) == ["reward collapse"]


def test_entropy_that_vanishes_early_is_a_finding_and_late_is_none() -> None:
    falling = [1.4] * 10 + [0.1, 0.05]
    assert kinds(entropy=falling, reward=[1.0] * 12) == ["entropy"]
    assert kinds(entropy=falling, reward=[1.0] * 12, max_steps=15_000) == []


def test_a_value_loss_that_explodes_is_noticed_within_two_summaries() -> None:
    assert kinds(value_loss=[0.5] * 20 + [9.0]) == []
    assert kinds(value_loss=[0.5] * 20 + [9.0, 12.0]) == ["value loss"]


def test_summaries_without_a_reward_are_counted() -> None:
    assert kinds(rate=[3e-4] * 4) == []
    assert kinds(rate=[3e-4] * 5) == ["no episode"]
    assert kinds(rate=[3e-4] * 12, reward=[1.0] * 8) == []
    assert kinds(rate=[3e-4] * 13, reward=[1.0] * 8) == ["no episode"]


def test_a_lesson_that_does_not_end_is_a_finding_unless_it_is_the_last() -> None:
    def course(lesson: float, length: int) -> Course:
        curve = points([0.0] * 5 + [lesson] * length)
        return Course("Ball", {f"{LESSON}height": curve}, 100_000, {"height": 3})

    assert [one.kind for one in findings(course(1.0, 20))] == []
    (finding,) = findings(course(1.0, 30))
    assert (finding.kind, finding.step) == ("lesson", 6000)
    assert findings(course(2.0, 90)) == []


def test_training_that_becomes_slow_is_a_finding() -> None:
    quick = points([3e-4] * 20)
    slow = [(step + 20_000, 200 + 3 * at, value) for step, at, value in points([3e-4] * 3)]
    reward = points([1.0] * 23)
    course = Course("Ball", {LEARNING_RATE: [*quick, *slow], REWARD: reward}, 100_000)
    assert [one.kind for one in findings(course)] == ["pace"]


def test_restarts_of_environments_are_counted() -> None:
    assert kinds(reward=[1.0], restarts=1) == []
    assert kinds(reward=[1.0], restarts=2) == ["restarts"]


@given(
    st.dictionaries(st.sampled_from([REWARD, ENTROPY, VALUE_LOSS, f"{LESSON}x"]), st.lists(st.floats(), max_size=40))
)
def test_any_curves_are_judged(curves: dict[str, list[float]]) -> None:
    course = Course("Ball", {tag: points(values) for tag, values in curves.items()}, 10_000, {"x": 4}, 1)
    assert all(one.title and one.why and one.fix for one in findings(course))


def test_what_was_so_before_this_attempt_is_no_news() -> None:
    reward = [*rising(30, noise=0.0), 0.0, 0.0, 0.0]
    written = points(reward)
    for fresh, told in ((0, []), (1, []), (2, ["reward collapse"])):
        since = written[-fresh][1] if fresh else math.inf
        assert [one.kind for one in findings(Course("Ball", {REWARD: written}, since=since))] == told


def test_a_value_that_is_no_number_is_told_of_this_attempt_alone() -> None:
    written = points([0.1, math.nan, 0.1])
    assert findings(Course("Ball", {VALUE_LOSS: written}, since=written[2][1])) == []
    (finding,) = findings(Course("Ball", {VALUE_LOSS: written}, since=written[1][1]))
    assert (finding.step, finding.at, finding.tag) == (2000, 20.0, VALUE_LOSS)
