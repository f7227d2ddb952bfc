"""The reserve of the disks: what trains is asked to save and end while there still is room for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from sessions.domain.disk import Room, room_left
from sessions.models import Attempt, Machine
from sessions.selectors import disk
from sessions.services.reserve import stop_for_room
from sessions.services.resources import note_disk

LOOK_SECONDS = 2.0
# A smaller change of what is free is not worth a write.
NOTED_BYTES = 16 * 1024 * 1024


@dataclass
class DiskWatch:
    """Looks every few seconds at the disks of MENTOR_HOME and of each attempt's results."""

    machine: Machine
    free_bytes: Callable[[Path], int | None] = disk.free_bytes
    _due: float = float("-inf")

    def tick(self, now: float, attempts: Iterable[Attempt]) -> None:
        """Stop what trains on a disk below the reserve; `now` is a monotonic clock in seconds."""
        if now < self._due:
            return
        self._due = now + LOOK_SECONDS
        home = Path(settings.MENTOR_HOME)
        free = {home: self.free_bytes(home)}
        for attempt in attempts:
            results = Path(attempt.results_dir)
            free[results] = self.free_bytes(results)
            self._keep(attempt, {folder: free[folder] for folder in (home, results)})
        self._note(min((left for left in free.values() if left is not None), default=None))

    def _keep(self, attempt: Attempt, free: Mapping[Path, int | None]) -> None:
        for folder, left in free.items():
            if left is not None and room_left(left, disk.reserve_bytes()) is Room.SHORT:
                stop_for_room(attempt, folder, left)

    def _note(self, free: int | None) -> None:
        if self._is_news(self.machine.disk_free, free):
            note_disk(self.machine, free)

    def _is_news(self, before: int | None, free: int | None) -> bool:
        if before is None or free is None:
            return before != free
        reserve = disk.reserve_bytes()
        return abs(free - before) >= NOTED_BYTES or room_left(before, reserve) is not room_left(free, reserve)
