"""The rules of one attempt, looked at every few seconds while it trains."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from sessions.models import Attempt
from sessions.services import rules

GUARD_SECONDS = 5.0
# Weighing many files costs more than the other rules.
WEIGH_SECONDS = 60.0
# After a pause this long between two looks (a suspended machine, a clock that was set) a stall counts anew.
AWAY = timedelta(seconds=60)


@dataclass
class Guard:
    """What is remembered of the looks at an attempt; all of it can be forgotten."""

    attempt_id: int
    _looked_at: float = float("-inf")
    _weighed_at: float = float("-inf")
    _weight: int = 0
    _seen: datetime = field(default_factory=timezone.now)
    _counts_from: datetime | None = None

    def tick(self, now: float) -> None:
        """Judge the attempt by its rules when it is time, and do what they ask for; `now` is monotonic, in seconds."""
        if now - self._looked_at < GUARD_SECONDS:
            return
        self._looked_at = now
        self._notice_absence()
        attempt = Attempt.objects.select_related("session").get(pk=self.attempt_id)
        if (attempt.session.rules or attempt.alarm) and rules.trains(attempt):
            weighed = self._weigh(attempt, now)
            rules.obey(attempt, rules.judge(attempt, counts_from=self._counts_from, weighed=weighed))

    def _notice_absence(self) -> None:
        before, self._seen = self._seen, timezone.now()
        if self._seen - before > AWAY:
            self._counts_from = self._seen

    def _weigh(self, attempt: Attempt, now: float) -> int:
        if "budget_disk_mb" in attempt.session.rules and now - self._weighed_at >= WEIGH_SECONDS:
            self._weighed_at = now
            self._weight = rules.results_bytes(attempt)
        return self._weight
