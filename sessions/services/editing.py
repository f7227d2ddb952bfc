"""Changes to a session that do not touch its processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from sessions.domain.labels import clean_project, clean_tags
from sessions.domain.states import ENDED, State, values
from sessions.errors import Conflict, NotAllowed
from sessions.models import TrainingSession
from sessions.models.session import DELETING
from sessions.selectors.files import checkpoints_are_gone
from sessions.selectors.sessions import User
from sessions.services.planning import GONE
from sessions.services.schedule import session_to_wait_for
from sessions.services.starting import new_attempt
from sessions.services.transitions import record

EDITABLE = ("name", "notes", "tags", "project", "priority")
CLEANERS: dict[str, Callable[[Any], Any]] = {"tags": clean_tags, "project": clean_project}


def require_permission(user: User, permission: str, session: TrainingSession | None = None) -> None:
    """Raise NotAllowed unless the user has the permission; owners of a session may stop it in any case."""
    if session is not None and session.owner_id == user.pk and permission == "training.stop_session":
        return
    if not user.has_perm(permission):
        raise NotAllowed("You may not do this.", hint="Ask an administrator for the permission.")


def edit(session: TrainingSession, changes: Mapping[str, Any], *, by: str) -> TrainingSession:
    """Change name, notes, tags, project or priority; what changed, and by whom, becomes an event."""
    cleaned = {name: CLEANERS.get(name, _as_is)(changes[name]) for name in EDITABLE if name in changes}
    columns = {name: value for name, value in cleaned.items() if value != getattr(session, name)}
    if columns:
        with transaction.atomic():
            TrainingSession.objects.filter(pk=session.pk).update(**columns, version=F("version") + 1)
            _tell(session, by=by, why=_what_changed(columns))
        session.refresh_from_db()
    return session


def _as_is(value: Any) -> Any:
    return value


def _what_changed(columns: Mapping[str, Any]) -> str:
    if list(columns) == ["project"]:
        return f"Moved to the project {columns['project']}." if columns["project"] else "Taken out of its project."
    return f"Changed {', '.join(columns)}."


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


def trash(session: TrainingSession, *, by: str, why: str = "Moved to the trash.") -> None:
    """Move an ended session to the trash; its files stay. Raises Conflict while it has not ended."""
    ended = _ended(session)
    _put(ended.filter(trashed_at__isnull=True), session, by=by, why=why, trashed_at=timezone.now())


def restore(session: TrainingSession, *, by: str) -> None:
    """Take a session out of the trash, unless it is being deleted already."""
    trashed = TrainingSession.objects.filter(pk=session.pk, trashed_at__isnull=False).exclude(chore__in=DELETING)
    _put(trashed, session, by=by, why="Taken out of the trash.", trashed_at=None)


def archive(session: TrainingSession, *, by: str, why: str = "Moved to the archive.") -> None:
    """Take an ended session out of the lists, to be kept compressed. Raises Conflict while it has not ended.

    Only MENTOR's own files are compressed; those of an imported session stay as they are.
    """
    rows = _ended(session).filter(archived_at__isnull=True)
    chore = "pack" if session.origin == "mentor" else ""
    _put(rows, session, by=by, why=why, archived_at=timezone.now(), chore=chore, chore_after=None)


def unarchive(session: TrainingSession, *, by: str) -> None:
    """Bring a session back into the lists; its files are decompressed soon, and can be read meanwhile."""
    rows = TrainingSession.objects.filter(pk=session.pk, archived_at__isnull=False).exclude(chore__in=DELETING)
    chore = "unpack" if session.origin == "mentor" else ""
    why = "Taken out of the archive."
    _put(rows, session, by=by, why=why, archived_at=None, chore=chore, chore_after=None)


def _ended(session: TrainingSession) -> QuerySet[TrainingSession]:
    ended = TrainingSession.objects.filter(pk=session.pk, state__in=values(ENDED)).exclude(chore__in=DELETING)
    if not ended.exists():
        raise Conflict(f"{session.run_id} has not ended.", hint="Stop it first.")
    return ended


def _put(rows: QuerySet[TrainingSession], session: TrainingSession, *, by: str, why: str, **columns: Any) -> None:
    with transaction.atomic():
        if rows.update(**columns, version=F("version") + 1):
            _tell(session, by=by, why=why)


def _tell(session: TrainingSession, *, by: str, why: str) -> None:
    """Write an event that changes no state."""
    state = State(session.state)
    record(session.pk, None, state, state, who=by, why=why)
