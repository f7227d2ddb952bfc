"""What the worker runs: each takes an id, ends soon, and may be delivered twice."""

from __future__ import annotations

from django_q.tasks import async_task

from sessions.errors import IllegalTransition
from sessions.services import checkpoints, compaction, imports, inspections, launching, preflight
from sessions.services import upkeep as upkeeping

# So long at a time: others wait in the same queue.
SLICE_SECONDS = 10.0


def launch_attempt(attempt_id: int) -> None:
    """Start an attempt, unless another delivery already did."""
    try:
        attempt = launching.claim_launch(attempt_id)
    except IllegalTransition:
        return  # delivered twice, or stopped while it waited
    launching.launch(attempt)


def compact_series() -> None:
    """Compress what ended attempts have written, a slice at a time."""
    if not compaction.compact(seconds=SLICE_SECONDS):
        compaction.ask()


def keep_checkpoints(session_id: int) -> None:
    """Keep the best checkpoints of a session, and those that were released."""
    checkpoints.keep(session_id)


def look_at_checkpoints(session_id: int, after: int) -> None:
    """Compare the files of a session with their digests, in slices."""
    if (last := checkpoints.look(session_id, after)) is not None:
        async_task(checkpoints.LOOK_TASK, session_id, last)


def inspect_models(session_id: int) -> None:
    """Look into the models of a session that somebody asked about."""
    inspections.inspect_waiting(session_id)


def ask_parser(verdict_id: int) -> None:
    """Have a trainer's own parser read a configuration that somebody wants to start."""
    preflight.answer(verdict_id)


def connect_environment(connection_id: int) -> None:
    """Read the behaviors of a build that somebody wants to train in."""
    preflight.answer_connection(connection_id)


def work_on_import(import_id: int) -> None:
    """Do a slice of an import and enqueue the next, until there is nothing left."""
    if not imports.work(import_id):
        imports.enqueue(import_id)


def upkeep() -> None:
    """Do a slice of what MENTOR does for itself; the supervisor asks again while there is more."""
    upkeeping.work()
