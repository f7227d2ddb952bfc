"""Packed points: what comes out is what went in, as rows and as compressed columns."""

from __future__ import annotations

import math
import random
import struct
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.metrics import codec
from sessions.metrics.codec import Points, columns, compress, count_of, extended, is_rows, pack, unpack, unpack_all
from sessions.metrics.events import Point

QUICK = settings(max_examples=100, deadline=None)
Row = tuple[int, float, float]
ROWS = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(), st.floats()), max_size=40)
SINGLES = st.lists(st.tuples(st.integers(0, 2**40), st.floats(1e9, 2e9), st.floats(width=32)), max_size=300)
MINUTES = 30.0


def points_of(rows: list[Row]) -> Points:
    return columns(Point("t", *row) for row in rows)


def bits(points: Points) -> bytes:
    """The points bit for bit, whatever their columns are made of."""
    plain = points.lists()
    rows = zip(plain.steps, plain.wall_times, plain.values, strict=True)
    return b"".join(struct.pack("<qdd", *row) for row in rows)


def training(count: int) -> Points:
    """Points as a training writes them: even steps, uneven times, noise in 32 bits."""
    noise = random.Random(count)
    times, at = [], 1.76e9
    for _ in range(count):
        at += MINUTES + noise.gauss(0, 3)
        times.append(at)
    values = array("f", [math.tanh(n / 300) * 10 + noise.gauss(0, 1) for n in range(count)])
    return Points(array("q", range(5000, 5000 * (count + 1), 5000)), array("d", times), array("d", values))


@QUICK
@given(ROWS | SINGLES)
def test_rows_come_back_bit_for_bit(rows: list[Row]) -> None:
    data = pack(points_of(rows))
    assert len(data) == 1 + 24 * len(rows)
    assert count_of(data) == len(rows)
    assert bits(unpack(data)) == bits(points_of(rows))


@QUICK
@given(ROWS | SINGLES)
def test_columns_come_back_bit_for_bit_by_python_and_by_numpy(rows: list[Row]) -> None:
    data = compress(points_of(rows))
    assert count_of(data) == len(rows)
    assert bits(unpack(data)) == bits(points_of(rows))
    assert bits(codec._unpack_many([data])) == bits(points_of(rows))


def test_bit_patterns_that_are_no_usual_numbers_survive() -> None:
    odd = struct.unpack(
        "<6d", struct.pack("<6Q", 0x7FF8DEADBEEF0001, 0xFFF8 << 48, 1, 1 << 63, 0x7FF0 << 48, 0xFFF0 << 48)
    )
    points = Points([0] * 6, list(odd), list(odd))
    assert bits(unpack(pack(points))) == bits(unpack(compress(points))) == bits(codec._unpack_many([compress(points)]))
    assert struct.pack("<6d", *unpack(compress(points)).values) == struct.pack("<6d", *odd)


@QUICK
@given(ROWS, ROWS)
def test_points_can_be_put_behind_rows_and_never_behind_columns(before: list[Row], after: list[Row]) -> None:
    assert extended(pack(points_of(before)), points_of(after)) == pack(points_of(before + after))
    with pytest.raises(ValueError, match="only be appended to rows"):
        extended(compress(points_of(before)), points_of(after))


@QUICK
@given(st.lists(ROWS, max_size=4), st.integers(0, 15))
def test_parts_of_both_kinds_give_all_points_in_order(parts: list[list[Row]], kinds: int) -> None:
    packed = [(pack if kinds >> number & 1 else compress)(points_of(rows)) for number, rows in enumerate(parts)]
    whole = bits(points_of([row for rows in parts for row in rows]))
    assert bits(unpack_all(packed)) == whole
    if packed:
        assert bits(codec._unpack_many(packed)) == whole


@pytest.mark.parametrize("make", [list, lambda column: array("d", column), np.array])
def test_columns_may_be_lists_arrays_or_numpy_arrays(make: Callable[[list[float]], Any]) -> None:
    steps: Any = np.array([1, 2, 3])
    points = Points(steps, make([1.5, 2.5, 3.5]), make([0.5, -0.5, 1e300]))
    assert bits(unpack(pack(points))) == bits(unpack(compress(points))) == bits(points)


def test_many_points_come_as_numpy_arrays_and_few_as_lists() -> None:
    points = training(codec.MANY)
    many, few = unpack_all([compress(points)]), unpack_all([compress(points[:-1])])
    assert isinstance(many.steps, np.ndarray)
    assert isinstance(few.steps, list)
    assert bits(many) == bits(points)


def test_rows_are_little_endian_step_wall_time_and_value_behind_their_kind() -> None:
    assert pack(columns([Point("t", 1, 2.0, -0.5)])) == b"\x01" + struct.pack("<qdd", 1, 2.0, -0.5)
    assert is_rows(pack(columns([])))
    assert not is_rows(compress(columns([])))
    assert unpack(pack(columns([]))) == unpack(compress(columns([]))) == unpack_all([]) == Points([], [], [])


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(24), b"\x01" + bytes(23), b"\x02", b"\x03" + bytes(24)])
def test_bytes_that_are_no_points_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no packed points"):
        unpack(data)


def test_columns_that_were_cut_or_lengthened_are_refused() -> None:
    data = compress(training(100))
    for wrong in (data[:-1], data[:20], data[:12] + b"\0" + data[12:]):
        with pytest.raises(ValueError, match="no packed points"):
            unpack(wrong)


@pytest.mark.parametrize(("count", "most"), [(1_000, 7.0), (10_000, 6.6)])
def test_what_a_training_writes_takes_a_third_as_columns(count: int, most: float) -> None:
    assert len(compress(training(count))) < most * count
    assert len(pack(training(count))) == 24 * count + 1
