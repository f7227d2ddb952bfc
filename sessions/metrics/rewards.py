"""The rewards of episodes, out of the histograms that ML-Agents writes beside every mean since its release 18 (0.24).

A HistogramProto keeps the exact number of values (field 3), their sum (4), the sum of their squares (5) and their
extremes (1 and 2), all as doubles; its buckets are not needed here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sessions.domain.crc32c import masked_crc32c
from sessions.domain.evaluation import Rewards

TAGS = {"Environment/Cumulative Reward_hist": "reward", "Environment/Group Cumulative Reward_hist": "group_reward"}
HEADER = struct.Struct("<QI")
FOOTER = struct.Struct("<I")
DOUBLE = struct.Struct("<d")
MOST_BYTES = 4 * 1024 * 1024
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_rewards(path: Path, offset: int) -> tuple[list[tuple[str, Rewards]], int]:
    """Return "reward" or "group_reward" and the rewards of each summary from byte `offset` on, and where to go on.

    A record that is not whole yet is left for the next call; a damaged one is passed over.
    """
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(MOST_BYTES)
    found: list[tuple[str, Rewards]] = []
    position = 0
    while position + HEADER.size <= len(data):
        length, checksum = HEADER.unpack_from(data, position)
        if masked_crc32c(data[position : position + 8]) != checksum:
            break
        begin, end = position + HEADER.size, position + HEADER.size + length
        if end + FOOTER.size > len(data):
            break
        found += _sound(data[begin:end], FOOTER.unpack_from(data, end)[0])
        position = end + FOOTER.size
    return found, offset + position


def _sound(payload: bytes, checksum: int) -> list[tuple[str, Rewards]]:
    if b"Cumulative Reward_hist" not in payload or masked_crc32c(payload) != checksum:
        return []
    try:
        return list(_event(payload))
    except (ValueError, IndexError, OverflowError, struct.error):
        return []


def _event(payload: bytes) -> Iterator[tuple[str, Rewards]]:
    for summary in _blocks(payload, 5):
        for value in _blocks(summary, 1):
            tags = [TAGS.get(one.decode("utf-8", "replace")) for one in _blocks(value, 1)]
            for histogram in _blocks(value, 5):
                if tags and tags[0] is not None:
                    yield tags[0], _rewards(histogram)


def _blocks(data: bytes, wanted: int) -> Iterator[bytes]:
    return (value for number, kind, value in _fields(data) if (number, kind) == (wanted, BYTES))


def _rewards(histogram: bytes) -> Rewards:
    doubles = {number: DOUBLE.unpack(value)[0] for number, kind, value in _fields(histogram) if kind == FIXED64}
    return Rewards(
        episodes=int(doubles.get(3, 0.0)),
        total=doubles.get(4, 0.0),
        squares=doubles.get(5, 0.0),
        lowest=doubles.get(1, 0.0),
        highest=doubles.get(2, 0.0),
    )


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    position = 0
    while position < len(data):
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
        if position + length > len(data):
            raise ValueError("a field is longer than its message")
        yield number, kind, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number is too long")
