"""The numbers of a reward series, by example and as properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics import RewardSummary, summarise, time_to

QUICK = settings(max_examples=100, deadline=None)
NAN, INF = math.nan, math.inf
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=120)


def summary_of(values: list[float]) -> RewardSummary | None:
    """Summarise values a thousand steps and ten seconds apart."""
    count = range(len(values))
    return summarise([number * 1000 for number in count], [1e9 + number * 10.0 for number in count], values)


def reached(values: list[float], share: float = 0.9) -> tuple[int, float] | None:
    count = range(len(values))
    return time_to([number * 1000 for number in count], [1e9 + number * 10.0 for number in count], values, share=share)


@pytest.mark.parametrize("values", [[], [NAN], [NAN, INF, -INF]])
def test_without_any_number_there_is_no_summary(values: list[float]) -> None:
    assert summary_of(values) is None
    assert reached(values * 5) is None


def test_a_single_point_is_first_last_final_and_best() -> None:
    assert summary_of([2.5]) == RewardSummary(1, 2.5, 2.5, 2.5, 2.5, 0, 0.0, 0, 0.0)


def test_a_series_is_told_by_its_first_last_final_and_best_point() -> None:
    values = [float(number) for number in range(20)]
    values[12] = 99.0
    assert summary_of(values) == RewardSummary(
        points=20, first=0.0, last=19.0, final=18.5, best=99.0, best_step=12000, best_seconds=120.0,
        last_step=19000, seconds=190.0,
    )  # fmt: skip


@pytest.mark.parametrize(("count", "final"), [(1, 0.0), (9, 8.0), (10, 9.0), (30, 28.0), (100, 94.5)])
def test_final_is_the_mean_of_the_last_tenth_and_of_one_point_at_least(count: int, final: float) -> None:
    summary = summary_of([float(number) for number in range(count)])
    assert summary is not None
    assert summary.final == final


def test_the_first_of_equally_good_points_is_the_best() -> None:
    summary = summary_of([1.0, 3.0, 2.0, 3.0])
    assert summary is not None
    assert (summary.best_step, summary.best_seconds) == (1000, 10.0)


def test_what_is_no_number_is_left_out_together_with_its_step_and_time() -> None:
    summary = summary_of([NAN, 1.0, INF, 2.0, -INF, NAN])
    assert summary == RewardSummary(2, 1.0, 2.0, 2.0, 2.0, 3000, 20.0, 3000, 20.0)


@QUICK
@given(VALUES, st.data())
def test_points_that_are_no_number_change_nothing_but_their_absence(values: list[float], data: st.DataObject) -> None:
    steps = [number * 1000 for number in range(len(values))]
    times = [float(step) for step in steps]
    expected = summarise(steps, times, values), time_to(steps, times, values, share=0.9)
    for _ in range(3):
        place = data.draw(st.integers(0, len(values)))
        steps, times = [*steps[:place], 7, *steps[place:]], [*times[:place], 7.0, *times[place:]]
        values = [*values[:place], data.draw(st.sampled_from([NAN, INF, -INF])), *values[place:]]
    assert (summarise(steps, times, values), time_to(steps, times, values, share=0.9)) == expected


@QUICK
@given(VALUES)
def test_the_best_is_no_worse_than_any_other_and_stands_where_it_says(values: list[float]) -> None:
    summary = summary_of(values)
    assert summary is not None
    assert summary.best == max(values) == values[summary.best_step // 1000]
    assert summary.points == len(values)
    assert min(values) - 1e-6 <= summary.final <= summary.best + 1e-6


@pytest.mark.parametrize("values", [[0.0, 1.0, 2.0, 3.0], [1.0] * 10, [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]])
def test_too_few_points_or_no_way_up_reach_nothing(values: list[float]) -> None:
    assert reached(values) is None


def test_the_share_is_reached_where_the_mean_of_five_points_first_has_it() -> None:
    values = [0.0] * 10 + [10.0] * 10
    assert reached(values, share=0.2) == (10_000, 100.0)
    assert reached(values, share=0.9) == (14_000, 140.0)
    assert reached([*values, *[0.0] * 50], share=0.9) == (14_000, 140.0)


def test_a_single_lucky_point_does_not_reach_the_level() -> None:
    values = [0.0] * 10 + [10.0] + [0.0] * 10 + [10.0] * 10
    step, seconds = reached(values) or (0, 0.0)
    assert (step, seconds) == (25_000, 250.0)


@QUICK
@given(VALUES, st.sampled_from([0.1, 0.5, 0.9]))
def test_a_larger_share_is_never_reached_earlier(values: list[float], share: float) -> None:
    early, late = reached(values, share=share), reached(values, share=0.95)
    assert (early is None) == (late is None)
    if early is None or late is None:
        return
    assert early[0] <= late[0] <= (len(values) - 1) * 1000
    assert early[0] >= 4000
