"""Event files that are damaged, half-written or made to hurt: what is whole is read, in little memory and time."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from sessions.domain.crc32c import masked_crc32c
from sessions.metrics.collecting import MOST_TAGS
from sessions.metrics.decoding import MOST_VALUES
from sessions.metrics.events import SEARCH_BYTES, Batch, read_events
from sessions.metrics.records import FRAME_BYTES, MOST_PAYLOAD
from tests.sessions.metrics.written import NAME, file_of, framed, scalar


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


def records(first: int, last: int) -> list[bytes]:
    return [framed(scalar(step=step).SerializeToString()) for step in range(first, last + 1)]


def read_all(path: Path, *, limit_bytes: int = 4 * 1024 * 1024) -> tuple[list[int], int, int]:
    """The steps, the records passed over, and the offset at the end."""
    steps: list[int] = []
    offset = skipped = 0
    for batch in batches(path, limit_bytes):
        steps += [step for points in batch.points.values() for step in points.steps]
        offset, skipped = batch.next_offset, skipped + batch.skipped
    return steps, skipped, offset


def batches(path: Path, limit_bytes: int = 4 * 1024 * 1024) -> Iterator[Batch]:
    batch = read_events(path, 0, limit_bytes=limit_bytes)
    offset = 0
    while batch.next_offset != offset:
        yield batch
        offset = batch.next_offset
        batch = read_events(path, offset, limit_bytes=limit_bytes, order=batch.order)


@pytest.mark.parametrize("at", range(12))
def test_behind_a_damaged_length_the_next_whole_record_is_found(path: Path, at: int) -> None:
    (damaged,) = records(2, 2)
    damaged = damaged[:at] + bytes([damaged[at] ^ 0x5A]) + damaged[at + 1 :]
    data = b"".join([file_of(), *records(1, 1), damaged, *records(3, 4)])
    path.write_bytes(data)
    assert read_all(path) == ([1, 3, 4], 1, len(data))


def test_a_damaged_payload_is_passed_over_without_losing_the_next(path: Path) -> None:
    (damaged,) = records(2, 2)
    data = b"".join([file_of(), *records(1, 1), damaged[:20] + b"?" + damaged[21:], *records(3, 3)])
    path.write_bytes(data)
    assert read_all(path) == ([1, 3], 1, len(data))


@pytest.mark.parametrize("hole", [1, 7, 12, 100, 4096, SEARCH_BYTES - 1000])
def test_a_hole_counts_as_one_record(path: Path, hole: int) -> None:
    data = b"".join([file_of(), *records(1, 1), bytes(hole), *records(2, 3)])
    path.write_bytes(data)
    assert read_all(path) == ([1, 2, 3], 1, len(data))


def test_a_tail_that_grows_is_never_taken_for_damage(path: Path) -> None:
    before = b"".join([file_of(), *records(1, 2)])
    (coming,) = records(3, 3)
    for cut in range(len(coming)):
        for filler in (b"", bytes(len(coming) - cut), bytes(5000)):
            path.write_bytes(before + coming[:cut] + filler)
            steps, skipped, offset = read_all(path)
            # Zeros that stand where a record is going to be are no damage, as long as nothing whole is behind them.
            assert (steps, skipped, offset) == ([1, 2], 0, len(before)) or (cut >= 12 and filler and skipped <= 1)
        path.write_bytes(before + coming)
        assert read_all(path) == ([1, 2, 3], 0, len(before + coming))


def test_noise_without_a_whole_record_behind_it_is_left_alone(path: Path) -> None:
    whole = file_of(scalar(step=1))
    path.write_bytes(whole + random.Random(1).randbytes(100_000))
    assert read_all(path) == ([1], 0, len(whole))


def test_a_record_that_claims_two_to_the_63_bytes_takes_no_memory_and_ends_nothing(path: Path) -> None:
    header = struct.pack("<Q", 2**63)
    data = file_of(scalar(step=1)) + header + struct.pack("<I", masked_crc32c(header)) + b"".join(records(2, 2))
    path.write_bytes(data)
    tracemalloc.start()
    try:
        assert read_all(path) == ([1, 2], 1, len(data))
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def test_a_record_larger_than_any_that_is_of_use_is_passed_over_unread(path: Path) -> None:
    header = struct.pack("<Q", MOST_PAYLOAD + 1)
    begun = file_of(scalar(step=1)) + header + struct.pack("<I", masked_crc32c(header))
    path.write_bytes(begun)
    assert read_all(path) == ([1], 0, len(begun) - 12)
    with path.open("ab") as file:
        file.truncate(len(begun) + MOST_PAYLOAD + 1 + 4)
    with path.open("ab") as file:
        file.write(b"".join(records(2, 2)))
    assert read_all(path)[:2] == ([1, 2], 1)


def many_tags(count: int) -> Event:
    made = Event(step=1)
    for number in range(count):
        made.summary.value.add(tag=f"{number}", simple_value=1.0)
    return made


def test_an_event_with_more_values_than_any_has_is_passed_over(path: Path) -> None:
    path.write_bytes(file_of(many_tags(MOST_VALUES), many_tags(MOST_VALUES + 1), scalar(step=2)))
    steps, skipped, _ = read_all(path)
    assert (len(steps), skipped) == (MOST_VALUES + 1, 1)


@pytest.mark.slow
def test_very_many_tags_come_in_batches_that_fit_into_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(file_of())
        for first in range(0, 100_000, 5000):
            values = b"".join(b"\x0a\x0d\x0a\x06%06d\x15\0\0\0\0" % number for number in range(first, first + 5000))
            file.write(framed(b"\x2a" + varint(len(values)) + values))
    before = most = psutil.Process().memory_info().rss
    counts = []
    for batch in batches(path, limit_bytes=1024 * 1024):
        counts.append(len(batch.points))
        most = max(most, psutil.Process().memory_info().rss)
    assert sum(counts) == 100_000
    assert max(counts) < MOST_TAGS + MOST_VALUES
    assert most - before < 60_000_000


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


@pytest.mark.parametrize(
    "piece",
    [
        b"\0\0\0\0\1",
        struct.pack("<Q", 1 << 20) + struct.pack("<I", masked_crc32c(struct.pack("<Q", 1 << 20))),
        bytes(FRAME_BYTES),
    ],
    ids=["almost headers", "headers of records that are not whole", "zeros"],
)
def test_looking_for_the_next_record_takes_bounded_time(path: Path, piece: bytes) -> None:
    path.write_bytes(b"\xff" * 12 + piece * (SEARCH_BYTES // len(piece)))
    begun = time.process_time()
    assert read_all(path) == ([], 0, 0)
    assert time.process_time() - begun < 20


def test_thousands_of_restarts_take_time_in_proportion(path: Path) -> None:
    start = framed(Event(step=5, session_log=SessionLog(status=SessionLog.START)).SerializeToString())
    data = file_of() + b"".join(one + start for one in records(1, 4) * 5000)
    path.write_bytes(data)
    begun = time.process_time()
    steps, _, offset = read_all(path)
    assert time.process_time() - begun < 20
    assert (len(steps), offset) == (20_000, len(data))
