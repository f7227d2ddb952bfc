"""As much of the protobuf wire format as event files and ONNX models need.

Each function returns one encoded field; a message is the concatenation of its fields.
Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterable


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def integer(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<f", value)


def block(number: int, value: bytes | str) -> bytes:
    """Return bytes, a text or an encoded message as field `number`."""
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def doubles(number: int, values: Iterable[float]) -> bytes:
    return block(number, b"".join(struct.pack("<d", value) for value in values))
