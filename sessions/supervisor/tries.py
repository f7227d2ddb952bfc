"""How long the supervisor waits: between tries of what failed, and until it believes what it sees.

Monotonic seconds and counted looks, never the time of day: a clock that is set, or a machine that slept, must not
end anything.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Tries:
    """Tries of one thing, with a pause after each that failed, twice as long as the one before."""

    failed: int = 0
    _next_at: float = float("-inf")

    def due(self, now: float) -> bool:
        """Tell whether the pause is over."""
        return now >= self._next_at

    def fail(self, now: float) -> int:
        """Note that a try failed; returns how many have."""
        self._next_at = now + min(FIRST_PAUSE_SECONDS * 2**self.failed, LONGEST_PAUSE_SECONDS)
        self.failed += 1
        return self.failed

    def succeed(self) -> None:
        """Forget what failed."""
        self.failed, self._next_at = 0, float("-inf")


@dataclass
class Lasting:
    """How long, and for how many looks, the same has been seen without a break."""

    what: object = None
    looks: int = 0
    _since: float = 0.0

    def see(self, what: object, now: float) -> None:
        """Note what was seen."""
        if what != self.what:
            self.what, self.looks, self._since = what, 0, now
        self.looks += 1

    def seconds(self, now: float) -> float:
        """Return how long the last thing has been seen."""
        return now - self._since
