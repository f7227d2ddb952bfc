"""What MENTOR does for itself is given to the worker when that has nothing else to do."""

from __future__ import annotations

from dataclasses import dataclass

from django_q.brokers import get_broker

from sessions.services import chores, upkeep

LOOK_SECONDS = 5.0


@dataclass
class Chores:
    """Looks every few seconds whether there is upkeep to do; all of its memory can be forgotten."""

    _looked_at: float = float("-inf")

    def tick(self, now: float) -> None:
        """Ask for a slice of upkeep where it is due and the queue of tasks is empty."""
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if upkeep.is_due() and not get_broker().queue_size():
            chores.upkeep_soon()
