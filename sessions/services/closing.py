"""The end of an attempt: the last lines are read, the files listed, the ending told apart and stored."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django_q.tasks import async_task

from sessions.domain.failures import last_failure
from sessions.domain.outcome import Ending, Outcome, classify
from sessions.domain.states import ACTIVE, State
from sessions.models import Artifact, Attempt, BehaviorProgress, TrainingSession
from sessions.runtime.files import size_and_crc32
from sessions.runtime.rundir import ExitRecord
from sessions.services import artifacts
from sessions.services.ingest import Ingester, advance, read_block
from sessions.services.launching import free_ports
from sessions.services.transitions import SUPERVISOR, move
from sessions.trainers.checkpoints import CURRENT, Condition, condition, model_condition

logger = logging.getLogger(__name__)

TAIL_BYTES = 256 * 1024


def close(ingester: Ingester, record: ExitRecord, *, same_boot: bool = True) -> bool:
    """Bring an attempt whose process has ended to its terminal state; return whether this caller did it.

    Everything the attempt wrote is stored first. What follows a finished session is enqueued with the change.
    """
    attempt = ingester.attempt
    ingester.drain()
    attempt.refresh_from_db()
    files = artifacts.store(attempt, ingester.results, hashed=True, until=ingester.until)
    for behavior, step in artifacts.final_steps(ingester.results, until=ingester.until).items():
        advance(attempt.session_id, behavior, step)
    saved = _saved_by(attempt, files)
    models = [one for one in saved if one.kind == "onnx"]
    outcome = _as_wanted(classify(_ending(ingester, record, models, same_boot=same_boot)), attempt)
    fields = _fields(ingester, record, saved, outcome)
    with transaction.atomic():
        if not move(
            attempt,
            State(outcome.state),
            who=SUPERVISOR,
            why=outcome.explanation,
            expected=_from(attempt),
            fields=fields,
        ):
            return False
        free_ports(attempt)
        for task in settings.MENTOR_AFTER_SESSION:
            async_task(task, attempt.session_id)
    return True


def _from(attempt: Attempt) -> list[State]:
    """Launching is left through starting; an attempt that ended before anyone saw it start takes both steps."""
    if State(attempt.state) is State.LAUNCHING:
        move(attempt, State.STARTING, who=SUPERVISOR)
    state = State(attempt.state)
    return [state] if state in ACTIVE else [State.RUNNING]


def _as_wanted(outcome: Outcome, attempt: Attempt) -> Outcome:
    """A stop that was asked for as a pause keeps its place; nobody paused what was ended by force."""
    wanted = TrainingSession.objects.values_list("wanted", flat=True).get(pk=attempt.session_id)
    if wanted != "pause" or outcome.state != State.STOPPED.value:
        return outcome
    return Outcome(State.PAUSED.value, outcome.explanation.replace("Stopped as asked", "Paused", 1))


def _saved_by(attempt: Attempt, changed: list[Artifact]) -> list[Artifact]:
    """The models of this attempt, and the checkpoint of each behavior from which it can be resumed."""
    since = attempt.launched_at or attempt.granted_at
    listed = Artifact.objects.filter(Q(kind="onnx") | Q(path__endswith=f"/{CURRENT}"), present=True)
    fresh = {one.pk for one in changed}
    return [
        one for one in listed.filter(session_id=attempt.session_id)
        if one.pk in fresh or (since is not None and one.modified_ns >= since.timestamp() * 1e9)
    ]  # fmt: skip


def _ending(ingester: Ingester, record: ExitRecord, models: list[Artifact], *, same_boot: bool) -> Ending:
    attempt = ingester.attempt
    behaviors = [one for one in BehaviorProgress.objects.filter(session_id=attempt.session_id) if one.seen]
    request, spec = ingester.directory.read_stop_request(), ingester.directory.read_spec()
    return Ending(
        code=record.code,
        stop_requested=record.stop_requested,
        killed=record.killed,
        kill_asked=ingester.directory.read_kill_request() is not None,
        grace_seconds=(request.grace_seconds if request else None) or (spec.grace_seconds if spec else None),
        inferred=record.inferred,
        interrupted=attempt.interrupted,
        steps={one.name: one.step for one in behaviors},
        max_steps={one.name: one.max_steps for one in behaviors if one.max_steps is not None},
        saved=[f"{one.path} at step {one.step:,}" if one.step is not None else one.path for one in models if one.final],
        failure=_failure(ingester),
        same_boot=same_boot,
        started=attempt.console_offset > 0,
    )


def _failure(ingester: Ingester) -> str | None:
    path = ingester.directory.console
    try:
        size = path.stat().st_size
    except OSError:
        return None
    tail = read_block(path, max(0, size - TAIL_BYTES), TAIL_BYTES).decode("utf-8", "replace")
    return last_failure(tail.splitlines())


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


def console_is_whole(ingester: Ingester, record: ExitRecord) -> bool:
    """Tell whether the console on disk is, byte for byte, what the shim saw at the end; warn when it is not."""
    if size_and_crc32(ingester.directory.console) == (record.log_size, record.log_crc32):
        return True
    logger.warning("%s: the console differs from what was recorded at the end", ingester.directory.path)
    return False
