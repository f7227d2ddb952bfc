"""One attempt under supervision: look at its process once, then read what it wrote, then decide."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from sessions.domain.states import SPEAKING, State
from sessions.models import Attempt, TrainingSession
from sessions.runtime.evidence import Evidence, infer_exit, look
from sessions.runtime.takeover import interrupt_trainer, kill_attempt
from sessions.services import artifacts, closing, launching
from sessions.services.ingest import Ingester, Overtaken, touch
from sessions.services.transitions import SUPERVISOR, move
from sessions.supervisor.guard import Guard
from sessions.supervisor.reconcile import Step, decide

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
# How long a stop may stay unseen before the trainer is interrupted from outside.
UNSEEN_SECONDS = 10.0
ASKED = {
    "stop": "",
    "pause": "Asked to pause; the trainer is saving its model.",
    "kill": "Asked to end at once.",
    "restart": "Asked to end for a restart; the trainer is saving its model.",
}


@dataclass
class Watch:
    """What the supervisor remembers about one unfinished attempt; all of it can be forgotten."""

    attempt: Attempt
    ingester: Ingester = field(init=False)
    guard: Guard = field(init=False)
    _looked_at: float = float("-inf")
    _stop_seen: bool = False

    def __post_init__(self) -> None:
        self.ingester = Ingester(self.attempt, launching.directory_of(self.attempt))
        self.guard = Guard(self.attempt.pk)

    def tick(self, now: float) -> bool:
        """Do one round; return False once the attempt has ended. `now` is a monotonic clock in seconds."""
        if now - self._looked_at < LOOK_SECONDS:
            self._read()
            return True
        self._looked_at = now
        evidence = look(self.ingester.directory)
        more = self._read()
        goes_on = self._act(evidence)
        if goes_on and not more:
            self.guard.tick(now)  # judged by all that was written, not by where the reader is
        return goes_on

    def _read(self) -> bool:
        more = True
        try:
            more = self.ingester.step()
        except Overtaken:
            self.attempt.refresh_from_db()
            self.ingester = Ingester(self.attempt, self.ingester.directory)
        if self.ingester.saved:
            self.ingester.saved = False
            artifacts.store(self.attempt, self.ingester.results, hashed=False)
        return more

    def _act(self, evidence: Evidence) -> bool:
        step = decide(evidence, since_launch=_age(self.attempt.launched_at))
        if step is Step.WAIT:
            self._wait()
        elif step is Step.CLOSE and evidence.exit is not None:
            closing.console_is_whole(self.ingester, evidence.exit)
            return not closing.close(self.ingester, evidence.exit, same_boot=evidence.boot != "other")
        elif step is Step.INFER:
            infer_exit(self.ingester.directory)
        elif step is Step.VOID:
            self.ingester.directory.claim_void()
        elif step is Step.FAIL:
            launching.fail_launch(self.attempt, "The attempt could not be launched within 30 seconds.")
            return False
        else:
            self._follow(evidence, alone=step is Step.FOLLOW_ALONE)
        return True

    def _wait(self) -> None:
        granted = _age(self.attempt.granted_at)
        if self.attempt.launched_at is None:
            self.attempt.refresh_from_db(fields=["launched_at"])
        if self.attempt.launched_at is None and granted is not None and granted > 30:
            launching.enqueue_again(self.attempt)
            self.attempt.refresh_from_db(fields=["granted_at"])

    def _follow(self, evidence: Evidence, *, alone: bool) -> None:
        state, wanted = Attempt.objects.values_list("state", "session__wanted").get(pk=self.attempt.pk)
        if state == State.LAUNCHING.value:
            self.attempt.state = state
            move(self.attempt, State.STARTING, who=SUPERVISOR)
        if alone == self.attempt.supervised:
            self._note_supervision(supervised=not alone)
        self._carry_wishes(evidence, wanted)
        if evidence.stop_seen is not None and not self._stop_seen:
            self._stop_seen = True
            touch(self.attempt.session_id)  # pages show how far the stop is
        if alone:
            self._end_when_due(evidence)

    def _note_supervision(self, *, supervised: bool) -> None:
        Attempt.objects.filter(pk=self.attempt.pk).update(supervised=supervised)
        TrainingSession.objects.filter(pk=self.attempt.session_id).update(version=F("version") + 1)
        self.attempt.supervised = supervised

    def _carry_wishes(self, evidence: Evidence, wanted: str) -> None:
        """Hand on what users asked for: create-once files, so that carrying a wish twice does nothing."""
        if wanted == "run":
            return
        self.attempt.refresh_from_db()
        by = self.attempt.stop_asked_by or SUPERVISOR
        if wanted in ("stop", "pause", "restart") and evidence.stop_request is None:
            self.ingester.directory.request_stop(by, _default_grace())
        elif wanted == "kill" and evidence.kill_request is None:
            self.ingester.directory.request_kill(by)
        if State(self.attempt.state) in SPEAKING:
            move(self.attempt, State.STOPPING, who=by, why=ASKED[wanted])

    def _end_when_due(self, evidence: Evidence) -> None:
        """Without a shim, the supervisor keeps the deadlines of stop and kill."""
        directory = self.ingester.directory
        waited = time.time() - evidence.stop_request.at if evidence.stop_request else 0.0
        grace = evidence.stop_request.grace_seconds if evidence.stop_request else None
        if evidence.kill_request is not None or waited > (grace or _default_grace()):
            logger.warning("%s: ending what is left of the attempt", directory.path)
            kill_attempt(directory)
        elif waited > UNSEEN_SECONDS and evidence.stop_seen is None:
            interrupt_trainer(directory)


def _default_grace() -> float:
    return float(settings.MENTOR["MENTOR_STOP_GRACE_SECONDS"])


def _age(moment: datetime | None) -> float | None:
    return (timezone.now() - moment).total_seconds() if moment else None
