"""CRC-32C of many pieces of data at once, with numpy.

The checksum is linear over the bits of its data: that of a record is the exclusive or of what each of its bytes
contributes, which depends on the byte and on its distance from the end, and of a constant for its length. What a byte
contributes is looked up; what many records have in common is computed once.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from sessions.domain.crc32c import TABLE

# How far from the end of its piece a byte may be to be looked up.
REACH = 1024
MASK_DELTA = 0xA282EAD8
SEGMENT = 256
# The initial value of the checksum, all ones, falls on the first four bytes.
LEAST = 4
ROWS_AT_ONCE = 2048


@lru_cache(maxsize=1)
def contributions() -> np.ndarray:
    """Return what a byte contributes: at `distance * 256 + byte`, for distances from the last byte below REACH."""
    table = np.empty((REACH, 256), np.uint32)
    table[0] = TABLE
    for distance in range(1, REACH):
        before = table[distance - 1]
        table[distance] = table[0][before & 0xFF] ^ before >> 8
    return table.ravel()


def masked(sums: np.ndarray) -> np.ndarray:
    """Return checksums as the record format stores them."""
    return (sums >> 15 | sums << 17) + np.uint32(MASK_DELTA)


def windows(data: bytes, width: int) -> np.ndarray:
    """Return the stretch of so many bytes that begins at each byte of the data, without copying."""
    return np.ndarray((len(data) - width + 1, width), np.uint8, data, 0, (1, 1))


def checksums(data: bytes, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the CRC-32C of pieces of the data, each at least LEAST bytes long.

    Every piece is cut into segments of SEGMENT bytes, the first of them up to LEAST bytes longer than that or shorter.
    """
    further = (lengths - LEAST) // SEGMENT
    first_of = np.concatenate(([0], np.cumsum(further + 1)))
    piece = np.repeat(np.arange(len(starts)), further + 1)
    number = np.arange(first_of[-1]) - first_of[piece]
    ends = (starts + lengths)[piece] - (further[piece] - number) * SEGMENT
    sizes = np.where(number == 0, (lengths - further * SEGMENT)[piece], SEGMENT)
    parts = _of_segments(data, ends, sizes, number == 0)
    return _joined(parts, first_of)


def _of_segments(data: bytes, ends: np.ndarray, sizes: np.ndarray, first: np.ndarray) -> np.ndarray:
    width = SEGMENT + LEAST
    pieces = windows(bytes(width) + data, width)
    table, column = contributions(), np.arange(width)
    bases = ((width - 1 - column) * 256)[:, None]
    parts = np.empty(len(ends), np.uint32)
    for at in range(0, len(ends), ROWS_AT_ONCE):
        chunk = slice(at, at + ROWS_AT_ONCE)
        rows = pieces[ends[chunk]]
        before = column - (width - sizes[chunk])[:, None]
        rows[before < 0] = 0
        rows[(before >= 0) & (before < LEAST) & first[chunk, None]] ^= 0xFF
        parts[chunk] = np.bitwise_xor.reduce(table[rows.T + bases], axis=0)
    return parts


def _joined(parts: np.ndarray, first_of: np.ndarray) -> np.ndarray:
    """The checksum of each piece from those of its segments: what came before moves on by a segment's length."""
    table = contributions().reshape(REACH, 256)
    moved = [table[SEGMENT - 1 - byte].tolist() for byte in range(4)]
    segments, bounds = parts.tolist(), first_of.tolist()
    sums = []
    for start, end in pairwise(bounds):
        crc = segments[start]
        for part in segments[start + 1 : end]:
            crc = (
                moved[0][crc & 255] ^ moved[1][crc >> 8 & 255] ^ moved[2][crc >> 16 & 255] ^ moved[3][crc >> 24] ^ part
            )
        sums.append(crc ^ 0xFFFFFFFF)
    return np.array(sums, np.uint32)
