"""A trial: which settings are measured one after the other, how fast each was, and what may be proposed.

The settings are tried greedily: first how many environments, then how fast time passes in Unity, then the device, each
from the best so far. A change is proposed only when it is faster than the settings of now by more than their spread.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sessions.domain.configuration.relations import ON_POLICY, effective, number_of
from sessions.domain.yaml_tree import dump

# Never reached: a trial neither ends nor saves by itself.
NEVER = 10**12
SUMMARY_STEPS = 200
# A trial learns from buffers no larger than this: what an update costs grows with the buffer, as collecting does.
LARGEST_BUFFER, BATCHES = 2048, 4
# The time measured is cut into about so many pieces, whose differences are the spread; fewer than three say nothing.
PIECES, FEWEST_PIECES = 8, 3
# A setting is faster when it is by this share, and by this many standard errors of the difference.
CLEARLY, ERRORS = 0.05, 2.0
TIME_SCALES = (20.0, 50.0, 100.0)
USUAL_TIME_SCALE = 20.0
MOST_RUNS = 12
# Of the free memory, so much may be taken.
MEMORY_SHARE = 0.9


@dataclass(frozen=True)
class Setting:
    """What is varied. None leaves the choice to ML-Agents or PyTorch."""

    num_envs: int = 1
    time_scale: float | None = None
    device: str | None = None

    @property
    def words(self) -> str:
        """The setting as people read it."""
        parts = [f"{self.num_envs} environment{'s' if self.num_envs != 1 else ''}"]
        parts += [f"time scale {self.time_scale or USUAL_TIME_SCALE:g}", self.device or "device chosen by PyTorch"]
        return ", ".join(parts)


@dataclass(frozen=True)
class Speed:
    """Steps per second of all behaviors; `error` is the standard error, `seconds` how long was measured."""

    mean: float
    error: float
    seconds: float
    pieces: int


@dataclass(frozen=True)
class Measured:
    """One setting that was tried. Without a speed it failed. `beside`: other trainings ran meanwhile."""

    setting: Setting
    speed: Speed | None = None
    memory: float | None = None
    beside: bool = False


@dataclass(frozen=True)
class Limits:
    """What the machine has room for; `devices` are those worth trying beside the one of now. Memory in bytes."""

    cores: int
    memory_free: int | None = None
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What came out. Without a setting that of now stays; `gain` is how many times as fast."""

    why: str
    setting: Setting | None = None
    gain: float | None = None


def next_setting(present: Setting, done: Sequence[Measured], limits: Limits) -> Setting | None:
    """Return what is to be measured next; None when the trial is over.

    It ends with the settings of now once more, if another was faster: a machine grows warm, and other programs run.
    """
    if not done:
        return present
    if done[0].speed is None or len(done) >= MOST_RUNS:
        return None
    seen = {one.setting for one in done}
    for ladder in (_environments, _time_scales, _devices):
        for one in ladder(present, done, limits):
            if one not in seen:
                return one
    again = sum(one.setting == present for one in done)
    faster = _best(done).speed.mean > (1 + CLEARLY) * done[0].speed.mean  # type: ignore[union-attr]
    return present if again == 1 and faster else None


def too_large(setting: Setting, done: Sequence[Measured], limits: Limits) -> str:
    """Return why a setting is left out, as far as the memory of those before tells; empty when it may be tried."""
    known = [one for one in done if one.memory and one.speed]
    if not known or limits.memory_free is None:
        return ""
    nearest = max(known, key=lambda one: one.setting.num_envs)
    needed = (nearest.memory or 0.0) * setting.num_envs / nearest.setting.num_envs
    room = MEMORY_SHARE * limits.memory_free
    if setting.num_envs <= nearest.setting.num_envs or needed <= room:
        return ""
    gib = 1024**3
    return f"Left out: it would take about {needed / gib:.1f} GB of memory, and {room / gib:.1f} GB are free for it."


def _best(done: Sequence[Measured]) -> Measured:
    return max((one for one in done if one.speed), key=lambda one: one.speed.mean if one.speed else 0.0)


def _climb(done: Sequence[Measured], steps: Sequence[Setting]) -> Iterator[Setting]:
    """The settings of a ladder in order, as long as each was faster than the best before it."""
    for number, one in enumerate(steps):
        if number == 0:
            continue
        yield one
        tried = next((each for each in done if each.setting == one), None)
        before = [each for each in done if each.setting in steps[:number]]
        if tried is None or tried.speed is None or not before:
            return
        if tried.speed.mean <= (1 + CLEARLY) * max(each.speed.mean for each in before if each.speed):
            return


def _environments(present: Setting, done: Sequence[Measured], limits: Limits) -> Iterator[Setting]:
    counts = [present.num_envs]
    while (doubled := 2 * counts[-1]) <= limits.cores:
        counts.append(doubled)
    ups = [replace(present, num_envs=count) for count in counts]
    yield from _climb(done, ups)
    fewer = [present.num_envs]
    while fewer[-1] > 1:
        fewer.append(fewer[-1] // 2)
    if _best(done).setting.num_envs <= present.num_envs:
        yield from _climb(done, [replace(present, num_envs=count) for count in fewer])


def _time_scales(present: Setting, done: Sequence[Measured], _: Limits) -> Iterator[Setting]:
    count = _best([one for one in done if one.setting.time_scale == present.time_scale]).setting.num_envs
    now = replace(present, num_envs=count)
    larger = [one for one in TIME_SCALES if one > (present.time_scale or USUAL_TIME_SCALE)]
    yield from _climb(done, [now, *(replace(now, time_scale=one) for one in larger)])


def _devices(present: Setting, done: Sequence[Measured], limits: Limits) -> Iterator[Setting]:
    best = _best([one for one in done if one.setting.device == present.device]).setting
    yield from (replace(best, device=one) for one in limits.devices if one != present.device)


def proposal(present: Setting, done: Sequence[Measured]) -> Proposal:
    """Return what the measurements allow to say."""
    of_now = [one for one in done if one.setting == present and one.speed]
    others = [one for one in done if one.setting != present and one.speed]
    if not of_now:
        return Proposal("The settings of now could not be measured, so there is nothing to compare with.")
    if not others:
        return Proposal("No other setting could be measured, so there is nothing to compare with.")
    now, best = _best(of_now), _simplest(present, others)
    gain = best.speed.mean / now.speed.mean  # type: ignore[union-attr]
    if not _clearly_faster(best, of_now):
        said = "No setting was faster than those of now by more than the spread of the measurements"
        return Proposal(f"{said}; the best ({best.setting.words}) had {_times(gain)} their speed.")
    if any(one.beside != best.beside for one in of_now):
        said = "Other trainings ran during a part of the measurements, so that they cannot be compared."
        return Proposal(f"{said} The best was {best.setting.words}. Try again when nothing else trains.")
    speeds = f"{best.speed.mean:,.0f} against {now.speed.mean:,.0f} steps per second"  # type: ignore[union-attr]
    why = f"With {best.setting.words} it is {_times(gain)} as fast: {speeds}."
    if (best.setting.time_scale or 0.0) > (present.time_scale or USUAL_TIME_SCALE):
        why += " Physics and scripts that count frames may behave differently at this time scale: look at the rewards."
    if best.beside:
        why += " Other trainings ran meanwhile; alone, both would be faster."
    return Proposal(why, best.setting, gain)


def _simplest(present: Setting, others: Sequence[Measured]) -> Measured:
    """Of the settings that are as fast as the best, that which changes the least: what brings nothing stays."""
    most = _best(others).speed.mean  # type: ignore[union-attr]
    fast = [one for one in others if one.speed and one.speed.mean * (1 + CLEARLY) >= most]

    def changed(one: Measured) -> tuple[int, int, float]:
        now, then = asdict(present), asdict(one.setting)
        return sum(now[name] != then[name] for name in now), one.setting.num_envs, one.setting.time_scale or 0.0

    return min(fast, key=changed)


def _times(gain: float) -> str:
    return f"{gain:.2f} times"


def _clearly_faster(best: Measured, of_now: Sequence[Measured]) -> bool:
    """Whether it was faster than every measurement of the settings of now, beyond both spreads."""
    return all(
        best.speed.mean > (1 + CLEARLY) * one.speed.mean  # type: ignore[union-attr]
        and best.speed.mean - one.speed.mean > ERRORS * math.hypot(best.speed.error, one.speed.error)  # type: ignore[union-attr]
        for one in of_now
    )


def speed_of(summaries: Mapping[str, Sequence[tuple[float, int]]], *, seconds: float) -> Speed | None:
    """Return how fast a trainer was, from each behavior's summaries (time in seconds, step); None for too few.

    What came before the second summary is left out: starting, and the first update. The rest is cut into pieces of
    about `seconds` / 8; the behaviors' rates add up.
    """
    found = [one for points in summaries.values() if (one := _speed(points, seconds / PIECES)) is not None]
    if not found:
        return None
    return Speed(
        mean=sum(one.mean for one in found),
        error=math.hypot(*(one.error for one in found)),
        seconds=min(one.seconds for one in found),
        pieces=min(one.pieces for one in found),
    )


def _speed(points: Sequence[tuple[float, int]], least: float) -> Speed | None:
    warm = list(points[1:])
    pieces: list[float] = []
    begin = end = warm[0] if warm else (0.0, 0)
    for at in warm[1:]:
        if at[0] - end[0] >= least and at[1] > end[1]:
            pieces.append((at[1] - end[1]) / (at[0] - end[0]))
            end = at
    if len(pieces) < FEWEST_PIECES:
        return None
    mean = (end[1] - begin[1]) / (end[0] - begin[0])
    variance = sum((one - mean) ** 2 for one in pieces) / (len(pieces) - 1)
    return Speed(mean, math.sqrt(variance / len(pieces)), end[0] - begin[0], len(pieces))


def warm_since(summaries: Mapping[str, Sequence[tuple[float, int]]]) -> float:
    """Return the moment from which on `speed_of` measures; 0 when it does not yet."""
    return max((points[1][0] for points in summaries.values() if len(points) > 1), default=0.0)


def trial_config(tree: Mapping[str, Any]) -> bytes:
    """Return a configuration that trains as fast as this one, but never ends or saves, and tells often how far it is.

    On-policy trainers learn from smaller buffers, as many batches of the same size for each step, so that a few
    seconds hold several updates. SAC learns from the start.
    """
    kept = copy.deepcopy(dict(tree))
    defaults = kept.get("default_settings")
    given = kept.get("behaviors") or {}
    kept["behaviors"] = {name: _behavior(defaults, one or {}) for name, one in given.items()}
    if defaults:
        kept["default_settings"] = _behavior(None, defaults)
    return dump(kept)


def _behavior(defaults: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    settings = effective(defaults, given)
    changed = {name: one for name, one in given.items() if name != "init_path"}
    hyper: dict[str, Any] = {}
    freq = SUMMARY_STEPS
    batch, buffer = number_of(settings, "batch_size"), number_of(settings, "buffer_size")
    if settings.get("trainer_type", "ppo") in ON_POLICY and batch and buffer:
        most = max(LARGEST_BUFFER, BATCHES * batch)
        smaller = buffer if buffer <= most else most // batch * batch
        hyper = {"buffer_size": smaller} if smaller != buffer else {}
        freq = max(freq, smaller)
    elif settings.get("trainer_type") == "sac":
        hyper = {"buffer_init_steps": 0}
    if hyper:
        changed["hyperparameters"] = {**(given.get("hyperparameters") or {}), **hyper}
        changed.setdefault("trainer_type", settings.get("trainer_type", "ppo"))
    return {
        **changed,
        "max_steps": NEVER,
        "checkpoint_interval": NEVER,
        "even_checkpoints": False,
        "summary_freq": freq,
    }
