"""How often an agent wins: from a signal that says so, or from its ELO in self-play."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from statistics import fmean

ELO_TAG = "Self-play/ELO"
# Summaries that a rolling rate is the mean of.
ROLLING = 20
# Past policies against which ML-Agents plays unless self_play.window says otherwise.
POOL = 10
# An advantage of so many points means odds of ten to one.
ELO_SCALE = 400.0
LARGEST_POWER = 300.0
WINNING = {"win", "wins", "winning", "winrate", "won", "victory", "victories", "success", "successes", "solved"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def says_win(tag: str) -> bool:
    """Tell whether a tag's name speaks of winning, such as `Environment/Win Rate`, `success` or `Team/WinRate`."""
    words = {word.lower() for word in WORD.findall(tag)}
    return bool(words & WINNING)


def is_rate(values: Sequence[float | None]) -> bool:
    """Tell whether all values that are numbers are shares from 0 to 1, and there is one."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return bool(known) and all(0.0 <= value <= 1.0 for value in known)


def rolling(values: Sequence[float | None], window: int = ROLLING) -> list[float | None]:
    """Return the mean of the last `window` values at each of them; None where none of these is a number."""
    known = [value if value is not None and math.isfinite(value) else None for value in values]
    parts = (known[max(0, end - window) : end] for end in range(1, len(known) + 1))
    found = ([value for value in part if value is not None] for part in parts)
    return [fmean(part) if part else None for part in found]


def expected_score(own: float, other: float) -> float:
    """Return the share of games a player is expected to win: 1 / (1 + 10 ** ((other - own) / 400)), Elo's formula.

    ML-Agents rates with the same one (`compute_elo_rating_changes`); a draw counts as half a win.
    """
    power = (other - own) / ELO_SCALE
    return 1.0 / (1.0 + 10.0 ** max(-LARGEST_POWER, min(LARGEST_POWER, power)))


def against_pool(elos: Sequence[float | None], pool: int = POOL) -> list[float | None]:
    """Return the expected win rate at each summary against the policies of the `pool` summaries before it.

    ML-Agents plays against snapshots of itself, rated as they were when they were taken, and writes only the learner's
    own ELO; so its earlier values stand for theirs. None where there is no value, or none before it.
    """
    rates: list[float | None] = []
    past: list[float] = []
    for elo in elos:
        if elo is None or not math.isfinite(elo):
            rates.append(None)
            continue
        rates.append(fmean(expected_score(elo, other) for other in past[-pool:]) if past else None)
        past.append(elo)
    return rates
