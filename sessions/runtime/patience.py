"""The deadlines of a stop, kept by the shim, and by the supervisor where there is no shim."""

from __future__ import annotations

import time
from collections.abc import Callable

from sessions.runtime.records import Request


class Patience:
    """When a trainer that was asked to stop is interrupted from outside, and when it is killed.

    `due` is asked again and again and says what to do now: "", "interrupt" or "kill". Seconds count from its first
    look at the request, by a monotonic clock.
    """

    def __init__(
        self, grace_seconds: float, interrupt_after_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._asked_at: float | None = None
        self._grace_seconds = grace_seconds
        self._interrupt_after_seconds = interrupt_after_seconds

    def due(self, *, stop: Request | None, kill: bool, seen: bool) -> str:
        if kill:
            return "kill"
        if stop is None:
            return ""
        if self._asked_at is None:
            self._asked_at = self._clock()
            self._grace_seconds = self._grace_seconds if stop.grace_seconds is None else stop.grace_seconds
        waited = self._clock() - self._asked_at
        if waited >= self._grace_seconds:
            return "kill"
        return "interrupt" if waited >= self._interrupt_after_seconds and not seen else ""
