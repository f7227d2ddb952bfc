"""Changes to a session that do not touch its processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from sessions.domain.states import ENDED, State, values
from sessions.errors import Conflict, NotAllowed
from sessions.models import TrainingSession
from sessions.selectors.files import checkpoints_are_gone
from sessions.selectors.sessions import User
from sessions.services import memo
from sessions.services.planning import GONE
from sessions.services.schedule import session_to_wait_for
from sessions.services.starting import new_attempt
from sessions.services.transitions import record

EDITABLE = ("name", "notes", "tags", "priority")


def require_permission(user: User, permission: str, session: TrainingSession | None = None) -> None:
    """Raise NotAllowed unless the user has the permission; owners of a session may stop it in any case."""
    if session is not None and session.owner_id == user.pk and permission == "training.stop_session":
        return
    if not user.has_perm(permission):
        raise NotAllowed("You may not do this.", hint="Ask an administrator for the permission.")


def edit(session: TrainingSession, changes: Mapping[str, Any]) -> TrainingSession:
    """Change name, notes, tags or priority."""
    columns = {name: changes[name] for name in EDITABLE if name in changes}
    if columns:
        TrainingSession.objects.filter(pk=session.pk).update(**columns, version=F("version") + 1)
        memo.keep(session.pk)
        session.refresh_from_db()
    return session


def resume(session: TrainingSession, *, by: str, after: str | None = None) -> TrainingSession:
    """Queue a further attempt that goes on from the last checkpoint; one that never saved anything begins anew.

    With `after` it waits until the session with that run id has ended. Raises Conflict when the session has not ended,
    or when its checkpoints are no longer where they were, and as `schedule.session_to_wait_for` does.
    """
    if State(session.state) in ENDED and checkpoints_are_gone(session):
        raise Conflict(f"The checkpoints of {session.run_id} are no longer there.", hint=GONE)
    with transaction.atomic():
        awaited = session_to_wait_for(after, waiting=session) if after else None
        new_attempt(session, by=by, resume=True, force=False, after=awaited)
    session.refresh_from_db()
    return session


def trash(session: TrainingSession, *, by: str) -> None:
    """Move an ended session to the trash; its files stay. Raises Conflict while it has not ended."""
    ended = TrainingSession.objects.filter(pk=session.pk, state__in=values(ENDED))
    if not ended.exists():
        raise Conflict(f"{session.run_id} has not ended.", hint="Stop it first.")
    _put(ended.filter(trashed_at__isnull=True), timezone.now(), session, by=by, why="Moved to the trash.")


def restore(session: TrainingSession, *, by: str) -> None:
    """Take a session out of the trash."""
    trashed = TrainingSession.objects.filter(pk=session.pk, trashed_at__isnull=False)
    _put(trashed, None, session, by=by, why="Taken out of the trash.")


def _put(rows: QuerySet[TrainingSession], at: datetime | None, session: TrainingSession, *, by: str, why: str) -> None:
    with transaction.atomic():
        if rows.update(trashed_at=at, version=F("version") + 1):
            state = State(session.state)
            record(session.pk, None, state, state, who=by, why=why)
