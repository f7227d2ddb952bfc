"""What a user may ask of a checkpoint: to release it, to go on from it, to have its files looked at."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain.states import ENDED, State
from sessions.errors import Conflict, InvalidInput
from sessions.models import Artifact, TrainingSession
from sessions.selectors.files import files_of_checkpoint, place_of, results_of
from sessions.selectors.sessions import User
from sessions.services import staging
from sessions.services.artifacts import condition_of, sha256_of
from sessions.services.editing import require_permission
from sessions.services.keeping import KEEP_TASK, Keeper, Key, key_of, write_release
from sessions.services.scoring import rescore_all
from sessions.services.starting import new_attempt
from sessions.services.transitions import record, touch
from sessions.trainers.checkpoints import Condition

LOOK_TASK = "sessions.tasks.look_at_checkpoints"
CHANGED = "changed"
LONGEST_NOTE = 2000
# How much of a task one session's files may take before another task goes on.
SLICE_SECONDS = 15.0


def release(session: TrainingSession, artifact: Artifact, *, by: User, note: str = "") -> None:
    """Mark a checkpoint as released: it is kept whatever it scores, and shown in lists.

    Raises NotAllowed, or InvalidInput for a file that belongs to no checkpoint or a note that is too long.
    """
    require_permission(by, "training.start_session", session)
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"A note has at most {LONGEST_NOTE:,} characters.", errors={"note": ["This is too long."]})
    facts = {"released_at": timezone.now(), "released_by": by.get_username(), "released_note": note.strip()}
    key = _key(session, artifact)
    said = f": {facts['released_note']}" if facts["released_note"] else "."
    write_release(session, key, facts)
    _mark(session, artifact, facts, by=by, why=f"Released {_named(key)}{said}")


def take_back(session: TrainingSession, artifact: Artifact, *, by: User) -> None:
    """Take the release of a checkpoint back; it is kept on only while it is among the best. Raises as `release`."""
    require_permission(by, "training.start_session", session)
    key = _key(session, artifact)
    nothing = {"released_at": None, "released_by": "", "released_note": ""}
    write_release(session, key, None)
    _mark(session, artifact, nothing, by=by, why=f"Took back the release of {_named(key)}.")


def _key(session: TrainingSession, artifact: Artifact) -> Key:
    if artifact.step is None or artifact.attempt is None:
        raise InvalidInput(f"{artifact.path} belongs to no checkpoint of a known step.")
    return key_of(artifact)


def _named(key: Key) -> str:
    return f"{key[0]} at step {key[1]:,}"


def _mark(session: TrainingSession, artifact: Artifact, facts: dict[str, Any], *, by: User, why: str) -> None:
    with transaction.atomic():
        files_of_checkpoint(artifact).update(**facts)
        state = State(session.state)
        record(session.pk, None, state, state, who=by.get_username(), why=why)
        touch(session.pk)
        async_task(KEEP_TASK, session.pk)


def keep(session_id: int) -> None:
    """Keep and remove as the session's rules and releases say now; what takes longer is left to a further task.

    Removing the link of what is not among the best any more is the supervisor's while an attempt lives.
    """
    session = TrainingSession.objects.filter(pk=session_id).first()
    if session is None:
        return
    rescore_all(session)
    keeper = Keeper(session)
    live = State(session.state) not in ENDED
    deadline = time.monotonic() + SLICE_SECONDS
    try:
        while not keeper.keep(live=live, seconds=SLICE_SECONDS) and time.monotonic() < deadline:
            continue
    finally:
        keeper.close()


def resume_from(
    session: TrainingSession, artifact: Artifact, *, by: User, after: TrainingSession | None = None
) -> None:
    """Queue a further attempt that goes on from a chosen checkpoint, with its step.

    What is resumed from otherwise is kept beside it. Other behaviors go on from what they saved last. Raises
    NotAllowed, Conflict when the session has not ended, InvalidInput when the checkpoint cannot be used.
    """
    require_permission(by, "training.start_session", session)
    if session.origin == "imported":
        raise Conflict(f"{session.run_id} was not trained here.", hint="Begin a session with the checkpoint instead.")
    if State(session.state) not in ENDED:
        raise Conflict(f"{session.run_id} has not ended, so it cannot be started again.", hint="Stop it first.")
    chosen = staging.chosen_checkpoint(artifact)
    staging.check_kind([chosen], session.trainer.kind)
    why = f"Goes back to {_named(_key(session, artifact))} and resumes from there."
    with transaction.atomic():
        new_attempt(session, by=by.get_username(), resume=True, force=False, why=why, after=after, chosen=[chosen])
    session.refresh_from_db()


def ask_for_a_look(session: TrainingSession, *, by: User) -> None:
    """Have a task read the files of all checkpoints and compare their digests. Raises NotAllowed, Conflict."""
    require_permission(by, "training.start_session", session)
    if State(session.state) not in ENDED:
        raise Conflict(f"{session.run_id} still writes its files.", hint="Have them looked at when it has ended.")
    async_task(LOOK_TASK, session.pk, 0)


def look(session_id: int, after: int) -> int | None:
    """Read the files whose rows come after this one and store how they are; return the row to go on from, or None.

    A file that differs from its digest is `changed`, whatever its bytes are.
    """
    session = TrainingSession.objects.filter(pk=session_id).first()
    results = results_of(session) if session else None
    deadline = time.monotonic() + SLICE_SECONDS
    for row in Artifact.objects.filter(session_id=session_id, pk__gt=after, present=True).order_by("pk"):
        assert session is not None  # noqa: S101 - it has a row
        path = place_of(row, session, results)
        digest = sha256_of(path) if path else ""
        found = condition_of(path).value if path and digest else Condition.MISSING.value
        changed = bool(row.sha256 and digest and digest != row.sha256)
        Artifact.objects.filter(pk=row.pk).update(condition=CHANGED if changed else found, sha256=row.sha256 or digest)
        if time.monotonic() > deadline:
            return row.pk
    touch(session_id)
    return None


def artifact_named(session: TrainingSession, key: int) -> Artifact | None:
    """Return a file of a session by its id, also one that ML-Agents has removed."""
    rows = Artifact.objects.filter(session=session, pk=key)
    return rows.select_related("attempt", "session__trainer").first()
