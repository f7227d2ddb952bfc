"""Packed points: 24 bytes each, little-endian step (int64), wall time and value (float64)."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sessions.metrics.events import Point

RECORD = struct.Struct("<qdd")


@dataclass(frozen=True)
class Points:
    """Points of one series; the three sequences are equally long."""

    steps: Sequence[int]
    wall_times: Sequence[float]
    values: Sequence[float]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> Points:
        """Return a stretch of the points."""
        return Points(self.steps[part], self.wall_times[part], self.values[part])


def columns(points: Iterable[Point]) -> Points:
    """Return single points, of whatever tags, as columns: `array`s of int64 and float64."""
    rows = list(points)
    return Points(
        array("q", [point.step for point in rows]),
        array("d", [point.wall_time for point in rows]),
        array("d", [point.value for point in rows]),
    )


def pack(points: Points) -> bytes:
    """Return the points one after another, 24 bytes each."""
    return b"".join(map(RECORD.pack, points.steps, points.wall_times, points.values))


def unpack(data: bytes) -> Points:
    """Return the points of packed data; raises struct.error unless its length is a multiple of 24."""
    rows = list(RECORD.iter_unpack(data))
    return Points([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def thin(points: Points, count: int) -> Points:
    """Return about `count` points that keep the first, the last, and smallest and largest of every stretch."""
    total = len(points.steps)
    if total <= count:
        return points
    buckets = max(1, (count - 2) // 2)
    chosen = {0, total - 1}
    for bucket in range(buckets):
        start, end = bucket * total // buckets, (bucket + 1) * total // buckets
        known = [index for index in range(start, end) if points.values[index] == points.values[index]]
        if known:
            chosen |= {min(known, key=points.values.__getitem__), max(known, key=points.values.__getitem__)}
    keep = sorted(chosen)
    return Points(
        [points.steps[index] for index in keep],
        [points.wall_times[index] for index in keep],
        [points.values[index] for index in keep],
    )
