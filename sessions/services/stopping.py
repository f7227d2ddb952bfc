"""Asking a session to stop, to pause or to end at once: the wish is stored, the supervisor carries it on."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sessions.domain.states import ENDED, WAITING, State
from sessions.errors import Conflict
from sessions.models import Attempt, TrainingSession
from sessions.services.transitions import announce_end, move, record

# Who asks when a disk is nearly full.
DISK_RESERVE = "disk reserve"
# How the end of a stop begins that MENTOR asked for by itself.
STOPPED_BY = {DISK_RESERVE: "Stopped because its disk was nearly full"}


def request_stop(session: TrainingSession, *, by: str) -> TrainingSession:
    """Ask the session to save its model and end; asking again changes nothing. Raises Conflict when it has ended."""
    return _want(session, "stop", by=by, from_wishes=("run", "pause", "restart"))


def request_pause(session: TrainingSession, *, by: str) -> TrainingSession:
    """Ask the session to save its model and free its processes, to be resumed later from the same place in the queue.

    Raises Conflict when it has not started or has ended.
    """
    if State(session.state) in WAITING:
        raise Conflict(f"{session.run_id} has not started yet.", hint="Hold it instead.")
    return _want(session, "pause", by=by, from_wishes=("run", "restart"))


def request_kill(session: TrainingSession, *, by: str) -> TrainingSession:
    """End the session's processes at once, without saving. Raises Conflict when it has ended."""
    return _want(session, "kill", by=by, from_wishes=("run", "pause", "stop", "restart"))


def end_by_rule(session: TrainingSession, wish: str, *, rule: str, why: str) -> TrainingSession:
    """Ask, for a rule, to "stop" or to "restart", unless somebody has asked for anything before; `why` is its event.

    Raises Conflict when the session has ended.
    """
    return _want(session, wish, by=f"rule: {rule}", from_wishes=("run",), why=why)


def _want(
    session: TrainingSession, wish: str, *, by: str, from_wishes: tuple[str, ...], why: str = ""
) -> TrainingSession:
    with transaction.atomic():
        session.refresh_from_db()
        require_own(session)
        if State(session.state) in ENDED:
            raise Conflict(f"{session.run_id} has ended; there is nothing to stop.")
        if session.wanted == "restart":
            why = "Its restart was called off."
        changed = TrainingSession.objects.filter(pk=session.pk, wanted__in=from_wishes).update(
            wanted=wish, version=F("version") + 1
        )
        attempt = session.attempts.order_by("-number").first()
        if changed and attempt is not None:
            _note(attempt, by)
            if why:
                state = State(attempt.state)
                record(session.pk, attempt.pk, state, state, who=by, why=why)
    session.refresh_from_db()
    return session


def require_own(session: TrainingSession) -> None:
    """Raise Conflict for a session that was imported: MENTOR has no process of it, and does not write to its files."""
    if session.origin == "imported":
        raise Conflict(
            f"{session.run_id} was not started by MENTOR, which only watches it.",
            hint="Stop it where it was started. To train on, start a session that initializes from it.",
        )


def _note(attempt: Attempt, by: str) -> None:
    Attempt.objects.filter(pk=attempt.pk, stop_asked_at__isnull=True).update(
        stop_asked_at=timezone.now(), stop_asked_by=by
    )
    if State(attempt.state) is State.QUEUED:
        why = "Its restart was called off." if attempt.automatic else "Stopped before it started; nothing was trained."
        if move(attempt, State.STOPPED, who=by, why=why) and attempt.automatic:
            announce_end(attempt.session_id)
