"""The best checkpoints of an attempt that trains, kept as soon as it saves one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from sessions.models import Attempt, TrainingSession
from sessions.services.alarms import raise_alarm, take_back
from sessions.services.keeping import Keeper
from sessions.supervisor.tries import Tries

logger = logging.getLogger(__name__)

# How much of a round the copies of one attempt may take, where a disk knows no second names for a file.
SLICE_SECONDS = 0.1
# How often it is tried in vain at the end before the attempt is closed without.
TRIES = 3
TROUBLE = "The best checkpoints cannot be kept: look at the disk of MENTOR_HOME."


@dataclass
class Shelf:
    """What is remembered of the checkpoints of one attempt; all of it can be forgotten."""

    attempt: Attempt
    keeper: Keeper = field(init=False)
    _due: bool = True
    _tries: Tries = field(default_factory=Tries)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.attempt.session)

    def wake(self) -> None:
        """Look again: something was saved."""
        self._due = True

    def tick(self, now: float) -> None:
        """Keep what is worth it, if there may be news; `now` is a monotonic clock in seconds."""
        if self._due and self._tries.due(now):
            self._due = not self._keep(now, live=True)

    def finish(self, now: float) -> bool:
        """Keep the best of an attempt that has ended; return whether nothing is left to do, or to hope for."""
        done = self._tries.failed >= TRIES or (self._tries.due(now) and self._keep(now, live=False))
        if done:
            self.keeper.close()
        return done

    def _keep(self, now: float, *, live: bool) -> bool:
        self.keeper.session = TrainingSession.objects.get(pk=self.attempt.session_id)  # its rules may have changed
        try:
            done = self.keeper.keep(live=live, seconds=SLICE_SECONDS)
        except OSError as error:
            logger.warning("%s: its best checkpoints cannot be kept: %s", self.keeper.session.run_id, error)
            raise_alarm(self.attempt, TROUBLE)
            self._tries.fail(now)
            return False
        if self._tries.failed:
            take_back(self.attempt, TROUBLE)
            self._tries.succeed()
        return done
