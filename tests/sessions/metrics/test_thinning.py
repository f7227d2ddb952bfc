"""Thinned points: few, and the curve they draw is the same to the eye."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sessions.metrics import thinning
from sessions.metrics.codec import MANY, Points
from sessions.metrics.thinning import thin

QUICK = settings(max_examples=100, deadline=None)
VALUES = st.lists(st.floats(width=32), min_size=1, max_size=300)
# Few different ones, so that there are equals among them.
EQUALS = st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf]), min_size=1, max_size=300)


def as_columns(*columns: Any) -> Points:
    return Points(*columns)


def series(values: list[float]) -> Points:
    return Points(list(range(len(values))), [float(number) for number in range(len(values))], values)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.integers(5, 80))
def test_thinned_points_are_few_ordered_and_true_and_keep_both_ends_and_extremes(
    values: list[float], count: int
) -> None:
    thinned = thin(series(values), count)
    assert len(thinned.steps) <= count
    assert len(thinned.steps) == len(thinned.wall_times) == len(thinned.values)
    assert list(thinned.steps) == sorted(set(thinned.steps))
    assert all(repr(values[step]) == repr(value) for step, value in zip(thinned.steps, thinned.values, strict=True))
    assert (thinned.steps[0], thinned.steps[-1]) == (0, len(values) - 1)
    known = [value for value in values if math.isfinite(value)]
    if known:
        assert {min(known), max(known)} <= set(thinned.values)


@QUICK
@given(VALUES, st.integers(0, 300))
def test_points_that_are_few_enough_stay_all(values: list[float], more: int) -> None:
    points = series(values)
    assert thin(points, len(values) + more) is points


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_wish_for_hardly_any_points_still_keeps_both_ends_and_extremes(count: int) -> None:
    values = [0.0] * 100
    values[30], values[60] = -1.0, 1.0
    assert list(thin(series(values), count).steps) == [0, 30, 60, 99]


@settings(max_examples=200, deadline=None)
@given(VALUES | EQUALS, st.integers(0, 80))
def test_python_and_numpy_choose_the_same_points(values: list[float], count: int) -> None:
    assume(count < len(values))
    assert thinning._chosen(values, count) == thinning._chosen_of_many(np.array(values), count)


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("total", [1_000, MANY])
def test_a_gap_stays_a_gap_however_short_it_is(gap: float, total: int) -> None:
    values = [math.sin(number / 50) for number in range(total)]
    values[total // 3] = gap
    thinned = thin(series(values), 100)
    assert total // 3 in thinned.steps
    assert len(thinned) <= 100


def test_a_long_gap_lies_between_the_points_beside_it() -> None:
    values = [1.0] * 300 + [math.nan] * 400 + [2.0] * 300
    thinned = thin(series(values), 50)
    shown = [value for value in thinned.values if value == 1.0 or value == 2.0]
    assert any(math.isnan(value) for value in thinned.values[: thinned.values.index(2.0)])
    assert shown == sorted(shown)


def test_many_points_are_thinned_to_plain_numbers() -> None:
    values, numbers = np.zeros(MANY), np.arange(MANY)
    values[777] = 5.0
    thinned = thin(as_columns(numbers, numbers.astype(float), values), 10)
    assert 5.0 in thinned.values
    assert {type(one) for one in (*thinned.steps, *thinned.values)} == {int, float}


def test_every_stretch_keeps_its_own_peak() -> None:
    values = [float(number % 10 == 5) for number in range(1000)]
    thinned = thin(series(values), 202)
    assert sum(thinned.values) == 100
