"""The rules of one attempt, looked at every few seconds while it trains."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from sessions.domain.health import Finding
from sessions.models import Attempt
from sessions.selectors.health import findings_of, judged_series
from sessions.services import health, rules

GUARD_SECONDS = 5.0
THOROUGH_SECONDS = 60.0
# After a pause this long between two looks (a suspended machine, a clock that was set) a stall counts anew.
AWAY = timedelta(seconds=60)


@dataclass
class Guard:
    """What is remembered of the looks at an attempt; all of it can be forgotten."""

    attempt_id: int
    _looked_at: float = float("-inf")
    _thorough_at: float = float("-inf")
    _seen: datetime = field(default_factory=timezone.now)
    _counts_from: datetime | None = None
    _points: int = -1
    _troubles: list[Finding] = field(default_factory=list)

    def tick(self, now: float) -> None:
        """Judge the attempt by its rules when it is time, and do what they ask for; `now` is monotonic, in seconds."""
        if now - self._looked_at < GUARD_SECONDS:
            return
        self._looked_at = now
        self._notice_absence()
        attempt = Attempt.objects.select_related("session").get(pk=self.attempt_id)
        if rules.trains(attempt):
            found = rules.judge(
                attempt,
                troubles=self._troubles_of(attempt),
                counts_from=self._counts_from,
                thorough=self._is_thorough(now),
            )
            rules.obey(attempt, found)

    def _troubles_of(self, attempt: Attempt) -> list[Finding]:
        """What its curves tell of, looked at again when they have grown."""
        session = attempt.session
        points = sum(one.count for one in judged_series(session))
        if points != self._points:
            self._points, self._troubles = points, findings_of(session)
            health.remember(attempt, self._troubles)
        return self._troubles

    def _notice_absence(self) -> None:
        before, self._seen = self._seen, timezone.now()
        if self._seen - before > AWAY:
            self._counts_from = self._seen

    def _is_thorough(self, now: float) -> bool:
        due = now - self._thorough_at >= THOROUGH_SECONDS
        if due:
            self._thorough_at = now
        return due
