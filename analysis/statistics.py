"""Numbers that say how well a reward series went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

FINAL_SHARE = 0.1
SMOOTHING = 5


@dataclass(frozen=True)
class RewardSummary:
    """Rewards in their own unit, times in seconds since the first point's wall time.

    `final` is the mean of the last 10 % of the points (at least one), `best` the largest single point.
    """

    points: int
    first: float
    last: float
    final: float
    best: float
    best_step: int
    best_seconds: float
    last_step: int
    seconds: float


def summarise(steps: Sequence[int], wall_times: Sequence[float], values: Sequence[float]) -> RewardSummary | None:
    """Return the summary of a series (three sequences of one length); None when no value is a number."""
    at, times, rewards = _known(steps, wall_times, values)
    if not rewards:
        return None
    best = max(range(len(rewards)), key=rewards.__getitem__)
    tail = max(1, round(len(rewards) * FINAL_SHARE))
    return RewardSummary(
        points=len(rewards),
        first=rewards[0],
        last=rewards[-1],
        final=fmean(rewards[-tail:]),
        best=rewards[best],
        best_step=at[best],
        best_seconds=times[best] - times[0],
        last_step=at[-1],
        seconds=times[-1] - times[0],
    )


def time_to(
    steps: Sequence[int], wall_times: Sequence[float], values: Sequence[float], *, share: float
) -> tuple[int, float] | None:
    """Return step and seconds at which the smoothed reward first made `share` of the way from first to best.

    Smoothed is the mean of the last five points. None when there are too few points or there was no way to make.
    """
    at, times, rewards = _known(steps, wall_times, values)
    if len(rewards) < SMOOTHING:
        return None
    smooth = [fmean(rewards[start : start + SMOOTHING]) for start in range(len(rewards) - SMOOTHING + 1)]
    first, best = smooth[0], max(smooth)
    if best <= first:
        return None
    level = min(best, first + share * (best - first))
    index = next(index for index, value in enumerate(smooth) if value >= level) + SMOOTHING - 1
    return at[index], times[index] - times[0]


def _known(
    steps: Sequence[int], wall_times: Sequence[float], values: Sequence[float]
) -> tuple[list[int], list[float], list[float]]:
    known = [index for index, value in enumerate(values) if math.isfinite(value)]
    return [steps[index] for index in known], [wall_times[index] for index in known], [values[index] for index in known]
