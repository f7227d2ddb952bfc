"""Reading TensorBoard's event files: resumable, in bounded memory, never ahead of what is whole.

A record is a length (uint64), the masked CRC-32C of the length, the payload, and the payload's masked CRC-32C. The
payload is a protobuf `Event`: 1 wall_time (double), 2 step (varint), 5 summary; a summary's values are field 1 with
1 tag, 2 simple_value (float), 8 tensor. Only scalars are kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sessions.domain.crc32c import masked_crc32c
from sessions.domain.numbers import natural
from sessions.metrics.codec import Points, columns

HEADER = struct.Struct("<QI")
FOOTER_BYTES = 4
MAX_PAYLOAD = 64 * 1024 * 1024
FLOAT32, FLOAT64 = struct.Struct("<f"), struct.Struct("<d")
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Point:
    """A scalar as TensorBoard reads it: float32 values widened to float."""

    tag: str
    step: int
    wall_time: float
    value: float


@dataclass(frozen=True)
class Histogram:
    """A distribution as TensorBoard shows it: `buckets` holds left edge, right edge and count of each, in a row."""

    tag: str
    step: int
    wall_time: float
    buckets: Sequence[float]


@dataclass(frozen=True)
class Text:
    """A text that a trainer wrote down, such as its hyperparameters; several strings are joined by newlines."""

    tag: str
    step: int
    wall_time: float
    text: str


@dataclass(frozen=True)
class Order:
    """What TensorBoard's rules for restarted steps must know of what was read before, in this file or an earlier one.

    `version` is that of the file format (0 when no file told it), `last_step` the step that steps are compared with.
    """

    version: float = 0.0
    last_step: int = -1


@dataclass(frozen=True)
class Batch:
    """What was read: points by tag in file order, the offset behind the last whole record, damaged records passed over.

    `cuts` are restarts: of what was read before this batch, points of a tag with this step or a larger one no longer
    count; under None stands the step for all tags. The batch's own points are cut already. `order` is handed to the
    next call.
    """

    points: dict[str, Points]
    next_offset: int
    skipped: int = 0
    histograms: list[Histogram] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    cuts: dict[str | None, int] = field(default_factory=dict)
    order: Order = Order()


def event_files(folder: Path) -> list[Path]:
    """Return a folder's event files in the order they were begun (the time is part of the name)."""
    try:
        found = [path for path in folder.iterdir() if ".tfevents." in path.name and path.is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda path: (begun(path), path.name))


def begun(path: Path) -> int:
    """Return when an event file was begun, in seconds since the epoch; 0 when its name does not say."""
    stamp = path.name.partition(".tfevents.")[2].split(".")[0]
    return natural(stamp, most_digits=19) or 0


def read_events(path: Path, offset: int, *, limit_bytes: int = 4 * 1024 * 1024, order: Order = Order()) -> Batch:
    """Return what is written from byte `offset` on, about `limit_bytes` of it; nothing new when `next_offset` stays.

    `order` is that of the batch before, of this file or of the run's file before it.

    A record that is not whole yet is left for the next call. A record whose length is damaged ends the file for good:
    nothing behind it can be found. A payload that is damaged is passed over and counted.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(limit_bytes)
            if len(data) >= HEADER.size:
                length, _ = HEADER.unpack_from(data)
                whole = HEADER.size + length + FOOTER_BYTES
                if len(data) < whole and length <= MAX_PAYLOAD:
                    data += file.read(whole - len(data))
    except OSError:
        return Batch({}, offset, order=order)
    return _records(data, offset, order)


def _records(data: bytes, offset: int, order: Order) -> Batch:
    points: list[Point] = []
    position = skipped = 0
    while position + HEADER.size <= len(data):
        length, crc = HEADER.unpack_from(data, position)
        if masked_crc32c(data[position : position + 8]) != crc:
            break
        end = position + HEADER.size + length
        if end + FOOTER_BYTES > len(data):
            break
        try:
            points += list(_event(data[position + HEADER.size : end]))
        except (ValueError, IndexError, struct.error):
            skipped += 1
        position = end + FOOTER_BYTES
    by_tag: dict[str, list[Point]] = {}
    for point in points:
        by_tag.setdefault(point.tag, []).append(point)
    return Batch({tag: columns(of) for tag, of in by_tag.items()}, offset + position, skipped, order=order)


def _event(payload: bytes) -> Iterator[Point]:
    wall_time, step, summary = 0.0, 0, b""
    for number, kind, value in _fields(payload):
        if number == 1 and kind == FIXED64:
            wall_time = FLOAT64.unpack(value)[0]
        elif number == 2 and kind == VARINT:
            step = _signed(value)
        elif number == 5 and kind == BYTES:
            summary = value
    for number, kind, value in _fields(summary):
        if number == 1 and kind == BYTES and (scalar := _scalar(value)) is not None:
            yield Point(scalar[0], step, wall_time, scalar[1])


def _scalar(payload: bytes) -> tuple[str, float] | None:
    tag, found = "", None
    for number, kind, value in _fields(payload):
        if number == 1 and kind == BYTES:
            tag = value.decode("utf-8")
        elif number == 2 and kind == FIXED32:
            found = FLOAT32.unpack(value)[0]
        elif number == 8 and kind == BYTES:
            found = _tensor(value)
    return (tag, found) if found is not None else None


DTYPES = {1: "f", 2: "d", 3: "i", 9: "q"}
LISTS = {5: (FIXED32, "f"), 6: (FIXED64, "d")}


def _tensor(payload: bytes) -> float | None:
    """The value of a tensor that holds a single number."""
    dtype, content, values = 0, b"", []
    for number, kind, value in _fields(payload):
        if number == 1 and kind == VARINT:
            dtype = value
        elif number == 4 and kind == BYTES:
            content = value
        elif number in LISTS and kind in (BYTES, LISTS[number][0]):
            values += _unpacked(value, LISTS[number][1])
        elif number in (7, 10) and kind in (BYTES, VARINT):
            values += _integers(value) if kind == BYTES else [_signed(value)]
    code = DTYPES.get(dtype)
    if code and content:
        values = _unpacked(content, code)
    return float(values[0]) if code and len(values) == 1 else None


def _unpacked(data: bytes, code: str) -> list[float]:
    size = struct.calcsize(code)
    return list(struct.unpack(f"<{len(data) // size}{code}", data))


def _integers(data: bytes) -> list[float]:
    values: list[float] = []
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        values.append(_signed(value))
    return values


def _signed(value: int) -> int:
    return value if value < 1 << 63 else value - (1 << 64)


def _fields(data: bytes):  # type: ignore[no-untyped-def]
    """Yield number, wire type and value of each field; raises ValueError or IndexError for what is no protobuf."""
    position, size = 0, len(data)
    while position < size:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(data, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, position = _varint(data, position)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError("unknown wire type")
        if position + length > size:
            raise ValueError("a field is longer than its message")
        yield number, kind, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
