"""Packed points: what comes out is what went in, and thinning keeps what a curve is known by."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.metrics.codec import Points, columns, pack, thin, unpack
from sessions.metrics.events import Point

QUICK = settings(max_examples=100, deadline=None)
ROWS = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(), st.floats()), max_size=40)
VALUES = st.lists(st.floats(width=32), min_size=1, max_size=300)


def series(values: list[float]) -> Points:
    return Points(list(range(len(values))), [float(number) for number in range(len(values))], values)


@QUICK
@given(ROWS)
def test_points_come_back_bit_for_bit(rows: list[tuple[int, float, float]]) -> None:
    data = pack(columns(Point("t", *row) for row in rows))
    points = unpack(data)
    assert len(data) == 24 * len(rows)
    assert list(points.steps) == [row[0] for row in rows]
    assert [repr(one) for one in points.wall_times] == [repr(row[1]) for row in rows]
    assert [repr(one) for one in points.values] == [repr(row[2]) for row in rows]


@QUICK
@given(ROWS, ROWS)
def test_packed_points_can_be_put_one_behind_the_other(
    before: list[tuple[int, float, float]], after: list[tuple[int, float, float]]
) -> None:
    both = pack(columns(Point("t", *row) for row in before)) + pack(columns(Point("t", *row) for row in after))
    assert both == pack(columns(Point("t", *row) for row in before + after))


def test_the_bytes_are_little_endian_step_wall_time_and_value() -> None:
    assert pack(columns([Point("t", 1, 2.0, -0.5)])) == struct.pack("<qdd", 1, 2.0, -0.5)
    assert pack(columns([])) == b""
    assert unpack(b"") == Points([], [], [])


@pytest.mark.parametrize("length", [1, 23, 25])
def test_bytes_that_are_no_whole_points_are_refused(length: int) -> None:
    with pytest.raises(struct.error):
        unpack(bytes(length))


@settings(max_examples=200, deadline=None)
@given(VALUES, st.integers(4, 80))
def test_thinned_points_are_few_ordered_and_true_and_keep_both_ends_and_extremes(
    values: list[float], count: int
) -> None:
    thinned = thin(series(values), count)
    assert len(thinned.steps) <= count
    assert len(thinned.steps) == len(thinned.wall_times) == len(thinned.values)
    assert list(thinned.steps) == sorted(set(thinned.steps))
    assert all(repr(values[step]) == repr(value) for step, value in zip(thinned.steps, thinned.values, strict=True))
    assert (thinned.steps[0], thinned.steps[-1]) == (0, len(values) - 1)
    known = [value for value in values if not math.isnan(value)]
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


def test_a_curve_that_is_no_number_anywhere_keeps_its_ends() -> None:
    assert list(thin(series([math.nan] * 50), 10).steps) == [0, 49]


def test_every_stretch_keeps_its_own_peak() -> None:
    values = [float(number % 10 == 5) for number in range(1000)]
    thinned = thin(series(values), 202)
    assert sum(thinned.values) == 100
