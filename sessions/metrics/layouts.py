"""Records that differ in wall time, step and value alone: where these stand, so that many are read as columns."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sessions.domain.crc32c import crc32c
from sessions.metrics.checksums import REACH, contributions, masked
from sessions.metrics.decoding import LISTS, SIMPLE_VALUE, SUMMARY, TENSOR, decode
from sessions.metrics.records import FOOTER_BYTES, FRAME_BYTES, HEADER, sound
from sessions.metrics.wire import BYTES, FIXED32, FIXED64, VARINT, Span, fields

WALL_TIME_BYTES = 8
STEP_KEY = 2 << 3 | VARINT
# A step of ten bytes is negative: nothing that is written often.
MOST_STEP_BYTES = 9
# The types of a tensor's numbers: 1 is float, 2 is double.
FLOATS = {1: ("<f4", 4), 2: ("<f8", 8)}


@dataclass(frozen=True, eq=False, slots=True)
class Layout:
    """What the records of one tag have in common; places are offsets in the record.

    `same` has the bits that are the same in all of them, and `pattern` is what they are. `varying` are the bytes that
    are not, `bases` where the table of contributions has theirs, `rest` the checksum but for them.
    """

    tag: str
    wall_time: int
    value: int
    # Of how many bytes the step is; its bytes are in `varying` behind those of the wall time.
    step_bytes: int
    value_type: str
    same: np.ndarray
    same_bits: int
    pattern: int
    varying: np.ndarray
    bases: np.ndarray
    rest: int


class Slot(NamedTuple):
    """A place for a record in a row of bytes, and the layout of the records there."""

    offset: int
    layout: Layout


class Columns(NamedTuple):
    """The points of records of one layout, and which of the records are sound."""

    steps: np.ndarray
    wall_times: np.ndarray
    values: np.ndarray
    sound: np.ndarray


class Layouts:
    """The layouts of the records met so far; another file of the same trainer has the same ones."""

    MOST_OF_A_SIZE, MOST_SIZES = 16, 256

    def __init__(self) -> None:
        self._by_size: dict[int, list[Layout]] = {}

    def of(self, data: bytes, position: int, size: int) -> Layout | None:
        """Return the layout of the record at `position` with a payload of so many bytes; None if it has none."""
        record = int.from_bytes(data[position : position + FRAME_BYTES + size], "little")
        known = self._by_size.get(size, [])
        for layout in known:
            if record & layout.same_bits == layout.pattern:
                return layout
        made = layout_of(data, position, size)
        if made is not None and len(known) < self.MOST_OF_A_SIZE:
            if len(self._by_size) >= self.MOST_SIZES:
                self._by_size.clear()
            self._by_size.setdefault(size, []).append(made)
        return made


def layout_of(data: bytes, position: int, size: int) -> Layout | None:
    """Return the layout of the record at `position`; None for one that is damaged, or is no single scalar."""
    start, end = position + HEADER.size, position + HEADER.size + size
    if size > REACH or not sound(data, start, end):
        return None
    try:
        values = decode(data, start, end).values
        if values is None or len(values) != 1 or type(values[0][1]) is not float:
            return None
        found = _places(data, start, end)
    except (ValueError, IndexError, struct.error):
        return None
    return None if found is None else _layout(values[0][0], data[position : end + FOOTER_BYTES], position, found)


def _layout(tag: str, record: bytes, position: int, places: Places) -> Layout:
    wall_time, (step, step_end), value, value_type, value_bytes = places
    varying = [
        *range(wall_time, wall_time + WALL_TIME_BYTES),
        *range(step, step_end),
        *range(value, value + value_bytes),
    ]
    columns = [at - position for at in varying]
    last = len(record) - FOOTER_BYTES - 1
    same = np.full(len(record), 0xFF, np.uint8)
    same[columns] = 0
    same[-FOOTER_BYTES:] = 0
    # The bits that tell how long the step is: a longer one makes another layout.
    same[step - position : step_end - position] = 0x80
    same_bits = int.from_bytes(same.tobytes(), "little")
    return Layout(
        tag=tag,
        wall_time=wall_time - position,
        value=value - position,
        step_bytes=step_end - step,
        value_type=value_type,
        same=same,
        same_bits=same_bits,
        pattern=int.from_bytes(record, "little") & same_bits,
        varying=np.array(columns),
        bases=np.array([(last - at) * 256 for at in columns])[:, None],
        rest=_rest(record[HEADER.size : -FOOTER_BYTES], [at - HEADER.size for at in columns]),
    )


def _rest(payload: bytes, varying: list[int]) -> int:
    table, rest = contributions(), crc32c(payload)
    for at in varying:
        rest ^= int(table[(len(payload) - 1 - at) * 256 + payload[at]])
    return rest


Places = tuple[int, Span, int, str, int]


def _places(data: bytes, start: int, end: int) -> Places | None:
    """Where a scalar's record has its wall time, its step, its value, of what type and how many bytes."""
    wall_times, steps, summaries = [], [], []
    before = start
    for number, kind, first, last in fields(data, ((start, end),)):
        if number == 1 and kind == FIXED64:
            wall_times.append(first)
        elif number == 2 and kind == VARINT:
            if data[before] != STEP_KEY:
                return None
            steps.append((before + 1, last))
        elif number == SUMMARY and kind == BYTES:
            summaries.append((first, last))
        elif 3 <= number <= 9:
            return None
        before = last
    if len(wall_times) != 1 or len(steps) > 1 or len(summaries) != 1:
        return None
    # Without one it is 0.
    step = steps[0] if steps else (start, start)
    value = _value(data, summaries[0])
    return None if value is None or step[1] - step[0] > MOST_STEP_BYTES else (wall_times[0], step, *value)


def _value(data: bytes, summary: Span) -> tuple[int, str, int] | None:
    """Where the number is in a summary that has a single value, encoded once."""
    values = [(first, last) for number, kind, first, last in fields(data, (summary,)) if number == 1 and kind == BYTES]
    found = [one for one in fields(data, values) if SIMPLE_VALUE <= one[0] <= TENSOR and one[0] != 7]
    if len(values) != 1 or len(found) != 1:
        return None
    number, kind, first, last = found[0]
    if number == SIMPLE_VALUE and kind == FIXED32:
        return first, *FLOATS[1]
    return _number(data, (first, last)) if number == TENSOR and kind == BYTES else None


def _number(data: bytes, tensor: Span) -> tuple[int, str, int] | None:
    """Where the number is in a tensor that has one of a floating type, as bytes or as a list of one."""
    parts = list(fields(data, (tensor,)))
    dtypes = [first for number, kind, first, _ in parts if number == 1 and kind == VARINT]
    numbers = [one for one in parts if one[0] >= 4]
    if len(dtypes) != 1 or dtypes[0] not in FLOATS or len(numbers) != 1:
        return None
    value_type, size = FLOATS[dtypes[0]]
    number, kind, first, last = numbers[0]
    listed = number == LISTS[dtypes[0]] and kind in (BYTES, FIXED32, FIXED64)
    content = number == 4 and kind == BYTES
    return (first, value_type, size) if (content or listed) and last - first == size else None


def columns_of(rows: np.ndarray, slots: Sequence[Slot]) -> Iterator[tuple[Slot, Columns]]:
    """Yield what the records in some slots of each row say; slots alike in all but their tags are read together."""
    alike: dict[tuple[int, int, str], list[Slot]] = {}
    for slot in slots:
        kind = len(slot.layout.varying), slot.layout.step_bytes, slot.layout.value_type
        alike.setdefault(kind, []).append(slot)
    for (width, step_bytes, value_type), some in alike.items():
        places = np.concatenate([slot.layout.varying + slot.offset for slot in some])
        bases = np.concatenate([slot.layout.bases for slot in some])
        # By slot, by byte, by row: what is combined lies side by side.
        varying = rows.T[places].reshape(len(some), width, len(rows))
        contributed = contributions()[varying.reshape(-1, len(rows)) + bases].reshape(varying.shape)
        rests = np.array([[slot.layout.rest] for slot in some], np.uint32)
        sums = masked(np.bitwise_xor.reduce(contributed, axis=1) ^ rests)
        steps = _steps(varying[:, WALL_TIME_BYTES : WALL_TIME_BYTES + step_bytes])
        for index, (offset, layout) in enumerate(some):
            wall_times = _numbers(rows, offset + layout.wall_time, "<f8").astype(np.float64)
            values = _numbers(rows, offset + layout.value, value_type).astype(np.float64)
            stored = _numbers(rows, offset + len(layout.same) - FOOTER_BYTES, "<u4")
            yield some[index], Columns(steps[index], wall_times, values, sums[index] == stored)


def _numbers(rows: np.ndarray, at: int, kind: str) -> np.ndarray:
    return rows[:, at : at + int(kind[-1])].view(kind)[:, 0]


def _steps(varints: np.ndarray) -> np.ndarray:
    """The numbers of which the second dimension has seven bits each, the lowest first."""
    steps = np.zeros((len(varints), varints.shape[2]), np.int64)
    for part in range(varints.shape[1] - 1, -1, -1):
        steps <<= 7
        steps |= varints[:, part] & 0x7F
    return steps
