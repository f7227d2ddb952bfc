"""Fewer points for the same curve: what a person would see of it is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sessions.metrics.codec import MANY, Points


def thin(points: Points, count: int) -> Points:
    """Return about `count` points: the first, the last, and of every stretch its smallest, its largest and its gap.

    A gap is a value that is no finite number: it breaks the line, so a stretch that has any keeps its first. Points
    that are few enough stay as they are; others come as lists. Many points are looked through by numpy, with the same
    result.
    """
    if len(points) <= count:
        return points
    keep = _chosen(points.values, count) if len(points) < MANY else _chosen_of_many(points.values, count)
    return Points(*(_picked(column, keep) for column in (points.steps, points.wall_times, points.values)))


def within(points: Points, first: int | None, last: int | None) -> Points:
    """Return the points whose step is at least `first` and at most `last`; None is no bound."""
    low, high = (-math.inf if first is None else first), (math.inf if last is None else last)
    columns: tuple[Any, ...] = (points.steps, points.wall_times, points.values)
    if hasattr(points.steps, "astype"):  # a numpy array
        chosen = (columns[0] >= low) & (columns[0] <= high)
        return Points(*(column[chosen] for column in columns))
    keep = [index for index, step in enumerate(points.steps) if low <= step <= high]
    return Points(*(_picked(column, keep) for column in columns))


def _picked(column: Any, keep: list[int]) -> list[Any]:
    if hasattr(column, "astype"):  # a numpy array
        return list(column[keep].tolist())
    return [column[index] for index in keep]


def _stretches(total: int, count: int, *, gaps: bool) -> list[tuple[int, int]]:
    number = max(1, (count - 2) // (3 if gaps else 2))
    return [(part * total // number, (part + 1) * total // number) for part in range(number)]


def _chosen(values: Sequence[float], count: int) -> list[int]:
    chosen = {0, len(values) - 1}
    if all(map(math.isfinite, values)):
        for start, end in _stretches(len(values), count, gaps=False):
            part = list(values[start:end])
            chosen |= {start + part.index(min(part)), start + part.index(max(part))}
        return sorted(chosen)
    finite = list(map(math.isfinite, values))
    for start, end in _stretches(len(values), count, gaps=True):
        known = [index for index in range(start, end) if finite[index]]
        if known:
            chosen |= {min(known, key=values.__getitem__), max(known, key=values.__getitem__)}
        if len(known) < end - start:
            chosen.add(finite.index(False, start))
    return sorted(chosen)


def _chosen_of_many(values: Any, count: int) -> list[int]:
    import numpy as np

    array = np.asarray(values, np.float64)
    finite = np.isfinite(array)
    gaps = not finite.all()
    lows, highs = (np.where(finite, array, np.inf), np.where(finite, array, -np.inf)) if gaps else (array, array)
    chosen = {0, len(array) - 1}
    for start, end in _stretches(len(array), count, gaps=gaps):
        known = finite[start:end]
        if known.any():
            chosen |= {start + int(lows[start:end].argmin()), start + int(highs[start:end].argmax())}
        if gaps and not known.all():
            chosen.add(start + int(known.argmin()))
    return sorted(chosen)
