"""What the rules of a session say to what was seen of it: values in, a verdict out, or nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sessions.domain.rules import MEGABYTE, Rules, clock, count

# Memory counts as above its limit when it was so for this long: one sample of a save is no leak.
MEMORY_SECONDS = 60.0
FEWEST_SAMPLES = 8
# A warning about memory stays until memory is clearly back, so that it does not come and go with every sample.
BACK_SHARE = 0.9
LONGEST_PAUSE_SECONDS = 3600.0
INTERRUPTED_BY_HAND = {-2, 130, 0xC000013A}
WRONG_COMMAND = 2
# The finite points of a tag, by behavior: step and value, in the order in which they were written.
Points = Mapping[str, Sequence[tuple[int, float]]]


@dataclass(frozen=True)
class Verdict:
    """What a rule asks for: `do` is "warn", "stop" or "restart"; `why` is a sentence that holds as long as it does."""

    rule: str
    do: str
    why: str


def stall(rules: Rules, idle_seconds: float) -> Verdict | None:
    """Judge the seconds since a step was last seen to grow, or since training could begin."""
    if rules.stall_minutes is None or idle_seconds < rules.stall_minutes * 60:
        return None
    return Verdict("stall", rules.stall_action, f"No new step in {count(rules.stall_minutes, 'minute')}.")


def memory(rules: Rules, samples: Sequence[tuple[float, float]], *, warned: bool = False) -> Verdict | None:
    """Judge the memory of an attempt: samples of time in seconds and bytes, the newest last."""
    why = _above(rules, samples, warned) or _growing(rules, samples, warned)
    return Verdict("memory", rules.memory_action, why) if why else None


def _above(rules: Rules, samples: Sequence[tuple[float, float]], warned: bool) -> str | None:
    if rules.memory_mb is None or not samples:
        return None
    since = samples[-1][0] - MEMORY_SECONDS
    limit = rules.memory_mb * MEGABYTE
    if warned:
        above = samples[-1][1] > limit * BACK_SHARE
    else:
        above = samples[0][0] <= since and all(size > limit for at, size in samples if at >= since)
    return f"Memory is above {rules.memory_mb:,.10g} MB." if above else None


def _growing(rules: Rules, samples: Sequence[tuple[float, float]], warned: bool) -> str | None:
    """Growth is that between the medians of the window's first and last quarter."""
    if rules.memory_growth_percent is None or len(samples) < FEWEST_SAMPLES:
        return None
    window = rules.memory_window_minutes * 60
    recent = [one for one in samples if one[0] >= samples[-1][0] - window]
    quarter = len(recent) // 4
    if not quarter or recent[-1][0] - recent[0][0] < window * BACK_SHARE:
        return None
    (first_at, first), (last_at, last) = _middle(recent[:quarter]), _middle(recent[-quarter:])
    hours = (last_at - first_at) / 3600
    limit = rules.memory_growth_percent * (BACK_SHARE if warned else 1.0)
    if first <= 0 or hours <= 0 or (last / first - 1) * 100 / hours <= limit:
        return None
    return f"Memory grows by more than {rules.memory_growth_percent:g} % an hour."


def _middle(samples: Iterable[tuple[float, float]]) -> tuple[float, float]:
    times, sizes = zip(*samples, strict=True)
    return median(times), median(sizes)


def goal(rules: Rules, points: Points) -> Verdict | None:
    """Judge whether a behavior's last summaries all met the goal; a summary without a number is passed over."""
    if rules.goal_value is None:
        return None
    for behavior, rows in _chosen(points, rules.goal_behavior):
        last = [one for one in rows if math.isfinite(one[1])][-rules.goal_summaries :]
        if len(last) == rules.goal_summaries and all(_met(value, rules) for _, value in last):
            step, value = last[-1]
            often = f" for {rules.goal_summaries} summaries" if rules.goal_summaries > 1 else ""
            met = f"{rules.goal_tag} of {behavior} is {rules.goal_value:g} or {rules.goal_direction}{often}"
            return Verdict("goal", "stop", f"Goal reached: {met} ({value:.6g} at step {step:,}).")
    return None


def _met(value: float, rules: Rules) -> bool:
    goal = rules.goal_value if rules.goal_value is not None else math.nan
    return value >= goal if rules.goal_direction == "above" else value <= goal


def plateau(rules: Rules, points: Points) -> Verdict | None:
    """Judge whether every chosen behavior has gone `plateau_steps` without beating its best by more than the gain."""
    chosen = dict(_chosen(points, rules.plateau_behavior))
    if rules.plateau_steps is None or not chosen:
        return None
    since = [_since_gain(rows, rules.plateau_gain) for rows in chosen.values()]
    if any(steps is None or steps < rules.plateau_steps for steps in since):
        return None
    gained = f"has not gained more than {rules.plateau_gain:g} for {rules.plateau_steps:,} steps"
    return Verdict("plateau", "stop", f"{rules.plateau_tag} of {', '.join(chosen)} {gained}.")


def _since_gain(rows: Sequence[tuple[int, float]], gain: float) -> int | None:
    """The steps since the best value was last beaten by more than `gain`; None before there is a value."""
    best, best_step, last_step = -math.inf, None, 0
    for step, value in rows:
        if math.isfinite(value):
            last_step = step
            if best_step is None or value > best + gain:
                best, best_step = value, step
    return None if best_step is None else last_step - best_step


def _chosen(points: Points, behavior: str) -> list[tuple[str, Sequence[tuple[int, float]]]]:
    return [(name, rows) for name, rows in sorted(points.items()) if rows and behavior in ("", name)]


def budget(rules: Rules, *, trained_seconds: float, now: datetime, results_bytes: int = 0) -> Verdict | None:
    """Judge what was used so far; `now` has a time zone."""
    if rules.budget_minutes is not None and trained_seconds >= rules.budget_minutes * 60:
        return Verdict("budget", "stop", f"Its {count(rules.budget_minutes, 'minute')} of training are over.")
    if rules.budget_until is not None and now >= rules.budget_until:
        return Verdict("budget", "stop", f"It was to train until {clock(rules.budget_until)}.")
    if rules.budget_disk_mb is not None and results_bytes > rules.budget_disk_mb * MEGABYTE:
        return Verdict("budget", "stop", f"Its results take more than {rules.budget_disk_mb:,.10g} MB.")
    return None


@dataclass(frozen=True)
class End:
    """How an attempt ended: its state, what was wanted of its session, the exit code, whether its cause stays.

    `refused` means that MENTOR itself would not start it; `editor` that a person presses Play; `unwell` that the rule
    of its health ended it.
    """

    state: str
    wanted: str
    code: int | None = None
    repeats: bool = False
    refused: bool = False
    editor: bool = False
    unwell: bool = False


@dataclass(frozen=True)
class Past:
    """An attempt that ended: queued by a rule or not, and the seconds from its start to its last new step."""

    automatic: bool
    trained_seconds: float


@dataclass(frozen=True)
class Restart:
    """A further attempt is due after a pause; it is number `number` in a row, of at most `limit`."""

    number: int
    limit: int
    pause_seconds: float


@dataclass(frozen=True)
class NoRestart:
    """A crash is not followed by a restart, for this reason."""

    why: str


def after_end(rules: Rules, end: End, past: Sequence[Past]) -> Restart | NoRestart | None:
    """Return what follows the end of an attempt; `past` are the session's attempts, the one that ended first.

    None when there is nothing to say: no rule, or an end that a person asked for or that was reached.
    """
    if rules.restart_limit is None or not _is_a_crash(end):
        return None
    if reason := _would_repeat(end):
        return NoRestart(f"Not restarted: {reason}.")
    before = restarts_in_a_row(rules, past, progress_counts=not end.unwell)
    if before >= rules.restart_limit:
        return NoRestart(f"Not restarted: {count(before, 'restart')} in a row did not help.")
    pause = min(rules.restart_pause_seconds * 2.0 ** min(before, 60), LONGEST_PAUSE_SECONDS)
    return Restart(before + 1, rules.restart_limit, pause)


def _is_a_crash(end: End) -> bool:
    if end.wanted == "restart":
        return end.state in {"stopped", "failed", "lost"}
    return end.wanted == "run" and end.state in {"failed", "lost"}


def _would_repeat(end: End) -> str | None:
    if end.wanted == "restart":
        return None
    if end.refused or end.code == WRONG_COMMAND or end.repeats:
        return "it would fail in the same way again"
    if end.code in INTERRUPTED_BY_HAND:
        return "somebody interrupted the trainer"
    if end.editor and end.code == 0:
        return "the Unity Editor was stopped, and a person has to press Play"
    return None


def restarts_in_a_row(rules: Rules, past: Sequence[Past], *, progress_counts: bool = True) -> int:
    """Return how many attempts, counted back from the last, were restarts that did not get far.

    Without `progress_counts` it does not matter how far: a reward takes its time to collapse again.
    """
    number = 0
    for one in past:
        far = progress_counts and one.trained_seconds >= rules.restart_reset_minutes * 60
        if not one.automatic or far:
            break
        number += 1
    return number
