"""When a waiting session may start: not before a moment, not before another session has ended."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from sessions.domain.states import State
from sessions.errors import Conflict, InvalidStart
from sessions.models import Attempt, TrainingSession
from sessions.services.transitions import record


def session_to_wait_for(run_id: str, *, waiting: TrainingSession | None) -> TrainingSession:
    """Return the session that `waiting` (None for one that is not stored yet) may wait for.

    Raises InvalidStart when there is none, or when it waits for this one itself, directly or through others.
    """
    awaited = TrainingSession.objects.filter(run_id=run_id, trashed_at__isnull=True).first()
    if awaited is None:
        raise InvalidStart(f"There is no session {run_id} to wait for.")
    if waiting is not None and waiting.pk in _chain(awaited):
        raise InvalidStart(f"{run_id} waits for {waiting.run_id} itself; both would wait for ever.")
    return awaited


def _chain(session: TrainingSession) -> list[int]:
    """The session, the one it waits for, the one that one waits for, and so on."""
    chain: list[int] = []
    key: int | None = session.pk
    while key is not None and key not in chain:
        chain.append(key)
        waiting = Attempt.objects.filter(session_id=key, state=State.QUEUED.value)
        key = waiting.values_list("after_id", flat=True).first()
    return chain


def set_schedule(session: TrainingSession, *, at: datetime | None, after: str | None, by: str) -> None:
    """Let a waiting session wait for a moment, for another session, for both, or for neither.

    Raises Conflict when it does not wait in the queue, and as `session_to_wait_for` does.
    """
    with transaction.atomic():
        awaited = session_to_wait_for(after, waiting=session) if after else None
        waiting = Attempt.objects.filter(session=session, state=State.QUEUED.value)
        if not waiting.update(not_before=at, after=awaited):
            raise Conflict(f"{session.run_id} does not wait in the queue.")
        TrainingSession.objects.filter(pk=session.pk).update(version=F("version") + 1)
        record(session.pk, None, State.QUEUED, State.QUEUED, who=by, why=_words(at, awaited))


def _words(at: datetime | None, awaited: TrainingSession | None) -> str:
    parts = [f"not before {at:%Y-%m-%d %H:%M} UTC"] if at else []
    parts += [f"after {awaited.run_id}"] if awaited else []
    return f"Starts {' and '.join(parts)}." if parts else "Starts when its turn comes."
