"""The events in event files: what one record says, as TensorBoard understands it.

An `Event` is: 1 wall_time (double), 2 step (varint) and one of 3 file_version, 5 summary, 7 session_log and others. A
summary's values are its field 1, each with 1 tag, 9 metadata (1 plugin_data: 1 plugin_name) and one of 2 simple_value
(float), 5 histo, 8 tensor and others. Of several that exclude one another the last counts, as in protobuf.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from sessions.metrics.wire import BYTES, FIXED32, FIXED64, VARINT, Span, fields, signed, varints

FLOAT32, FLOAT64, HALF = struct.Struct("<f"), struct.Struct("<d"), struct.Struct("<e")
FILE_VERSION, SUMMARY, SESSION_LOG = 3, 5, 7
SIMPLE_VALUE, HISTO, TENSOR = 2, 5, 8
# The members of a value that exclude one another.
KINDS = frozenset({2, 3, 4, 5, 6, 8})
SESSION_START = 1
# More than this is no histogram that anybody could look at, and no event that anybody writes.
MOST_BUCKETS = 10_000
MOST_VALUES = 10_000
MOST_TEXT = 64 * 1024

STRING, HALF_DTYPE, BFLOAT16 = 7, 19, 14
# TensorFlow's data types: their code in `struct`, and the field of a tensor that lists them.
CODES = {1: "f", 2: "d", 3: "i", 4: "B", 5: "h", 6: "b", 9: "q", 10: "?", 14: "H", 17: "H", 19: "e", 22: "I", 23: "Q"}
LISTS = {1: 5, 2: 6, 3: 7, 4: 7, 5: 7, 6: 7, 9: 10, 10: 11, 14: 13, 17: 7, 19: 13, 22: 16, 23: 17}
UNSIGNED = frozenset({16, 17})
PACKED = {5: (FIXED32, "f"), 6: (FIXED64, "d")}


class Moments(NamedTuple):
    """What a HistogramProto says of its values beside the buckets, exactly."""

    least: float = 0.0
    most: float = 0.0
    number: float = 0.0
    total: float = 0.0
    squares: float = 0.0


class Distribution(NamedTuple):
    """A histogram: left edge, right edge and count of its buckets, in a row; one from a tensor has no moments."""

    buckets: array[float]
    moments: Moments | None = None


# A scalar, a histogram, a text, or something else that is not kept.
Value = float | Distribution | str | None


class Event(NamedTuple):
    """One record; `values` are those of its summary by tag, None where it has none."""

    wall_time: float
    step: int
    version: str | None
    started: bool
    values: list[tuple[str, Value]] | None


@dataclass
class Tensor:
    """What is needed of a tensor; `numbers` are its values when it has at most as many as were asked for."""

    dtype: int = 0
    shape: list[int] = field(default_factory=list)
    content: Span = (0, 0)
    numbers: list[float] = field(default_factory=list)
    strings: list[Span] = field(default_factory=list)


def decode(data: bytes, start: int, end: int) -> Event:
    """Return what the payload between `start` and `end` says.

    Raises ValueError, IndexError or struct.error for one that is no event, or has more than MOST_VALUES values.
    """
    wall_time, step, what = 0.0, 0, 0
    parts: list[Span] = []
    for number, kind, first, last in fields(data, ((start, end),)):
        if number == 2 and kind == VARINT:
            step = signed(first)
        elif number == 1 and kind == FIXED64:
            (wall_time,) = FLOAT64.unpack_from(data, first)
        elif 3 <= number <= 9 and kind == BYTES:
            if number != what:
                what, parts = number, []
            parts.append((first, last))
    values = _values(data, parts) if what == SUMMARY else None
    version = data[slice(*parts[-1])].decode("utf-8") if what == FILE_VERSION else None
    return Event(wall_time, step, version, what == SESSION_LOG and _started(data, parts), values)


def _started(data: bytes, parts: list[Span]) -> bool:
    status = 0
    for number, kind, value, _ in fields(data, parts):
        if number == 1 and kind == VARINT:
            status = value
    return status == SESSION_START


def _values(data: bytes, parts: list[Span]) -> list[tuple[str, Value]]:
    values: list[tuple[str, Value]] = []
    for number, kind, first, last in fields(data, parts):
        if number == 1 and kind == BYTES:
            if len(values) == MOST_VALUES:
                raise ValueError("more values than an event has")
            values.append(_value(data, first, last))
    return values


def _value(data: bytes, start: int, end: int) -> tuple[str, Value]:
    tag = node = b""
    what = 0
    parts: list[Span] = []
    metadata: list[Span] = []
    for number, kind, first, last in fields(data, ((start, end),)):
        if number == 1 and kind == BYTES:
            tag = data[first:last]
        elif number in KINDS and kind == (FIXED32 if number == SIMPLE_VALUE else BYTES):
            if number != what:
                what, parts = number, []
            parts.append((first, last))
        elif number == 7 and kind == BYTES:
            node = data[first:last]
        elif number == 9 and kind == BYTES:
            metadata.append((first, last))
    # Names that are no UTF-8 make it no event; old writers named a tensor by its node.
    name, node_name = tag.decode("utf-8"), node.decode("utf-8")
    if what == SIMPLE_VALUE:
        return name, FLOAT32.unpack_from(data, parts[-1][0])[0]
    if what == HISTO:
        return name, _histogram(data, parts)
    if what == TENSOR:
        return name or node_name, _of_tensor(data, parts, _plugin(data, metadata))
    return name, None


def _plugin(data: bytes, metadata: list[Span]) -> bytes:
    """The name of the plugin that a value is for; empty when it does not say."""
    plugin = b""
    for number, kind, *span in fields(data, metadata):
        if number == 1 and kind == BYTES:
            for inner, inner_kind, first, last in fields(data, ((span[0], span[1]),)):
                if inner == 1 and inner_kind == BYTES:
                    plugin = data[first:last]
    return plugin


def _histogram(data: bytes, parts: list[Span]) -> Distribution | None:
    """The buckets of a HistogramProto as TensorBoard shows them: empty ends left out, smallest and largest as edges."""
    told = [0.0] * len(Moments._fields)
    limits: list[float] = []
    counts: list[float] = []
    for number, kind, first, last in fields(data, parts):
        if number <= len(told) and kind == FIXED64:
            (told[number - 1],) = FLOAT64.unpack_from(data, first)
        elif number in (6, 7) and kind in (BYTES, FIXED64):
            (limits if number == 6 else counts).extend(_unpacked(data, first, last, "d", MOST_BUCKETS))
        if len(limits) > MOST_BUCKETS or len(counts) > MOST_BUCKETS:
            return None
    filled = [index for index, count in enumerate(counts) if count > 0]
    if not filled or len(limits) < filled[-1]:
        return None if filled else Distribution(array("d"), Moments(*told))
    first, last = filled[0], filled[-1]
    moments = Moments(*told)
    edges = [moments.least, *limits[first:last], moments.most]
    rows = zip(edges, edges[1:], counts[first : last + 1], strict=False)
    return Distribution(array("d", [one for row in rows for one in row]), moments)


def _of_tensor(data: bytes, parts: list[Span], plugin: bytes) -> Value:
    if plugin == b"text":
        return _text(data, _tensor(data, parts, 0))
    if plugin == b"histograms":
        tensor = _tensor(data, parts, 3 * MOST_BUCKETS)
        rows = tensor.shape[0] if len(tensor.shape) == 2 and tensor.shape[1] == 3 else -1
        return Distribution(array("d", tensor.numbers)) if len(tensor.numbers) == 3 * rows else None
    if plugin not in (b"", b"scalars"):
        return None
    tensor = _tensor(data, parts, 1)
    single = len(tensor.numbers) == 1 and all(size == 1 for size in tensor.shape)
    return float(tensor.numbers[0]) if single else None


def _text(data: bytes, tensor: Tensor) -> str | None:
    if tensor.dtype != STRING or not tensor.strings:
        return None
    return b"\n".join(data[slice(*span)] for span in tensor.strings)[:MOST_TEXT].decode("utf-8", "replace")


def _tensor(data: bytes, parts: list[Span], most: int) -> Tensor:
    """Return a tensor; of more than `most` numbers a few more than that."""
    tensor = Tensor()
    listed: list[tuple[int, int, int, int]] = []
    for number, kind, first, last in fields(data, parts):
        if number == 1 and kind == VARINT:
            tensor.dtype = first
        elif number == 2 and kind == BYTES:
            tensor.shape += _shape(data, first, last)
        elif number == 4 and kind == BYTES:
            tensor.content = (first, last)
        elif number == 8 and kind == BYTES and len(tensor.strings) < MOST_BUCKETS:
            tensor.strings.append((first, last))
        elif number >= 5 and len(listed) <= most:
            listed.append((number, kind, first, last))
    tensor.numbers = _numbers(data, tensor, listed, most) if most and tensor.dtype in CODES else []
    return tensor


def _shape(data: bytes, start: int, end: int) -> Iterator[int]:
    for number, kind, *span in fields(data, ((start, end),)):
        if number == 2 and kind == BYTES:
            size = 0
            for inner, inner_kind, value, _ in fields(data, ((span[0], span[1]),)):
                if inner == 1 and inner_kind == VARINT:
                    size = signed(value)
            yield size


def _numbers(data: bytes, tensor: Tensor, listed: list[tuple[int, int, int, int]], most: int) -> list[float]:
    dtype = tensor.dtype
    if tensor.content[1] > tensor.content[0]:
        values = _unpacked(data, *tensor.content, CODES[dtype], most + 1)
        return [_bfloat16(int(bits)) for bits in values] if dtype == BFLOAT16 else values
    values = []
    for number, kind, first, last in listed:
        if number != LISTS[dtype] or len(values) > most:
            continue
        if number in PACKED and kind in (BYTES, PACKED[number][0]):
            values += _unpacked(data, first, last, PACKED[number][1], most + 1)
        elif number not in PACKED and kind in (BYTES, VARINT):
            integers = [first] if kind == VARINT else islice(varints(data, (first, last)), most + 1)
            values += [_integer(value, dtype) for value in integers]
    return values


def _integer(value: int, dtype: int) -> float:
    if dtype == HALF_DTYPE:
        return float(HALF.unpack((value & 0xFFFF).to_bytes(2, "little"))[0])
    if dtype == BFLOAT16:
        return _bfloat16(value & 0xFFFF)
    return value if LISTS[dtype] in UNSIGNED else signed(value)


def _bfloat16(bits: int) -> float:
    return float(FLOAT32.unpack((bits << 16).to_bytes(4, "little"))[0])


def _unpacked(data: bytes, start: int, end: int, code: str, most: int) -> list[float]:
    """At most so many numbers of one kind, packed; raises struct.error for bytes that are no multiple of one."""
    size = struct.calcsize("<" + code)
    if (end - start) % size:
        raise ValueError("numbers that are not whole")
    return list(struct.unpack_from(f"<{min(most, (end - start) // size)}{code}", data, start))
