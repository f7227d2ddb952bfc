"""Numbers that say how well a reward series went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    if not len(rewards):
        return None
    best = int(np.argmax(rewards))
    tail = max(1, round(len(rewards) * FINAL_SHARE))
    return RewardSummary(
        points=len(rewards),
        first=float(rewards[0]),
        last=float(rewards[-1]),
        final=float(np.mean(rewards[-tail:])),
        best=float(rewards[best]),
        best_step=int(at[best]),
        best_seconds=float(times[best] - times[0]),
        last_step=int(at[-1]),
        seconds=float(times[-1] - times[0]),
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
    smooth = np.convolve(rewards, np.full(SMOOTHING, 1 / SMOOTHING), mode="valid")
    first, best = float(smooth[0]), float(np.max(smooth))
    if best <= first:
        return None
    index = int(np.argmax(smooth >= first + share * (best - first))) + SMOOTHING - 1
    return int(at[index]), float(times[index] - times[0])


def _known(
    steps: Sequence[int], wall_times: Sequence[float], values: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rewards = np.asarray(values, dtype=float)
    known = np.isfinite(rewards)
    return np.asarray(steps)[known], np.asarray(wall_times, dtype=float)[known], rewards[known]
