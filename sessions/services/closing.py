"""The end of an attempt: the last lines are read, the files listed, the ending told apart and stored."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from django.db.models import Q

from sessions.domain.failures import last_failure
from sessions.domain.outcome import Ending, Outcome, classify
from sessions.domain.states import ACTIVE, State
from sessions.models import Artifact, Attempt, BehaviorProgress, TrainingSession
from sessions.runtime.files import size_and_crc32
from sessions.runtime.rundir import ExitRecord
from sessions.runtime.tails import tail
from sessions.services import artifacts, rules
from sessions.services.alarms import raise_alarm
from sessions.services.ending import end
from sessions.services.ingest import Ingester
from sessions.services.progress import advance
from sessions.services.stopping import STOPPED_BY
from sessions.services.transitions import SUPERVISOR, move
from sessions.trainers.checkpoints import CURRENT, Condition, condition, model_condition

logger = logging.getLogger(__name__)

TAIL_BYTES = 256 * 1024
AS_ASKED = "Stopped as asked"


def gather(ingester: Ingester, *, seconds: float = float("inf")) -> bool:
    """Store what an attempt that has ended wrote and the digests of its files; return whether that is all.

    After about `seconds` the rest is left to the next call.
    """
    deadline = time.monotonic() + seconds
    if not ingester.finish(seconds):
        return False
    artifacts.store(ingester.attempt, ingester.results, hashed=False)
    return artifacts.add_digests(ingester.attempt, ingester.results, deadline=deadline)


def close(ingester: Ingester, record: ExitRecord, *, same_boot: bool = True) -> bool:
    """Bring an attempt whose processes have ended to its terminal state; return whether this caller did it.

    Everything the attempt wrote is stored first, and its console compared with what was recorded at the end.
    """
    attempt = ingester.attempt
    ingester.finish()
    if sentence := _what_is_wrong_with_the_console(ingester, record):
        raise_alarm(attempt, sentence)
    attempt.refresh_from_db()
    files = artifacts.store(attempt, ingester.results, hashed=True, until=ingester.until)
    for behavior, step in artifacts.final_steps(ingester.results, until=ingester.until).items():
        advance(attempt.session_id, behavior, step)
    saved = _saved_by(attempt, files)
    models = [one for one in saved if one.kind == "onnx"]
    outcome = _as_wanted(classify(_ending(ingester, record, models, same_boot=same_boot)), attempt)
    if reason := rules.reason_of(attempt):
        outcome = Outcome(outcome.state, f"{reason} {outcome.explanation}")
    return end(
        attempt,
        State(outcome.state),
        why=outcome.explanation,
        expected=_from(attempt),
        fields=_fields(ingester, record, saved, outcome),
    )


def lose(attempt: Attempt, why: str) -> bool:
    """End an attempt of which nothing certain can be said, with an alarm; return whether this caller did it."""
    attempt.refresh_from_db()
    if State(attempt.state) not in ACTIVE:
        return False
    raise_alarm(attempt, why)
    return end(attempt, State.LOST, why=why, expected=_from(attempt), fields={"failure": why})


def _from(attempt: Attempt) -> list[State]:
    """Launching is left through starting; an attempt that ended before anyone saw it start takes both steps."""
    if State(attempt.state) is State.LAUNCHING:
        move(attempt, State.STARTING, who=SUPERVISOR)
    state = State(attempt.state)
    return [state] if state in ACTIVE else [State.RUNNING]


def _as_wanted(outcome: Outcome, attempt: Attempt) -> Outcome:
    """A stop that was asked for as a pause keeps its place, and one that MENTOR asked for says why.

    Nobody paused what was ended by force.
    """
    if outcome.state != State.STOPPED.value:
        return outcome
    wanted = TrainingSession.objects.values_list("wanted", flat=True).get(pk=attempt.session_id)
    if wanted == "pause":
        return Outcome(State.PAUSED.value, outcome.explanation.replace(AS_ASKED, "Paused", 1))
    because = STOPPED_BY.get(attempt.stop_asked_by, AS_ASKED)
    return Outcome(outcome.state, outcome.explanation.replace(AS_ASKED, because, 1))


def _saved_by(attempt: Attempt, changed: list[Artifact]) -> list[Artifact]:
    """The models of this attempt, and the checkpoint of each behavior from which it can be resumed."""
    since = attempt.launched_at or attempt.granted_at
    listed = Artifact.objects.filter(Q(kind="onnx") | Q(path__endswith=f"/{CURRENT}"), present=True, kept=False)
    fresh = {one.pk for one in changed}
    return [
        one for one in listed.filter(session_id=attempt.session_id)
        if one.pk in fresh or (since is not None and one.modified_ns >= since.timestamp() * 1e9)
    ]  # fmt: skip


def _ending(ingester: Ingester, record: ExitRecord, models: list[Artifact], *, same_boot: bool) -> Ending:
    attempt = ingester.attempt
    behaviors = [one for one in BehaviorProgress.objects.filter(session_id=attempt.session_id) if one.seen]
    return Ending(
        code=record.code,
        stop_requested=record.stop_requested,
        killed=record.killed,
        kill_asked=ingester.directory.read_kill_request() is not None,
        grace_seconds=ingester.directory.grace_seconds(),
        inferred=record.inferred,
        interrupted=attempt.interrupted,
        steps={one.name: one.step for one in behaviors},
        max_steps={one.name: one.max_steps for one in behaviors if one.max_steps is not None},
        saved=[f"{one.path} at step {one.step:,}" if one.step is not None else one.path for one in models if one.final],
        failure=last_failure(tail(ingester.directory.console, TAIL_BYTES).splitlines()),
        advice=_advice(attempt, record),
        same_boot=same_boot,
        started=attempt.console_offset > 0,
    )


def _advice(attempt: Attempt, record: ExitRecord) -> str:
    """What helps against a failure, where its cause is known."""
    if not record.code or record.stop_requested:
        return ""
    from sessions.selectors.diagnosis import cause_of  # which a supervisor needs after a failure only

    found = cause_of(attempt.session, attempt, record.code)
    return found[1] if found else ""


def _fields(ingester: Ingester, record: ExitRecord, saved: list[Artifact], outcome: Outcome) -> dict[str, Any]:
    return {
        "exit_code": record.code,
        "ended_at": datetime.fromtimestamp(record.ended_at, tz=timezone.utc),
        "console_size": record.log_size,
        "console_crc32": record.log_crc32,
        "failure": (outcome.explanation if outcome.state in {"failed", "lost"} else ""),
        "saved": _receipt(saved, ingester.results),
    }


def _receipt(saved: list[Artifact], results: Path) -> list[dict[str, Any]]:
    """What was saved, file by file; a blank checkpoint was put there before the start."""
    files = [_saved_file(one, results / one.path) for one in saved]
    return [one for one in files if one["condition"] != Condition.BLANK.value]


def _saved_file(artifact: Artifact, file: Path) -> dict[str, Any]:
    return {
        "id": artifact.pk,
        "path": artifact.path,
        "behavior": artifact.behavior,
        "kind": artifact.kind,
        "step": artifact.step,
        "reward": artifact.reward,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "final": artifact.final,
        "condition": (model_condition(file) if artifact.kind == "onnx" else condition(file)).value,
    }


def _what_is_wrong_with_the_console(ingester: Ingester, record: ExitRecord) -> str:
    """Compare the console on disk, and what was read of it, with what the shim saw at the end; empty when all agree.

    Where only the reading differs, the console is read again.
    """
    recorded = (record.log_size, record.log_crc32)
    on_disk = size_and_crc32(ingester.directory.console)
    if on_disk != recorded:
        return (
            f"console.log is not what it was when the trainer ended: it had {recorded[0]:,} bytes then and has "
            f"{on_disk[0]:,} now{' of other content' if on_disk[0] == recorded[0] else ''}."
        )
    if ingester.position != recorded:
        logger.warning("%s: the console is read again from its beginning", ingester.directory.path)
        ingester.read_again()
    return "" if ingester.position == recorded else "console.log could not be read whole."
