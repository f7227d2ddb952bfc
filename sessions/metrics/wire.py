"""Protobuf as it is on the wire: the fields of a message, without its schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
MOST_SHIFT = 63

# Where a message, or a part of one, is in the data.
Span = tuple[int, int]


def fields(data: bytes, spans: Iterable[Span]) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type, and where the value begins and ends; of a varint its value stands in for the beginning.

    A message that came in several parts is merged, as protobuf wants it: the parts are read one after another.
    Raises ValueError or IndexError for what is no protobuf.
    """
    for position, end in spans:
        while position < end:
            key = data[position]
            position += 1
            if key > 0x7F:
                key, position = varint(data, position - 1)
            kind = key & 7
            if kind == VARINT:
                start, position = varint(data, position)
            elif kind == BYTES:
                size, start = varint(data, position)
                position = start + size
            elif kind in FIXED_BYTES:
                start, position = position, position + FIXED_BYTES[kind]
            else:
                raise ValueError("unknown wire type")
            if position > end or key < 8:
                raise ValueError("a field is longer than its message, or has no number")
            yield key >> 3, kind, start, position


def varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number that begins at `position`, without a sign, and where it ends."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > MOST_SHIFT:
            raise ValueError("a number is too long")


def varints(data: bytes, span: Span) -> Iterator[int]:
    """Yield the numbers of a packed list."""
    position, end = span
    while position < end:
        value, position = varint(data, position)
        if position > end:
            raise ValueError("a list is longer than its message")
        yield value


def signed(value: int) -> int:
    """Return a varint's value as an int32 or int64."""
    return value if value < 1 << 63 else value - (1 << 64)
