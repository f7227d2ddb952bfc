"""Evaluating a checkpoint: what its trainer is told, when it has acted long enough, and what its rewards say."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import Any

from sessions.domain.yaml_tree import dump

# Never reached: an evaluation neither ends nor saves by itself.
NEVER = 10**12
# About so many summaries are to hold the episodes that were asked for: then few are played beyond them.
SUMMARIES = 20
USUAL_EPISODE_STEPS = 500.0
# What only learning needs, and needs files for that may be gone by now.
DEMONSTRATED = "gail"


@dataclass(frozen=True)
class Rewards:
    """Rewards of some episodes, as histograms keep them: their number, sum, sum of squares and extremes."""

    episodes: int
    total: float
    squares: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Statistics:
    """Rewards of `episodes` episodes; `std` is that of the sample (n - 1), None for a single one.

    `standard_error` of the mean is std / sqrt(n), as of episodes that are independent of each other.
    """

    episodes: int
    mean: float
    std: float | None
    minimum: float
    maximum: float
    standard_error: float | None


@dataclass(frozen=True)
class _Moments:
    """`spread` is the sum of squared distances from the mean."""

    episodes: int
    mean: float
    spread: float
    lowest: float
    highest: float


def combined(parts: Iterable[Rewards]) -> Statistics | None:
    """Return the statistics of all episodes together; None when there are none, or a reward is no number.

    The moments are merged pairwise (Chan, Golub and LeVeque 1979), which loses no digits to large sums.
    """
    moments = [_moments(one) for one in parts if one.episodes > 0]
    if not moments:
        return None
    whole = reduce(_merged, moments)
    if not all(map(math.isfinite, (whole.mean, whole.spread, whole.lowest, whole.highest))):
        return None
    count = whole.episodes
    std = math.sqrt(whole.spread / (count - 1)) if count > 1 else None
    error = std / math.sqrt(count) if std is not None else None
    return Statistics(count, whole.mean, std, whole.lowest, whole.highest, error)


def _moments(one: Rewards) -> _Moments:
    mean = one.total / one.episodes
    return _Moments(one.episodes, mean, max(0.0, one.squares - one.total * mean), one.lowest, one.highest)


def _merged(first: _Moments, second: _Moments) -> _Moments:
    count = first.episodes + second.episodes
    apart = second.mean - first.mean
    return _Moments(
        count,
        first.mean + apart * second.episodes / count,
        first.spread + second.spread + apart * apart * first.episodes * second.episodes / count,
        min(first.lowest, second.lowest),
        max(first.highest, second.highest),
    )


def enough(summaries: Sequence[Rewards], episodes: int) -> int | None:
    """Return how many of the first summaries hold `episodes` episodes, or None while there are fewer.

    What comes behind them is not counted: so the result does not depend on when the trainer was stopped.
    """
    counted = accumulate(one.episodes for one in summaries)
    return next((number for number, seen in enumerate(counted, start=1) if seen >= episodes), None)


def summary_freq(episodes: int, episode_steps: float | None) -> int:
    """Return after how many steps a summary is due, for episodes of about so many steps."""
    steps = episode_steps if episode_steps and math.isfinite(episode_steps) else USUAL_EPISODE_STEPS
    return max(1, round(steps * episodes / SUMMARIES))


def evaluation_config(
    tree: Mapping[str, Any], behaviors: Iterable[str], *, freq: int, lessons: Mapping[str, int]
) -> bytes:
    """Return the configuration with which these behaviors act as they were trained, learn nothing and save nothing.

    A curriculum stays in its lesson: the one named in `lessons` (counted from 0), else its last.
    """
    changed = {
        "max_steps": NEVER,
        "checkpoint_interval": NEVER,
        "even_checkpoints": False,
        "summary_freq": freq,
        "threaded": False,
    }
    kept = {name: copy.deepcopy(value) for name, value in tree.items() if name != "debug"}
    given = kept.get("behaviors") or {}
    kept["behaviors"] = {name: {**_without_teachers(given.get(name)), **changed} for name in behaviors}
    if kept.get("default_settings"):
        kept["default_settings"] = _without_teachers(kept["default_settings"])
    if kept.get("environment_parameters"):
        parameters = kept["environment_parameters"]
        kept["environment_parameters"] = {name: _in_lesson(one, lessons.get(name)) for name, one in parameters.items()}
    return dump(kept)


def _without_teachers(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """A behavior's settings without where it starts and without demonstrations."""
    kept = {name: one for name, one in (settings or {}).items() if name not in ("init_path", "behavioral_cloning")}
    signals = kept.pop("reward_signals", None) or {}
    signals = {name: one for name, one in signals.items() if name != DEMONSTRATED}
    return {**kept, "reward_signals": signals} if signals else kept


def curricula(tree: Mapping[str, Any]) -> list[str]:
    """Return the environment parameters that have a curriculum."""
    parameters = tree.get("environment_parameters") or {}
    return [name for name, one in parameters.items() if _lessons_of(one)]


def lessons_used(tree: Mapping[str, Any], known: Mapping[str, int]) -> dict[str, int]:
    """Return the lesson of each curriculum: the one that is known, else the last."""
    parameters = tree.get("environment_parameters") or {}
    return {name: _lesson(_lessons_of(parameters[name]), known.get(name)) for name in curricula(tree)}


def _lessons_of(parameter: Any) -> list[Any]:
    lessons = parameter.get("curriculum") if isinstance(parameter, Mapping) else None
    return [one for one in lessons if isinstance(one, Mapping)] if isinstance(lessons, list) else []


def _lesson(lessons: Sequence[Any], wanted: int | None) -> int:
    last = len(lessons) - 1
    return last if wanted is None else max(0, min(wanted, last))


def _in_lesson(parameter: Any, wanted: int | None) -> Any:
    lessons = _lessons_of(parameter)
    return lessons[_lesson(lessons, wanted)].get("value") if lessons else parameter
