"""Reading at once and reading singly: the same, whatever a file is made of."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.util import tensor_util

from sessions.domain.crc32c import crc32c
from sessions.metrics.checksums import LEAST, checksums
from sessions.metrics.collecting import Taken, take_singly
from sessions.metrics.records import HEADER
from sessions.metrics.restarts import Order
from sessions.metrics.vectors import take_at_once
from tests.sessions.metrics.written import file_of, framed, scalar

LONG = settings(max_examples=30, deadline=None)
NAMES = ["a", "b", "cc", "dd", "Environment/Cumulative Reward", "Losses/Value Loss", "ü", "x" * 1100]


def plain(taken: Taken) -> dict[str, Any]:
    """What was taken, comparable: NaN equals NaN, and numpy's numbers equal Python's."""
    return {
        "points": {
            tag: [
                (int(step), struct.pack("<dd", wall_time, value))
                for step, wall_time, value in zip(points.steps, points.wall_times, points.values, strict=True)
            ]
            for tag, points in taken.points.items()
        },
        "tags": list(taken.points),
        "histograms": [repr(one) for one in taken.histograms],
        "texts": taken.texts,
        "cuts": taken.cuts,
        "order": taken.order,
        "skipped": taken.skipped,
        "end": taken.end,
    }


def assert_same(data: bytes, order: Order | None = None, *, last: bool = True) -> Taken | None:
    """Read the data in both ways; return what was read at once, None where reading singly was asked for."""
    singly = take_singly(data, order or Order(), last=last)
    at_once = take_at_once(data, order or Order(), last=last)
    if at_once is not None:
        assert plain(at_once) == plain(singly)
    return at_once


def training(maker: random.Random, *, version: str = "brain.Event:2") -> list[Event]:
    """What a trainer might write: some tags at every summary, some now and then, in some encoding, and restarts."""
    tags = {name: maker.choice(["simple", "simple", "float", "double", "int64"]) for name in maker.sample(NAMES, 5)}
    events = [Event(wall_time=1e9, file_version=version)] if version else []
    step, pace = maker.choice([0, 1, 100, 16_000, 2**31]), maker.choice([1, 37, 1000, 2**40])
    for _ in range(maker.randrange(10, 80)):
        for name, kind in tags.items():
            if maker.random() < 0.98:
                events.append(written_as(kind, name, step, maker))
        if maker.random() < maker.choice([0, 0.9]):
            events.append(odd(step, maker))
        step += pace
        if maker.random() < 0.03:
            step = max(0, step - pace * maker.randrange(20))
            events.append(Event(wall_time=1e9 + step, step=step, session_log=SessionLog(status=SessionLog.START)))
    return events


def written_as(kind: str, name: str, step: int, maker: random.Random) -> Event:
    made = Event(wall_time=maker.random() * 2e9, step=step)
    value = made.summary.value.add(tag=name)
    number = maker.choice([maker.gauss(0, 1), 0.0, float("nan"), float("inf"), 1e-45])
    if kind == "simple":
        value.simple_value = number
    elif kind == "int64":
        value.tensor.CopyFrom(tensor_util.make_tensor_proto(maker.randrange(-9, 9), dtype="int64"))
    else:
        value.tensor.CopyFrom(
            tensor_util.make_tensor_proto(number, dtype={"float": "float32", "double": "float64"}[kind])
        )
    return made


def odd(step: int, maker: random.Random) -> Event:
    """Something that is no scalar, or several."""
    made = Event(wall_time=1e9, step=step)
    kind = maker.choice(["histogram", "text", "image", "several", "nothing", "negative"])
    if kind == "histogram":
        histo = made.summary.value.add(tag="hist").histo
        histo.min, histo.max = -1, 1
        histo.bucket_limit.extend(sorted(maker.random() for _ in range(maker.randrange(1, 90))))
        histo.bucket.extend(maker.randrange(3) for _ in histo.bucket_limit)
    elif kind == "text":
        value = made.summary.value.add(tag="text")
        value.tensor.CopyFrom(tensor_util.make_tensor_proto("t" * maker.randrange(600)))
        value.metadata.plugin_data.plugin_name = "text"
    elif kind == "image":
        made.summary.value.add(tag="image").image.encoded_image_string = bytes(maker.randrange(3000))
    elif kind == "several":
        for name in maker.choices(NAMES, k=3):
            made.summary.value.add(tag=name, simple_value=maker.random())
    elif kind == "negative":
        made.step = -step
        made.summary.value.add(tag="a", simple_value=1.0)
    return made


SEEDS = st.integers(0, 2**32)


@LONG
@given(SEEDS)
def test_a_whole_file_is_read_the_same_in_both_ways(seed: int) -> None:
    data = framed(*(one.SerializeToString() for one in training(random.Random(seed))))
    assert assert_same(data) is not None


@LONG
@given(SEEDS, st.sampled_from(["", "brain.Event:1", "brain.Event:x"]))
def test_so_is_a_file_of_before_version_2_unless_it_has_to_be_read_singly(seed: int, version: str) -> None:
    events = training(random.Random(seed), version=version)
    steps = [one.step for one in events]
    at_once = assert_same(framed(*(one.SerializeToString() for one in events)))
    assert at_once is not None or steps != sorted(steps)


@LONG
@given(SEEDS, st.integers(1, 6))
def test_so_is_a_damaged_file(seed: int, wounds: int) -> None:
    maker = random.Random(seed)
    data = bytearray(framed(*(one.SerializeToString() for one in training(maker))))
    for _ in range(wounds):
        data[maker.randrange(len(data))] ^= 1 << maker.randrange(8)
    assert_same(bytes(data))


@LONG
@given(SEEDS, st.booleans())
def test_so_is_a_file_that_is_cut_anywhere(seed: int, last: bool) -> None:
    maker = random.Random(seed)
    data = framed(*(one.SerializeToString() for one in training(maker)))
    assert_same(data[: maker.randrange(len(data) + 1)], Order(2.0), last=last)


def test_values_of_the_same_length_need_not_be_of_the_same_tag() -> None:
    events = [scalar(tag=random.Random(step).choice("abcdefgh"), step=step) for step in range(200, 1200)]
    taken = assert_same(file_of(*events))
    assert taken is not None
    assert sum(len(points) for points in taken.points.values()) == 1000


def test_a_damaged_record_in_the_middle_of_many_is_counted_and_no_other_is_lost() -> None:
    records = [framed(scalar(tag=tag, step=step).SerializeToString()) for step in range(500) for tag in ("a", "b")]
    wounded = records[600][:20] + bytes([records[600][20] ^ 1]) + records[600][21:]
    taken = assert_same(file_of() + b"".join([*records[:600], wounded, *records[601:]]))
    assert taken is not None
    assert (taken.skipped, len(taken.points["a"]), len(taken.points["b"])) == (1, 499, 500)


def test_every_tag_of_its_own_is_read_singly_and_in_time() -> None:
    events = [scalar(tag=f"{number:05d}", step=1) for number in range(3000)]
    taken = assert_same(file_of(*events))
    assert taken is not None
    assert len(taken.points) == 3000


def test_a_last_record_that_is_not_filled_yet_is_left() -> None:
    whole = file_of(*(scalar(step=step) for step in range(600)))
    grown = whole + bytes(scalar(step=600).ByteSize() + 16)
    unfilled = framed(scalar(step=600).SerializeToString())
    for tail in (bytes(40), unfilled[: HEADER.size] + bytes(len(unfilled) - HEADER.size)):
        assert take_singly(whole + tail, Order(), last=True).end == len(whole)
        assert take_singly(whole + tail, Order(), last=True).skipped == 0
        assert_same(whole + tail)
    assert take_singly(grown, Order(), last=True).end == len(whole)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(LEAST, 3000), min_size=1, max_size=30), SEEDS)
def test_the_checksums_of_many_pieces_are_those_of_each(sizes: list[int], seed: int) -> None:
    data = random.Random(seed).randbytes(sum(sizes))
    starts = np.cumsum([0, *sizes[:-1]])
    expected = [crc32c(data[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    assert checksums(data, starts, np.array(sizes)).tolist() == expected


@pytest.mark.parametrize("data", [bytes(12), bytes(100), b"\xff" * 100])
def test_what_is_no_event_file_has_no_records(data: bytes) -> None:
    taken = assert_same(data)
    assert taken is not None
    assert (taken.end, taken.skipped, taken.points) == (0, 0, {})
