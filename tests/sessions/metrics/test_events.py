"""Event files: the points TensorBoard would show, from whatever part of a file is whole, and never an exception."""

from __future__ import annotations

import math
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event

from sessions.domain.crc32c import masked_crc32c
from sessions.metrics.events import Batch, Point, event_files, read_events
from tests.sessions.metrics.written import (
    NAME,
    QUICK,
    as_tensorboard_reads,
    event,
    file_of,
    framed,
    plain,
    rows,
    scalar,
    written,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


@QUICK
@given(st.lists(event(), max_size=12))
def test_the_points_are_those_that_tensorboard_reads(events: list[Event]) -> None:
    for path in written(file_of(*events)):
        batch = read_events(path, 0)
        assert plain(rows(batch)) == as_tensorboard_reads(path)
        assert (batch.next_offset, batch.skipped) == (path.stat().st_size, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 1e-45])
def test_values_that_json_has_no_word_for_are_read_as_they_are(path: Path, value: float) -> None:
    path.write_bytes(file_of(scalar(value=value)))
    (point,) = rows(read_events(path, 0))
    assert struct.pack("<f", point.value) == struct.pack("<f", value)


def test_steps_that_begin_again_are_kept_one_after_another(path: Path) -> None:
    path.write_bytes(file_of(*(scalar(step=step) for step in (1, 2, 3, 1, 2))))
    assert [point.step for point in rows(read_events(path, 0))] == [1, 2, 3, 1, 2]
    assert plain(rows(read_events(path, 0))) == as_tensorboard_reads(path)


@QUICK
@given(st.lists(event(), min_size=1, max_size=8), st.lists(st.integers(0, 400), max_size=20))
def test_a_file_that_grows_in_any_pieces_is_read_once_and_whole(events: list[Event], pieces: list[int]) -> None:
    data = file_of(*events)
    for path in written(b""):
        found: list[Point] = []
        offset = size = 0
        for piece in [*pieces, len(data)]:
            with path.open("ab") as file:
                file.write(data[size : size + piece])
            size = min(len(data), size + piece)
            batch = read_events(path, offset)
            assert offset <= batch.next_offset <= size
            found, offset = found + rows(batch), batch.next_offset
        whole = read_events(path, 0)
        assert plain(found) == plain(rows(whole))
        assert offset == whole.next_offset == len(data)


def test_a_file_cut_at_any_byte_gives_its_whole_records_now_and_the_rest_when_it_is_there(path: Path) -> None:
    data = file_of(*(scalar(step=step) for step in range(4)))
    path.write_bytes(data)
    expected = rows(read_events(path, 0))
    ends = [len(file_of(*(scalar(step=step) for step in range(count)))) for count in range(5)]
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        now = read_events(path, 0)
        assert (now.next_offset, now.skipped) == (max([0, *(end for end in ends if end <= cut)]), 0)
        path.write_bytes(data)
        assert rows(now) + rows(read_events(path, now.next_offset)) == expected


@pytest.mark.parametrize("limit", [1, 12, 13, 60, 200])
def test_a_limit_smaller_than_a_record_still_gets_on(path: Path, limit: int) -> None:
    path.write_bytes(file_of(*(scalar(step=step) for step in range(5)), scalar(tag="long" * 100, step=5)))
    found: list[Point] = []
    offset = -1
    batch = Batch({}, 0, 0)
    while batch.next_offset != offset:
        offset = batch.next_offset
        batch = read_events(path, offset, limit_bytes=max(limit, 12))
        found += rows(batch)
    assert [point.step for point in found] == [0, 1, 2, 3, 4, 5]
    assert offset == path.stat().st_size


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff" * 40,
        b"\x2a\x05ab",
        b"\x09\x00\x00",
        b"\x0f",
        b"\x2a\x06\x0a\x04\x0a\x02\xff\xfe\x2a\x03\x0a\x01\x0a",
        b"\x10" + b"\xff" * 11,
        b"\x2a\x08\x0a\x06\x42\x04\x08\x01\x28\x05" + b"\x08",
        b"\x2a\x09\x0a\x07\x42\x05\x08\x01\x22\x01\x00",
    ],
)
def test_a_damaged_record_is_counted_and_those_around_it_are_read(path: Path, payload: bytes) -> None:
    path.write_bytes(framed(scalar(step=1).SerializeToString(), payload, scalar(step=2).SerializeToString()))
    batch = read_events(path, 0)
    assert [point.step for point in rows(batch)] == [1, 2]
    assert (batch.skipped, batch.next_offset) == (1, path.stat().st_size)


def test_nothing_of_a_damaged_record_is_kept(path: Path) -> None:
    whole_value = b"\x0a\x08\x0a\x01t\x15" + struct.pack("<f", 1.0)
    broken = b"\x2a" + bytes([len(whole_value) + 2]) + whole_value + b"\x0a\x7f"
    path.write_bytes(framed(broken))
    batch = read_events(path, 0)
    assert (batch.points, batch.next_offset, batch.skipped) == ({}, path.stat().st_size, 1)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
@example(b"\x2a\x06\x0a\x04\x42\x02\x28\x05")  # a list of floats that is a single number
def test_no_payload_is_ever_an_exception(payload: bytes) -> None:
    data = framed(payload, scalar(step=7).SerializeToString())
    for path in written(data):
        batch = read_events(path, 0)
        assert batch.next_offset == len(data)
        assert batch.skipped in (0, 1)
        assert rows(batch)[-1].step == 7


@QUICK
@given(st.lists(event(), min_size=1, max_size=4), st.data())
def test_flipped_bits_are_never_an_exception_and_never_read_past_the_end(
    events: list[Event], data: st.DataObject
) -> None:
    damaged = bytearray(file_of(*events))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for path in written(bytes(damaged)):
        assert 0 <= read_events(path, 0).next_offset <= len(damaged)


def assert_nothing_new(path: Path, offset: int) -> None:
    batch = read_events(path, offset)
    assert (batch.points, batch.next_offset, batch.skipped) == ({}, offset, 0)


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 64 * 1024 * 1024 + 1, 10_000])
def test_a_record_that_claims_to_be_huge_is_left_alone(path: Path, length: int) -> None:
    header = struct.pack("<Q", length)
    whole = file_of(scalar(step=1))
    path.write_bytes(whole + header + struct.pack("<I", masked_crc32c(header)) + b"x" * 100)
    batch = read_events(path, 0)
    assert [point.step for point in rows(batch)] == [1]
    assert batch.next_offset == len(whole)
    assert_nothing_new(path, len(whole))


def test_a_file_that_is_not_there_has_nothing_new(path: Path) -> None:
    assert_nothing_new(path, 5)
    path.write_bytes(b"")
    assert_nothing_new(path, 0)


def test_the_checksum_is_that_of_the_format() -> None:
    assert framed(b"123456789")[8:12] == struct.pack("<I", masked_crc32c(struct.pack("<Q", 9)))
    assert framed(b"123456789")[-4:] == struct.pack("<I", masked_crc32c(b"123456789"))


def test_event_files_come_in_the_order_tensorboard_reads_them(tmp_path: Path) -> None:
    names = [
        "events.out.tfevents.1700000000.a.1.0",
        "events.out.tfevents.1700000000.b.1.0",
        "events.out.tfevents.1700000001.a.1.0",
        "tfevents",
    ]
    for name in reversed(names):
        (tmp_path / name).write_bytes(b"")
    for name in ("Ball.onnx", "events.out.tfevents.1700000000.a.profile-empty"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "events.out.tfevents.5.folder").mkdir()
    assert [path.name for path in event_files(tmp_path)] == names
    assert event_files(tmp_path / "missing") == []


def test_a_file_name_with_an_odd_number_is_no_exception(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.²³.machine").write_bytes(b"")
    assert len(event_files(tmp_path)) == 1


def test_a_file_of_5_gb_is_read_in_bounded_memory(path: Path) -> None:
    data = file_of(*(scalar(step=step) for step in range(1000)))
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.truncate(5 * 1024**3)  # a hole that takes no room, as a disk leaves it after a loss of power
    offset, steps = 0, []
    tracemalloc.start()
    try:
        while (batch := read_events(path, offset, limit_bytes=64 * 1024)).next_offset > offset:
            offset = batch.next_offset
            steps += [point.step for point in rows(batch)]
            if offset > len(data):
                break
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert steps == list(range(1000))
