"""The supervisor: one per machine, every part of its memory expendable."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.db import connection
from django.utils import timezone

from sessions.domain.states import ACTIVE, values
from sessions.models import Attempt, Machine
from sessions.services import queue
from sessions.services.resources import note_gpus
from sessions.supervisor.chores import Chores
from sessions.supervisor.compacting import Compacting
from sessions.supervisor.evaluating import EvaluationWatch
from sessions.supervisor.imports import ImportWatch
from sessions.supervisor.reserve import DiskWatch
from sessions.supervisor.resources import ResourceWatch
from sessions.supervisor.trying import TrialWatch
from sessions.supervisor.watch import Watch, is_of_the_database

logger = logging.getLogger(__name__)

BUSY_SECONDS = 0.1
IDLE_SECONDS = 0.5
# However many attempts there are and however much they write, about this share of a core is taken, and no more: what
# has grown meanwhile is stored with the next round, which costs hardly more than a smaller one.
MOST_SHARE = 0.35
LONGEST_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
# Even without a sign of change the tables are read this often.
REFRESH_SECONDS = 2.0


@dataclass
class Supervisor:
    """Grants slots, follows attempts and brings them to their end."""

    machine: Machine
    clock: Callable[[], float]
    spent: Callable[[], float] = time.process_time
    watches: dict[int, Watch] = field(default_factory=dict)
    resources: ResourceWatch = field(default_factory=ResourceWatch)
    evaluations: EvaluationWatch = field(default_factory=EvaluationWatch)
    trials: TrialWatch = field(default_factory=TrialWatch)
    disks: DiskWatch = field(init=False)
    compacting: Compacting = field(default_factory=Compacting)
    chores: Chores = field(default_factory=Chores)
    imports: ImportWatch = field(init=False)
    _seen_version: int | None = None
    _refreshed_at: float = float("-inf")
    _beat_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.disks = DiskWatch(self.machine)
        self.imports = ImportWatch(self.machine)
        note_gpus(self.machine, self.resources.gpus.find())

    def tick(self) -> float:
        """Do one round and return the seconds to wait before the next. Errors cost one attempt one round."""
        now, spent = self.clock(), self.spent()
        if now - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat(now)
        if self._something_changed(now):
            self._refresh(now)
        for pk, watch in list(self.watches.items()):
            if not self._guarded_tick(watch, now):
                del self.watches[pk]
                self._refreshed_at = float("-inf")
        self._look_at_the_machine(now)
        self._guarded(lambda: self.imports.tick(now), "This look at imported folders failed; the next one tries again.")
        return self._pause(self.spent() - spent)

    def _pause(self, spent: float) -> float:
        """Return the seconds to wait after a round that took so many seconds of a core."""
        if not self.watches:
            return IDLE_SECONDS
        return min(max(BUSY_SECONDS, spent / MOST_SHARE - spent), LONGEST_SECONDS)

    def _guarded_tick(self, watch: Watch, now: float) -> bool:
        try:
            return watch.tick(now)
        except Exception as error:
            if is_of_the_database(error):
                raise
            logger.exception("%s: this round failed; the next one tries again", watch.ingester.directory.path)
            return True

    def _look_at_the_machine(self, now: float) -> None:
        """The disks come first: to know what a training takes is worth less than to stop it in time.

        What ended trainings left to compress comes last.
        """
        attempts = [watch.attempt for watch in self.watches.values()]
        looks = (self.disks.tick, self.resources.tick, self.evaluations.tick, self.trials.tick, self.compacting.tick)
        for look in (*(partial(one, now, attempts) for one in looks), partial(self.chores.tick, now)):
            self._guarded(look, "This look at the machine failed; the next one tries again.")

    def _guarded(self, look: Callable[[], None], words: str) -> None:
        try:
            look()
        except Exception as error:
            if is_of_the_database(error):
                raise
            logger.exception(words)

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
