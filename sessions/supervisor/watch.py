"""One attempt under supervision: look at its process once, then read what it wrote, then decide."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DataError, Error, IntegrityError
from django.utils import timezone

from sessions.domain.states import State
from sessions.models import Attempt
from sessions.runtime.evidence import Evidence, infer_exit, look
from sessions.runtime.rundir import ExitRecord
from sessions.runtime.takeover import kill_attempt
from sessions.services import artifacts, closing, launching
from sessions.services.alarms import raise_alarm
from sessions.services.ingest import Ingester, Overtaken
from sessions.supervisor.following import KILL_SECONDS, Following
from sessions.supervisor.guard import Guard
from sessions.supervisor.keeping import Shelf
from sessions.supervisor.reconcile import LAUNCH_SECONDS, Step, decide
from sessions.supervisor.tries import Lasting, Tries

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
# How much of a round one attempt may take for itself.
BUDGET_SECONDS = 2.0
# How long processes may survive their end before a person is told.
SURVIVAL_SECONDS = 10.0
# How often a directory must be looked for in vain before it is gone.
LOOKS_IN_VAIN = 40
CLOSING_TRIES = 8
# How long something is watched before the time of day that is stored with it is believed.
BELIEF_SECONDS = 4.0


@dataclass
class Watch:
    """What the supervisor remembers about one unfinished attempt; all of it can be forgotten."""

    attempt: Attempt
    ingester: Ingester = field(init=False)
    guard: Guard = field(init=False)
    _looked_at: float = float("-inf")
    _following: Following = field(init=False)
    _shelf: Shelf = field(init=False)
    _acting: Tries = field(default_factory=Tries)
    _reading: Tries = field(default_factory=Tries)
    _closing: Tries = field(default_factory=Tries)
    _step: Lasting = field(default_factory=Lasting)
    _launch: Lasting = field(default_factory=Lasting)

    def __post_init__(self) -> None:
        self.ingester = Ingester(self.attempt, launching.directory_of(self.attempt))
        self.guard = Guard(self.attempt.pk)
        self._following = Following(self.attempt, self.ingester.directory)
        self._shelf = Shelf(self.attempt)

    def tick(self, now: float) -> bool:
        """Do one round; return False once the attempt has ended. `now` is a monotonic clock in seconds."""
        if now - self._looked_at < LOOK_SECONDS or not self._acting.due(now):
            self._read(now)
            return True
        self._looked_at = now
        try:
            evidence = look(self.ingester.directory, self.attempt.cookie, started=self._has_started())
            more = self._read(now)
            goes_on = self._act(evidence, now)
            if goes_on and not more:
                self.guard.tick(now)  # judged by all that was written, not by where the reader is
        except Exception:
            self._acting.fail(now)
            raise
        self._acting.succeed()
        return goes_on

    def _has_started(self) -> bool:
        return self.attempt.state != State.LAUNCHING.value

    def _read(self, now: float) -> bool:
        """Read what is new and return whether there may be more.

        What cannot be read or stored keeps nobody from stopping the attempt.
        """
        if not self._reading.due(now):
            return True
        more = True
        try:
            more = self.ingester.step()
            if self.ingester.saved:
                artifacts.store(self.attempt, self.ingester.results, hashed=False)
                self.ingester.saved = False
                self._shelf.wake()
            self._shelf.tick(now)
        except Overtaken:
            self._reload()
        except Exception as error:
            if is_of_the_database(error):
                raise
            self._reading.fail(now)
            self.ingester.forget_sizes()
            logger.exception("%s: what it wrote could not be read; it is tried again", self.ingester.directory.path)
        else:
            self._reading.succeed()
        return more

    def _reload(self) -> None:
        self.attempt.refresh_from_db()
        self.ingester = Ingester(self.attempt, self.ingester.directory)

    def _act(self, evidence: Evidence, now: float) -> bool:
        step = decide(evidence, since_launch=self._since_launch(now), started=self._has_started())
        self._step.see(step, now)
        if step is Step.WAIT:
            self._wait(now)
        elif step is Step.CLOSE and evidence.exit is not None:
            return self._close(evidence, evidence.exit, now)
        elif step is Step.INFER:
            return self._infer(evidence, now)
        elif step is Step.END_LEFTOVERS:
            self._end_leftovers(now)
        elif step is Step.VOID:
            self.ingester.directory.claim_void()
        elif step is Step.FAIL:
            launching.give_up_launch(self.attempt)
            return False
        elif step is Step.LOSE:
            return self._lose_when_sure()
        else:
            self._following.follow(evidence, now, alone=step is Step.FOLLOW_ALONE)
        return True

    def _since_launch(self, now: float) -> float | None:
        self._launch.see(self.attempt.launched_at is not None, now)
        if self.attempt.launched_at is None:
            return None
        return self._waited(self.attempt.launched_at, now)

    def _waited(self, since: datetime | None, now: float) -> float:
        """Return the seconds a launch has waited, by what was watched and, after a while of it, by the stored time.

        A supervisor that never lives long must not wait for ever, and a clock that was set must not end a launch.
        """
        watched = self._launch.seconds(now)
        stored = (timezone.now() - since).total_seconds() if since else 0.0
        return max(watched, stored) if watched > BELIEF_SECONDS else watched

    def _wait(self, now: float) -> None:
        if self.attempt.launched_at is not None:
            return
        self.attempt.refresh_from_db(fields=["launched_at"])
        if self.attempt.launched_at is None and self._waited(self.attempt.granted_at, now) > LAUNCH_SECONDS:
            launching.enqueue_again(self.attempt)
            self.attempt.refresh_from_db(fields=["granted_at"])
            self._launch = Lasting()

    def _infer(self, evidence: Evidence, now: float) -> bool:
        """Nobody is left to say how it ended; close with what can be said, also when the disk takes no record of it."""
        if not self._closing.due(now):
            return True
        try:
            record = infer_exit(self.ingester.directory, reap_seconds=KILL_SECONDS)
        except OSError as error:
            return self._not_closed(error, now)
        if self.ingester.directory.read_exit() is not None:
            return True  # the next look tells whether a trainer came late
        if self._step.seconds(now) < SURVIVAL_SECONDS:
            return True  # no record forbids a trainer to begin, so one that was just forked is given time to be seen
        return self._close(evidence, record, now)

    def _close(self, evidence: Evidence, record: ExitRecord, now: float) -> bool:
        if not self._closing.due(now):
            return True
        try:
            if not closing.gather(self.ingester, seconds=BUDGET_SECONDS) or not self._shelf.finish(now):
                return True
            closing.close(self.ingester, record, same_boot=evidence.boot != "other")
        except Overtaken:
            self._reload()
            return True
        except Exception as error:
            if is_of_the_database(error):
                raise
            return self._not_closed(error, now)
        return False

    def _not_closed(self, error: Exception, now: float) -> bool:
        path = self.ingester.directory.path
        logger.exception("%s: the attempt has ended and could not be closed", path)
        self._reload()
        if self._closing.fail(now) < CLOSING_TRIES:
            return True
        said = str(error) or type(error).__name__
        closing.lose(self.attempt, f"The trainer has ended, but what it left in {path} could not be read: {said}.")
        return False

    def _end_leftovers(self, now: float) -> None:
        kill_attempt(self.ingester.directory, self.attempt.cookie, seconds=KILL_SECONDS)
        if self._step.seconds(now) > SURVIVAL_SECONDS:
            raise_alarm(
                self.attempt,
                "Processes of this attempt cannot be ended; its slot and its ports are kept until they are gone.",
            )

    def _lose_when_sure(self) -> bool:
        if self._step.looks < LOOKS_IN_VAIN:
            return True
        path = self.ingester.directory.path
        closing.lose(self.attempt, f"The folder of this attempt, {path}, is gone or cannot be read.")
        return False


def is_of_the_database(error: Exception) -> bool:
    """Tell whether an error is the whole database's, rather than that of one attempt's own data."""
    return isinstance(error, Error) and not isinstance(error, (DataError, IntegrityError))
