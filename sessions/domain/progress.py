"""How far a training is, how fast it goes and how long it still takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

WINDOW_SAMPLES = 12


@dataclass(frozen=True)
class Standing:
    """One behavior's step and its goal; `max_steps` is None when unknown."""

    step: int
    max_steps: int | None


def progress(standings: Iterable[Standing]) -> float | None:
    """Return the mean share of max_steps reached, from 0 to 1; None when no behavior has a goal."""
    shares = [min(1.0, s.step / s.max_steps) for s in standings if s.max_steps]
    return sum(shares) / len(shares) if shares else None


def eta_seconds(standings: Iterable[Standing], steps_per_second: float | None) -> float | None:
    """Return the seconds until every behavior has reached max_steps at this pace, or None when that is unknown."""
    remaining = sum(max(0, s.max_steps - s.step) for s in standings if s.max_steps)
    if not steps_per_second:
        return None
    return remaining / steps_per_second


@dataclass
class Pace:
    """Steps per second over the last summaries, all behaviors together."""

    _samples: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)

    def add(self, behavior: str, elapsed_seconds: float, step: int) -> None:
        """Note a summary; `elapsed_seconds` is the trainer's own clock."""
        samples = self._samples.setdefault(behavior, deque(maxlen=WINDOW_SAMPLES))
        if samples and (elapsed_seconds < samples[-1][0] or step < samples[-1][1]):
            samples.clear()  # a restarted clock or step count
        samples.append((elapsed_seconds, step))

    @property
    def steps_per_second(self) -> float | None:
        """The sum of the behaviors' rates, or None before two summaries of one behavior."""
        rates = [rate for samples in self._samples.values() if (rate := _rate(samples)) is not None]
        return sum(rates) if rates else None


def _rate(samples: deque[tuple[float, int]]) -> float | None:
    (first_at, first_step), (last_at, last_step) = samples[0], samples[-1]
    return (last_step - first_step) / (last_at - first_at) if last_at > first_at else None
