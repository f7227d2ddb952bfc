"""Which checkpoints are worth keeping: the smoothed value of each, their order, and the choice of the best."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

# How many summaries a checkpoint is judged by. One alone says little: it is a mean over the few episodes that ended.
SUMMARIES = 5
MODES = ("max", "min")


@dataclass(frozen=True)
class Candidate:
    """A checkpoint that could be kept. `score` None or NaN is unknown; a pinned one is kept whatever it scores."""

    key: Hashable
    behavior: str
    step: int
    score: float | None = None
    pinned: bool = False


def smoothed(steps: Sequence[int], values: Sequence[float], step: int, *, summaries: int = SUMMARIES) -> float | None:
    """Return the mean of the last finite values before a checkpoint at `step`; None when there is none.

    `steps` ascend. The last summary that counts is the first at or after the step: ML-Agents names a summary by the
    next multiple of summary_freq, and writes it before the checkpoint of the same moment. Up to `summaries` count.
    """
    end = bisect_left(steps, step) + 1
    finite: list[float] = []
    for value in reversed(values[max(0, end - 2 * summaries) : end]):
        if math.isfinite(value) and len(finite) < summaries:
            finite.append(float(value))
    return sum(finite) / len(finite) if finite else None


def ranked(candidates: Iterable[Candidate], mode: str = "max") -> list[Candidate]:
    """Return the candidates, the best first; equal scores go by the later step, unknown ones come last."""
    sign = -1.0 if mode == "max" else 1.0

    def place(one: Candidate) -> tuple[bool, float, int]:
        unknown = one.score is None or math.isnan(one.score)
        return unknown, 0.0 if unknown else sign * (one.score or 0.0), -one.step

    return sorted(candidates, key=place)


def best(candidates: Iterable[Candidate], count: int, mode: str = "max") -> list[Candidate]:
    """Return the `count` best of each behavior."""
    taken: dict[str, int] = {}
    chosen = []
    for one in ranked(candidates, mode):
        taken[one.behavior] = taken.get(one.behavior, 0) + 1
        if taken[one.behavior] <= count:
            chosen.append(one)
    return chosen


def worth_keeping(candidates: Sequence[Candidate], count: int, mode: str = "max") -> set[Hashable]:
    """Return the keys of those to keep: the `count` best of each behavior, and all that are pinned."""
    return {one.key for one in best(candidates, count, mode)} | {one.key for one in candidates if one.pinned}
