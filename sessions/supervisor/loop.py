"""The supervisor: one per machine, every part of its memory expendable."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import Error, connection
from django.utils import timezone

from sessions.domain.states import ACTIVE, values
from sessions.models import Attempt, Machine
from sessions.services import queue
from sessions.supervisor.watch import Watch

logger = logging.getLogger(__name__)

BUSY_SECONDS = 0.1
IDLE_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0
# Even without a sign of change the tables are read this often.
REFRESH_SECONDS = 2.0


@dataclass
class Supervisor:
    """Grants slots, follows attempts and brings them to their end."""

    machine: Machine
    clock: Callable[[], float]
    watches: dict[int, Watch] = field(default_factory=dict)
    _seen_version: int | None = None
    _refreshed_at: float = float("-inf")
    _beat_at: float = float("-inf")

    def tick(self) -> float:
        """Do one round and return the seconds to wait before the next. Errors cost one attempt one round."""
        now = self.clock()
        if now - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat(now)
        if self._something_changed(now):
            self._refresh(now)
        for pk, watch in list(self.watches.items()):
            if not self._guarded_tick(watch, now):
                del self.watches[pk]
                self._refreshed_at = float("-inf")
        return BUSY_SECONDS if self.watches else IDLE_SECONDS

    def _guarded_tick(self, watch: Watch, now: float) -> bool:
        try:
            return watch.tick(now)
        except Error:
            raise
        except Exception:
            logger.exception("%s: this round failed; the next one tries again", watch.ingester.directory.path)
            return True

    def _beat(self, now: float) -> None:
        Machine.objects.filter(pk=self.machine.pk).update(supervisor_seen_at=timezone.now(), supervisor_pid=os.getpid())
        self._beat_at = now

    def _something_changed(self, now: float) -> bool:
        version = data_version()
        changed = version is None or version != self._seen_version
        self._seen_version = version
        return changed or now - self._refreshed_at >= REFRESH_SECONDS

    def _refresh(self, now: float) -> None:
        self._refreshed_at = now
        queue.grant_waiting(self.machine)
        active = Attempt.objects.filter(machine=self.machine, state__in=values(ACTIVE)).select_related(
            "session__trainer", "session__environment"
        )
        # What somebody else ended is over here, too.
        self.watches = {attempt.pk: self.watches.get(attempt.pk) or Watch(attempt) for attempt in active}


def data_version() -> int | None:
    """Return SQLite's count of other connections' commits, or None where there is no such thing."""
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])
