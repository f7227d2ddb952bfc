"""Seeing to it that what ended attempts have written is compressed, however they ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sessions.models import Attempt
from sessions.services import compaction

LOOK_SECONDS = 60.0


@dataclass
class Compacting:
    """Asks for a compaction, at most once a minute, while there is something to compact."""

    ask: Callable[[], bool] = compaction.ask
    _looked_at: float = float("-inf")

    def tick(self, now: float, _: Sequence[Attempt]) -> None:
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self.ask()
