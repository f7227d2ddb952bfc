"""Points as bytes: rows while they come, columns once many are there. The first byte says which.

Rows are 24 bytes each, little-endian step (int64), wall time and value (float64): appending is concatenation. Columns
are for keeping: the differences of steps, the differences of wall times as bit patterns, and values as float32 where
that loses nothing; each column is cut into planes (the first bytes of all numbers, the second bytes, ...), of which
those that compress are compressed. Both give back every bit.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby
from operator import sub
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessions.metrics.events import Point

ROWS, COLUMNS = 1, 2
ROW_BYTES = 24
# Kind, flags, number of points, and by bit which planes are stored as they are.
HEAD = struct.Struct("<BBII")
STEP_DIFFERENCES, TIME_DIFFERENCES, SINGLE_VALUES = 1, 2, 4
# A plane that zlib makes hardly smaller is noise: as it is, it costs no time to read.
WORTH_COMPRESSING = 0.9
LEVEL = 1
# From here on numpy is worth the memory it takes to load.
MANY = 20_000
NO_POINTS = "These bytes are no packed points."


@dataclass(frozen=True)
class Points:
    """Points of one series; the three columns are equally long: lists, `array`s or numpy arrays."""

    steps: Sequence[int]
    wall_times: Sequence[float]
    values: Sequence[float]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> Points:
        """Return a stretch of the points."""
        return Points(self.steps[part], self.wall_times[part], self.values[part])

    def lists(self) -> Points:
        """Return the points with lists of plain numbers as columns."""
        return Points(*(column if isinstance(column, list) else _listed(column) for column in self._columns()))

    def _columns(self) -> tuple[Sequence[Any], ...]:
        return self.steps, self.wall_times, self.values


def _listed(column: Any) -> list[Any]:
    return list(column.tolist()) if hasattr(column, "tolist") else list(column)


def columns(points: Iterable[Point]) -> Points:
    """Return single points, of whatever tags, as columns: `array`s of int64 and float64."""
    rows = list(points)
    return Points(
        array("q", [point.step for point in rows]),
        array("d", [point.wall_time for point in rows]),
        array("d", [point.value for point in rows]),
    )


def pack(points: Points) -> bytes:
    """Return the points as rows."""
    rows = array("q", bytes(ROW_BYTES * len(points)))
    rows[0::3] = _array("q", points.steps)
    rows[1::3] = _bits(_array("d", points.wall_times))
    rows[2::3] = _bits(_array("d", points.values))
    return bytes([ROWS]) + _bytes(rows)


def extended(data: bytes, points: Points) -> bytes:
    """Return rows with further points behind them; raises ValueError when `data` is not rows."""
    if not is_rows(data):
        raise ValueError("Points can only be appended to rows.")
    return data + pack(points)[1:]


def is_rows(data: bytes) -> bool:
    return data[0] == ROWS


def compress(points: Points) -> bytes:
    """Return the points as compressed columns."""
    steps, times = _array("q", points.steps), _bits(_array("d", points.wall_times))
    values = _array("d", points.values)
    singles = array("f", values)
    flags, planes = 0, []
    for flag, column in ((STEP_DIFFERENCES, steps), (TIME_DIFFERENCES, times)):
        differences = _differences(column)
        flags |= flag if differences else 0
        planes += _planes(differences or column)
    if array("d", singles).tobytes() == values.tobytes():
        flags |= SINGLE_VALUES
        planes += _planes(singles)
    else:
        planes += _planes(values)
    plain = [len(zlib.compress(plane, LEVEL)) > WORTH_COMPRESSING * len(plane) for plane in planes]
    mask = sum(1 << number for number, one in enumerate(plain) if one)
    kept = b"".join(plane for plane, one in zip(planes, plain, strict=True) if one)
    rest = b"".join(plane for plane, one in zip(planes, plain, strict=True) if not one)
    return HEAD.pack(COLUMNS, flags, len(points), mask) + kept + zlib.compress(rest, LEVEL)


def unpack(data: bytes) -> Points:
    """Return packed points as lists; raises ValueError when the bytes are not packed points."""
    if _kind(data) == ROWS:
        words = array("q")
        words.frombytes(data[1:])
        words = _swapped(words)
        return Points(words[0::3].tolist(), _doubles(words[1::3]).tolist(), _doubles(words[2::3]).tolist())
    flags, count, planes = _read_columns(data)
    steps = _joined("q", planes[:8], count)
    times = _joined("q", planes[8:16], count)
    if flags & STEP_DIFFERENCES:
        steps = array("q", accumulate(steps))
    if flags & TIME_DIFFERENCES:
        times = array("q", accumulate(times))
    values = _joined("f" if flags & SINGLE_VALUES else "d", planes[16:], count)
    return Points(steps.tolist(), _doubles(times).tolist(), values.tolist())


def unpack_all(parts: Sequence[bytes]) -> Points:
    """Return the points of all parts, one after the other: as lists, or as numpy arrays when they are many."""
    if sum(map(count_of, parts)) >= MANY:
        return _unpack_many(parts)
    return joined([unpack(part) for part in parts])


def joined(parts: Sequence[Points]) -> Points:
    """Return the points of all parts, one after the other: as numpy arrays when one of them is, else as lists."""
    sides = list(zip(*((one.steps, one.wall_times, one.values) for one in parts), strict=True)) or [(), (), ()]
    if any(hasattr(steps, "astype") for steps in sides[0]):
        import numpy as np

        return Points(*(np.concatenate(side) for side in sides))
    return Points(*(list(chain.from_iterable(side)) for side in sides))


def count_of(data: bytes) -> int:
    """Return the number of packed points."""
    return (len(data) - 1) // ROW_BYTES if _kind(data) == ROWS else int(HEAD.unpack_from(data)[2])


def _kind(data: bytes) -> int:
    kind = data[0] if data else 0
    if (kind == COLUMNS and len(data) >= HEAD.size) or (kind == ROWS and len(data) % ROW_BYTES == 1):
        return kind
    raise ValueError(NO_POINTS)


def _read_columns(data: bytes) -> tuple[int, int, list[bytes]]:
    """Return flags, number of points and the planes of all columns."""
    _, flags, count, mask = HEAD.unpack_from(data)
    number = 16 + (4 if flags & SINGLE_VALUES else 8)
    plain = [bool(mask >> plane & 1) for plane in range(number)]
    end = HEAD.size + count * sum(plain)
    rest = _decompressed(data[end:], count * (number - sum(plain)))
    kept = iter(range(HEAD.size, end, count or 1))
    packed = iter(range(0, len(rest), count or 1))
    planes = []
    for one in plain:
        source, start = (data, next(kept, 0)) if one else (rest, next(packed, 0))
        planes.append(source[start : start + count])
    return flags, count, planes


def _decompressed(data: bytes, size: int) -> bytes:
    try:
        found = zlib.decompress(data, bufsize=max(1, size))
    except zlib.error:
        raise ValueError(NO_POINTS) from None
    if len(found) != size:
        raise ValueError(NO_POINTS)
    return found


def _unpack_many(parts: Sequence[bytes]) -> Points:
    import numpy as np

    row = np.dtype([("step", "<i8"), ("time", "<f8"), ("value", "<f8")])
    found: list[Points] = []
    for kind, some in groupby(parts, key=_kind):
        if kind == ROWS:
            rows: Any = np.frombuffer(b"".join(memoryview(part)[1:] for part in some), row)
            found.append(Points(rows["step"], rows["time"], rows["value"]))
        else:
            found += map(_columns_of, some)
    return joined(found)


def _columns_of(data: bytes) -> Points:
    import numpy as np

    flags, count, planes = _read_columns(data)

    def joined(some: list[bytes], kind: str) -> Any:
        table = np.empty((count, len(some)), np.uint8)
        for number, plane in enumerate(some):
            table[:, number] = np.frombuffer(plane, np.uint8)
        return table.reshape(-1).view(kind)

    steps, times = joined(planes[:8], "<i8"), joined(planes[8:16], "<i8")
    if flags & STEP_DIFFERENCES:
        steps = np.cumsum(steps)
    if flags & TIME_DIFFERENCES:
        times = np.cumsum(times)
    values = joined(planes[16:], "<f4" if flags & SINGLE_VALUES else "<f8").astype("<f8")
    return Points(steps, times.view("<f8"), values)


def _array(code: str, column: Any) -> array[Any]:
    if isinstance(column, array) and column.typecode == code:
        return column
    if hasattr(column, "astype"):  # a numpy array
        return array(code, column.astype(code).tobytes())
    return array(code, column)


def _bits(doubles: array[float]) -> array[int]:
    return array("q", doubles.tobytes())


def _doubles(bits: array[int]) -> array[float]:
    return array("d", bits.tobytes())


def _differences(column: array[int]) -> array[int] | None:
    """The first number and what each further one adds; None where a difference has no room in 64 bits."""
    try:
        return array("q", chain(column[:1], map(sub, column[1:], column)))
    except OverflowError:
        return None


def _planes(column: array[Any]) -> list[bytes]:
    data = _bytes(column)
    return [data[number :: column.itemsize] for number in range(column.itemsize)]


def _joined(code: str, planes: list[bytes], count: int) -> array[Any]:
    data = bytearray(count * len(planes))
    for number, plane in enumerate(planes):
        data[number :: len(planes)] = plane
    return _swapped(array(code, bytes(data)))


def _bytes(column: array[Any]) -> bytes:
    return _swapped(array(column.typecode, column)).tobytes() if sys.byteorder == "big" else column.tobytes()


def _swapped(column: array[Any]) -> array[Any]:
    """The column between this machine's order of bytes and little-endian."""
    if sys.byteorder == "big":
        column.byteswap()
    return column
