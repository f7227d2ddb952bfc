"""Changes of state: compared with what is stored, then written together with their event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from sessions import nudge
from sessions.domain.states import ENDED, EXPLANATIONS, State, require
from sessions.models import Attempt, SessionEvent, TrainingSession
from sessions.models.session import THROWN_AWAY
from sessions.services import memo

SUPERVISOR = "supervisor"


def move(
    attempt: Attempt,
    to: State,
    *,
    who: str,
    why: str = "",
    expected: Iterable[State] | None = None,
    fields: dict[str, Any] | None = None,
) -> bool:
    """Move an attempt and its session to `to` if they still stand where `attempt` says (or in one of `expected`).

    Returns False, and changes nothing, when somebody else was faster. `fields` are further columns of the attempt
    to store in the same change. Raises IllegalTransition when the table of states has no such change.
    """
    old_states = list(expected) if expected is not None else [State(attempt.state)]
    for old in old_states:
        require(old, to)
    why = why or EXPLANATIONS[to]
    with transaction.atomic():
        before = Attempt.objects.filter(pk=attempt.pk).values_list("state", flat=True).first()
        if before not in [state.value for state in old_states]:
            return False
        changes = {"state": to.value, **_times(to, attempt), **(fields or {})}
        if not Attempt.objects.filter(pk=attempt.pk, state=before).update(**changes):
            return False  # overtaken since the look, where transactions run side by side
        _move_session(attempt.session_id, to, why, ended_at=changes.get("ended_at"))
        record(attempt.session_id, attempt.pk, State(before), to, who=who, why=why)
    attempt.refresh_from_db()
    return True


def _times(to: State, attempt: Attempt) -> dict[str, Any]:
    now = timezone.now()
    if to is State.STARTING:
        return {"started_at": now}
    if to in ENDED:
        return {"ended_at": attempt.ended_at or now}
    return {}


def _move_session(session_id: int, to: State, why: str, *, ended_at: datetime | None) -> None:
    changes: dict[str, Any] = {"state": to.value, "explanation": why, "version": F("version") + 1}
    if to in ENDED:
        changes |= {"ended_at": ended_at, "steps_per_second": None}
    rows = TrainingSession.objects.filter(pk=session_id)
    rows.update(**changes)
    if to is State.STARTING:
        rows.filter(started_at__isnull=True).update(started_at=timezone.now())


def announce_end(session_id: int) -> None:
    """Enqueue what follows a finished session, as a part of the transaction that finishes it.

    Nothing follows a part of an evaluation or a trial: its result is told there.
    """
    if TrainingSession.objects.filter(pk=session_id, origin__in=THROWN_AWAY).exists():
        return
    for task in settings.MENTOR_AFTER_SESSION:
        async_task(task, session_id)


def record(session_id: int, attempt_id: int | None, before: State | None, to: State, *, who: str, why: str) -> None:
    """Write the event of a change; once it is committed, renew the session's memo and nudge open pages."""
    SessionEvent.objects.create(
        session_id=session_id,
        attempt_id=attempt_id,
        from_state=before.value if before else "",
        to_state=to.value,
        who=who,
        why=why,
    )
    memo.keep(session_id)
    transaction.on_commit(lambda: nudge.session(session_id))


def touch(session_id: int, **columns: object) -> None:
    """Raise the session's version, so that pages know there is something new, and nudge them."""
    TrainingSession.objects.filter(pk=session_id).update(version=F("version") + 1, **columns)
    transaction.on_commit(lambda: nudge.session(session_id))
