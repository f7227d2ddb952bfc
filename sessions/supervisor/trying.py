"""Trials under way: brought on every second, one setting at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sessions.models import Attempt, Trial
from sessions.selectors.trials import open_trials, orphans
from sessions.services import measuring, throwing_away

LOOK_SECONDS = 1.0
IDLE_SECONDS = 5.0
ORPHANS_SECONDS = 60.0
# So long a setting may wait for ports or disk space before the others go on without it.
PATIENCE_SECONDS = 60.0


@dataclass
class TrialWatch:
    """Brings the trials of this MENTOR on; all it remembers is since when one waits for what may never come."""

    _waiting: dict[int, float] = field(default_factory=dict)
    _due: float = float("-inf")
    _orphans_due: float = float("-inf")

    def tick(self, now: float, _: Iterable[Attempt] = ()) -> None:
        """Look at every trial that is not over; `now` is a monotonic clock in seconds."""
        if now < self._due:
            return
        trials = open_trials()
        self._due = now + (LOOK_SECONDS if trials else IDLE_SECONDS)
        self._waiting = {
            one.pk: self._since(one, now) for one in trials if measuring.waits_for_what_may_never_come(one)
        }
        for trial in trials:
            measuring.advance(trial, starved=now - self._waiting.get(trial.pk, now) >= PATIENCE_SECONDS)
        if now >= self._orphans_due:
            self._orphans_due = now + ORPHANS_SECONDS
            for session in orphans():
                throwing_away.clear(session)

    def _since(self, trial: Trial, now: float) -> float:
        return self._waiting.get(trial.pk, now)
