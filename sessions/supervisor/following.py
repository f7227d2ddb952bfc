"""An attempt that lives: its start is stored, wishes are carried to it, deadlines kept where its shim does not."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings

from sessions.domain.states import ACTIVE, SPEAKING, State
from sessions.models import Attempt
from sessions.runtime.evidence import Evidence
from sessions.runtime.patience import Patience
from sessions.runtime.rundir import AttemptDirectory
from sessions.runtime.takeover import interrupt_trainer, kill_attempt, kill_shim
from sessions.services.alarms import raise_alarm, take_back
from sessions.services.transitions import SUPERVISOR, move, touch
from sessions.supervisor.tries import Lasting

logger = logging.getLogger(__name__)

# How long a stop may stay unseen before the trainer is interrupted from outside.
UNSEEN_SECONDS = 10.0
# How long a living shim may leave undone what is due before the supervisor does it.
IDLE_SHIM_SECONDS = 20.0
# How long the folder of an attempt that lives may be away before a person is told.
GONE_SECONDS = 10.0
# How long one round may wait for processes that were killed.
KILL_SECONDS = 1.0
ASKED = {
    "stop": "",
    "pause": "Asked to pause; the trainer is saving its model.",
    "kill": "Asked to end at once.",
    "restart": "Asked to end for a restart; the trainer is saving its model.",
}


@dataclass
class Following:
    """What is remembered while an attempt is followed; all of it can be forgotten."""

    attempt: Attempt
    directory: AttemptDirectory
    _due: Lasting = field(default_factory=Lasting)
    _claim: Lasting = field(default_factory=Lasting)
    _patience: Patience | None = None
    _stop_seen: bool = False
    _folder_is_there: bool | None = None
    _now: float = 0.0

    def follow(self, evidence: Evidence, now: float, *, alone: bool) -> None:
        """Store what was seen of a living attempt and carry on what is wanted; `alone` is it without its shim."""
        row = Attempt.objects.values_list("state", "session__wanted").filter(pk=self.attempt.pk).first()
        if row is None or State(row[0]) not in ACTIVE:
            return  # somebody else ended it, or it was deleted: the next refresh drops it
        self.attempt.state, wanted = row
        if self.attempt.state == State.LAUNCHING.value:
            move(self.attempt, State.STARTING, who=SUPERVISOR)
        self._claim.see(evidence.claim is not None, now)
        if evidence.claim is not None or self._claim.seconds(now) > GONE_SECONDS:
            self._tell_of_the_folder(there=evidence.claim is not None)
        if alone == self.attempt.supervised:
            self._note_supervision(supervised=not alone)
        self._carry_wishes(evidence, wanted)
        self._tell_of_the_stop(evidence)
        self._end_when_due(evidence, now, alone=alone)

    def _tell_of_the_folder(self, *, there: bool) -> None:
        if there == self._folder_is_there:
            return
        self._folder_is_there = there
        sentence = (
            f"The folder of this attempt, {self.directory.path}, is gone, and processes of it live on. "
            "Put it back, or end the attempt at once."
        )
        (take_back if there else raise_alarm)(self.attempt, sentence)

    def _note_supervision(self, *, supervised: bool) -> None:
        Attempt.objects.filter(pk=self.attempt.pk).update(supervised=supervised)
        touch(self.attempt.session_id)
        self.attempt.supervised = supervised

    def _carry_wishes(self, evidence: Evidence, wanted: str) -> None:
        """Hand on what users asked for: create-once files, so that carrying a wish twice does nothing."""
        if wanted == "run":
            return
        self.attempt.refresh_from_db()
        by = self.attempt.stop_asked_by or SUPERVISOR
        try:
            if wanted in ("stop", "pause", "restart") and evidence.stop_request is None:
                self.directory.request_stop(by, default_grace())
            elif wanted == "kill" and evidence.kill_request is None:
                self.directory.request_kill(by)
        except OSError as error:
            self._cannot_ask(wanted, error)
        if State(self.attempt.state) in SPEAKING:
            move(self.attempt, State.STOPPING, who=by, why=ASKED[wanted])

    def _tell_of_the_stop(self, evidence: Evidence) -> None:
        """Pages show how far a stop is."""
        if evidence.stop_seen is not None and not self._stop_seen:
            self._stop_seen = True
            touch(self.attempt.session_id)

    def _cannot_ask(self, wanted: str, error: OSError) -> None:
        """A disk that is full or gone takes no request: a kill needs none."""
        if wanted == "kill":
            kill_attempt(self.directory, self.attempt.cookie, seconds=KILL_SECONDS)
            return
        why = error.strerror or str(error)
        raise_alarm(self.attempt, f"The trainer could not be asked to stop ({why}). Make room, or end it at once.")

    def _end_when_due(self, evidence: Evidence, now: float, *, alone: bool) -> None:
        """Keep the deadlines of stop and kill for a shim that is dead, or lives and does nothing."""
        due = self._what_is_due(evidence, now)
        self._due.see(due, now)
        if due == "interrupt" and alone:
            interrupt_trainer(self.directory)
        elif due == "kill" and (alone or self._due.seconds(now) > IDLE_SHIM_SECONDS):
            logger.warning("%s: ending what is left of the attempt", self.directory.path)
            with suppress(OSError):
                self.directory.request_kill(SUPERVISOR)  # so that its exit record can say who did it
            kill_attempt(self.directory, self.attempt.cookie, seconds=KILL_SECONDS)
            if not alone:
                kill_shim(self.directory)

    def _what_is_due(self, evidence: Evidence, now: float) -> str:
        if evidence.stop_request is None and evidence.kill_request is None:
            return ""
        if self._patience is None:
            self._patience = Patience(default_grace(), UNSEEN_SECONDS, lambda: self._now)
        self._now = now
        return self._patience.due(
            stop=evidence.stop_request,
            kill=evidence.kill_request is not None,
            seen=evidence.stop_seen is not None,
        )


def default_grace() -> float:
    """Return how many seconds a trainer may take to save after a stop."""
    return float(settings.MENTOR["MENTOR_STOP_GRACE_SECONDS"])
