"""What rules make of what was seen: stalls, memory, goals, plateaus, budgets and crashes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sessions.domain.rules import MEGABYTE, Rules
from sessions.domain.verdicts import (
    LONGEST_PAUSE_SECONDS,
    End,
    NoRestart,
    Past,
    Restart,
    after_end,
    budget,
    goal,
    memory,
    plateau,
    restarts_in_a_row,
    stall,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
values = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40)


def points(*numbers: float, every: int = 100) -> list[tuple[int, float]]:
    return [(every * (index + 1), number) for index, number in enumerate(numbers)]


# No new step


def test_a_stall_begins_after_its_minutes() -> None:
    rules = Rules(stall_minutes=30, stall_action="stop")
    assert stall(rules, 1799) is None
    verdict = stall(rules, 1800)
    assert verdict is not None
    assert (verdict.do, verdict.why) == ("stop", "No new step in 30 minutes.")
    # The same sentence while it lasts, so that it is told once.
    assert stall(rules, 90_000) == verdict


def test_without_a_rule_nothing_stalls() -> None:
    assert stall(Rules(), math.inf) is None


# Memory


def samples(*megabytes: float, every: float = 10.0) -> list[tuple[float, float]]:
    return [(index * every, size * MEGABYTE) for index, size in enumerate(megabytes)]


def test_memory_above_the_limit_counts_after_a_minute() -> None:
    rules = Rules(memory_mb=1000, memory_action="restart")
    assert memory(rules, samples(*[1001] * 6)) is None
    verdict = memory(rules, samples(*[1001] * 7))
    assert verdict is not None
    assert (verdict.do, verdict.why) == ("restart", "Memory is above 1,000 MB.")
    assert memory(rules, samples(*[1001] * 6, 1000)) is None
    assert memory(rules, []) is None


def test_a_warning_about_memory_stays_until_it_is_clearly_back() -> None:
    rules = Rules(memory_mb=1000)
    assert memory(rules, samples(950), warned=True) is not None
    assert memory(rules, samples(899), warned=True) is None


def test_growth_counts_over_its_window() -> None:
    rules = Rules(memory_growth_percent=20, memory_window_minutes=10)
    steady = samples(*[1000] * 61)
    growing = samples(*[1000 + 5 * index for index in range(61)])  # 0.3 % every ten seconds: about 150 % an hour
    assert memory(rules, steady) is None
    verdict = memory(rules, growing)
    assert verdict is not None
    assert verdict.why == "Memory grows by more than 20 % an hour."
    # The first minutes of a training are no window yet.
    assert memory(rules, growing[:40]) is None


def test_growth_before_the_window_is_forgotten() -> None:
    rules = Rules(memory_growth_percent=20, memory_window_minutes=10)
    assert memory(rules, samples(*range(100, 1000, 30), *[1000] * 61)) is None


@given(st.permutations([1000.0] * 30 + [1005.0] * 31))
def test_noise_of_half_a_percent_is_no_leak(noise: list[float]) -> None:
    # Even in the worst order that is 0.5 % in 450 s, 4 % an hour.
    assert memory(Rules(memory_growth_percent=5, memory_window_minutes=10), samples(*noise)) is None


# Goals


def test_a_goal_is_reached_by_its_summaries_in_a_row() -> None:
    rules = Rules(goal_value=0.9)
    assert goal(rules, {"Ball": points(0.95, 0.95, 0.5, 0.9, 0.95)}) is None
    verdict = goal(rules, {"Ball": points(0.5, 0.9, 0.95, 0.93)})
    assert verdict is not None
    assert verdict.why == (
        "Goal reached: Environment/Cumulative Reward of Ball is 0.9 or above for 3 summaries (0.93 at step 400)."
    )


def test_a_goal_may_be_below_a_value() -> None:
    rules = Rules(goal_value=0.1, goal_direction="below", goal_tag="Losses/Value Loss", goal_summaries=1)
    assert goal(rules, {"Ball": points(0.2)}) is None
    assert goal(rules, {"Ball": points(0.2, 0.1)}) is not None


def test_a_goal_is_that_of_the_behavior_named_or_of_any() -> None:
    both = {"Ball": points(0.0, 0.0), "Other": points(1.0, 1.0)}
    assert goal(Rules(goal_value=1, goal_summaries=2), both) is not None
    assert goal(Rules(goal_value=1, goal_summaries=2, goal_behavior="Ball"), both) is None
    assert goal(Rules(goal_value=1, goal_summaries=2, goal_behavior="Nobody"), both) is None


@given(values, st.integers(1, 40), st.floats(-10, 10), st.sampled_from(["above", "below"]))
def test_fewer_summaries_than_asked_for_never_reach_a_goal(
    numbers: list[float], summaries: int, value: float, direction: str
) -> None:
    assume(sum(map(math.isfinite, numbers)) < summaries)
    rules = Rules(goal_value=value, goal_summaries=summaries, goal_direction=direction)
    assert goal(rules, {"Ball": points(*numbers)}) is None


@given(values, st.integers(1, 5), st.lists(st.sampled_from([math.nan, math.inf, -math.inf]), max_size=5), st.data())
def test_what_is_no_number_neither_reaches_a_goal_nor_begins_its_count_anew(
    numbers: list[float], summaries: int, nothing: list[float], data: Any
) -> None:
    rules = Rules(goal_value=0.5, goal_summaries=summaries)
    place = data.draw(st.integers(0, len(numbers)))
    mixed = [*numbers[:place], *nothing, *numbers[place:]]
    before, after = (goal(rules, {"Ball": points(*each)}) for each in (numbers, mixed))
    assert (before is None) == (after is None)


@given(values, st.integers(1, 5))
def test_a_goal_that_is_reached_says_so_of_the_last_summaries_only(numbers: list[float], summaries: int) -> None:
    finite = [number for number in numbers if math.isfinite(number)]
    reached = goal(Rules(goal_value=0.0, goal_summaries=summaries), {"Ball": points(*numbers)}) is not None
    assert reached == (len(finite) >= summaries and all(number >= 0 for number in finite[-summaries:]))


# Plateaus


def test_a_plateau_is_so_many_steps_without_a_gain() -> None:
    rules = Rules(plateau_steps=300, plateau_gain=0.1)
    assert plateau(rules, {"Ball": points(0.1, 0.5, 0.55, 0.58)}) is None
    verdict = plateau(rules, {"Ball": points(0.1, 0.5, 0.55, 0.58, 0.6)})
    assert verdict is not None
    assert verdict.why.endswith("of Ball has not gained more than 0.1 for 300 steps.")
    assert plateau(rules, {"Ball": points(0.1, 0.5, 0.55, 0.58, 0.7)}) is None


def test_one_behavior_that_gains_keeps_the_others_training() -> None:
    rules = Rules(plateau_steps=200)
    flat, rising = points(1.0, 1.0, 1.0, 1.0), points(1.0, 2.0, 3.0, 4.0)
    assert plateau(rules, {"Ball": flat, "Other": rising}) is None
    assert plateau(rules, {"Ball": flat, "Other": flat}) is not None
    assert plateau(Rules(plateau_steps=200, plateau_behavior="Ball"), {"Ball": flat, "Other": rising}) is not None


@pytest.mark.parametrize("rows", [{}, {"Ball": []}, {"Ball": points(math.nan, math.nan, math.nan, math.nan)}])
def test_without_a_number_there_is_no_plateau(rows: dict[str, Any]) -> None:
    assert plateau(Rules(plateau_steps=100), rows) is None


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.integers(1, 30), st.randoms())
def test_no_order_of_noise_is_a_plateau_before_its_steps(noise: list[float], summaries: int, random: Any) -> None:
    random.shuffle(noise)
    assume(len(noise) <= summaries)
    assert plateau(Rules(plateau_steps=summaries * 100), {"Ball": points(*noise)}) is None


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_what_rises_all_the_time_is_no_plateau(numbers: list[float]) -> None:
    rising = sorted(set(numbers))
    assert plateau(Rules(plateau_steps=100), {"Ball": points(*rising)}) is None


def test_steps_that_went_back_at_a_restart_are_no_plateau() -> None:
    rows = [(1000, 5.0), (500, 1.0), (600, 1.0)]
    assert plateau(Rules(plateau_steps=100), {"Ball": rows}) is None


# Budgets


@pytest.mark.parametrize(
    ("rules", "used", "why"),
    [
        (Rules(budget_minutes=10), {"trained_seconds": 600.0}, "Its 10 minutes of training are over."),
        (Rules(budget_until=NOON), {"now": NOON}, "It was to train until 01 May 2026, 12:00 UTC."),
        (Rules(budget_disk_mb=1), {"results_bytes": MEGABYTE + 1}, "Its results take more than 1 MB."),
    ],
)
def test_a_budget_stops_when_it_is_spent(rules: Rules, used: dict[str, Any], why: str) -> None:
    nothing: dict[str, Any] = {"trained_seconds": 599.9, "now": NOON - timedelta(seconds=1), "results_bytes": MEGABYTE}
    assert budget(rules, **nothing) is None
    verdict = budget(rules, **{**nothing, **used})
    assert verdict is not None
    assert (verdict.do, verdict.why) == ("stop", why)


# Crashes

RESTARTS = Rules(restart_limit=3, restart_pause_seconds=30)
FIRST = [Past(automatic=False, trained_seconds=20)]
SHORT, LONG = Past(automatic=True, trained_seconds=20), Past(automatic=True, trained_seconds=601)


@pytest.mark.parametrize("state", ["failed", "lost"])
def test_a_crash_is_followed_by_a_restart(state: str) -> None:
    assert after_end(RESTARTS, End(state, "run", code=1), FIRST) == Restart(1, 3, 30.0)


@pytest.mark.parametrize("wanted", ["stop", "pause", "kill"])
@pytest.mark.parametrize("state", ["failed", "lost", "stopped", "paused"])
def test_what_a_person_asked_for_is_never_followed_by_one(wanted: str, state: str) -> None:
    assert after_end(RESTARTS, End(state, wanted, code=-9), FIRST) is None


@pytest.mark.parametrize("wanted", ["run", "restart"])
def test_what_was_completed_is_over(wanted: str) -> None:
    assert after_end(RESTARTS, End("completed", wanted, code=0), FIRST) is None


def test_without_the_rule_a_crash_is_the_end() -> None:
    assert after_end(Rules(stall_minutes=5), End("failed", "run", code=1), FIRST) is None


@pytest.mark.parametrize("state", ["stopped", "failed", "lost"])
def test_what_the_watchdog_ended_is_restarted_however_it_ended(state: str) -> None:
    assert after_end(RESTARTS, End(state, "restart", code=-9), FIRST) == Restart(1, 3, 30.0)


def test_each_restart_in_a_row_waits_twice_as_long_up_to_the_limit() -> None:
    pauses = []
    past = list(FIRST)
    while isinstance(following := after_end(RESTARTS, End("failed", "run", code=1), past), Restart):
        pauses.append((following.number, following.pause_seconds))
        past.insert(0, SHORT)
    assert pauses == [(1, 30.0), (2, 60.0), (3, 120.0)]
    assert following == NoRestart("Not restarted: 3 restarts in a row did not help.")


def test_an_attempt_that_got_far_begins_the_count_anew() -> None:
    assert after_end(RESTARTS, End("failed", "run", code=1), [LONG, SHORT, SHORT, *FIRST]) == Restart(1, 3, 30.0)
    assert after_end(RESTARTS, End("failed", "run", code=1), [SHORT, LONG, SHORT, *FIRST]) == Restart(2, 3, 60.0)


@given(st.lists(st.builds(Past, st.booleans(), st.floats(0, 10_000)), min_size=1, max_size=50), st.integers(1, 10))
def test_restarts_in_a_row_never_exceed_the_limit(past: list[Past], limit: int) -> None:
    rules = Rules(restart_limit=limit)
    following = after_end(rules, End("failed", "run", code=1), past)
    before = restarts_in_a_row(rules, past)
    assert isinstance(following, Restart) == (before < limit)
    if isinstance(following, Restart):
        assert (following.number, following.limit) == (before + 1, limit)
        assert 0 <= following.pause_seconds <= LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize(
    "end",
    [
        End("failed", "run", code=1, repeats=True),
        End("failed", "run", code=2),
        End("failed", "run", refused=True),
    ],
)
def test_what_would_only_repeat_is_not_tried_again(end: End) -> None:
    following = after_end(RESTARTS, end, FIRST)
    assert following == NoRestart("Not restarted: it would fail in the same way again.")


@pytest.mark.parametrize(
    "end",
    [
        End("failed", "run", code=1),
        End("failed", "run", code=0),
        End("failed", "run", code=-11),
        End("failed", "run"),
    ],
)
def test_what_may_go_well_the_next_time_is_tried_again(end: End) -> None:
    assert isinstance(after_end(RESTARTS, end, FIRST), Restart)


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (End("failed", "run", code=-2), "somebody interrupted the trainer"),
        (End("failed", "run", code=0, editor=True), "a person has to press Play"),
    ],
)
def test_what_a_person_ended_outside_of_mentor_is_left_to_them(end: End, why: str) -> None:
    following = after_end(RESTARTS, end, FIRST)
    assert isinstance(following, NoRestart)
    assert why in following.why
