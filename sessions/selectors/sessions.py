"""Sessions as a user may see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from sessions.domain.progress import Standing, eta_seconds, progress
from sessions.domain.rules import in_words
from sessions.domain.states import ACTIVE, ENDED, WAITING, State, values
from sessions.errors import Missing
from sessions.models import Attempt, BehaviorProgress, TrainingSession
from sessions.models.session import DELETING
from sessions.selectors.endings import receipt_of, stopping_of
from sessions.selectors.resources import resources_now, resources_of_running
from sessions.selectors.shapes import AttemptShape, BehaviorShape, SessionDetailShape, SessionShape
from sessions.selectors.unattended import rules_of
from sessions.trainers.kinds import KINDS

User = Account | AnonymousUser
AWAITED_BYTES = ("after__config_given", "after__config_used")
# What may still be asked of a session that runs, by what was asked before.
ASKABLE = {
    "run": ["stop", "pause", "kill"],
    "restart": ["stop", "pause", "kill"],
    "pause": ["stop", "kill"],
    "stop": ["kill"],
    "kill": [],
}


def sees_all(user: User) -> bool:
    """Tell whether a user may see every session."""
    return user.is_authenticated and user.has_perm("training.view_trainingsession")


def visible_sessions(user: User) -> QuerySet[TrainingSession]:
    """Return the sessions a user may see: all with the permission to view, else only the user's own.

    What is being deleted is seen by nobody.
    """
    everything = TrainingSession.objects.exclude(chore__in=DELETING)
    if not user.is_authenticated:
        return everything.none()
    if sees_all(user):
        return everything
    return everything.filter(Q(owner_id=user.pk))


def sessions_with_parts(user: User) -> QuerySet[TrainingSession]:
    """Return the visible sessions with all that `session_shape` reads, in a fixed number of queries."""
    return (
        visible_sessions(user)
        .select_related("trainer", "environment", "owner")
        .prefetch_related(
            "behaviors",
            Prefetch("attempts", queryset=_attempts().defer("command", "saved", *AWAITED_BYTES)),
        )
        .defer("config_given", "config_used")
    )


def _attempts() -> QuerySet[Attempt]:
    attempts = Attempt.objects.select_related("after").order_by("number")
    return attempts.prefetch_related(resources_of_running())


def queued_sessions(user: User) -> list[SessionShape]:
    """Return the visible sessions that wait, in the order of the queue."""
    waiting = sessions_with_parts(user).filter(state=State.QUEUED.value, trashed_at__isnull=True)
    return [session_shape(session) for session in waiting.order_by("-priority", "place", "pk")]


def run_ids_to_wait_for(session: TrainingSession, user: User) -> list[str]:
    """Return the sessions that train or wait, for one that could go on after them."""
    others = visible_sessions(user).filter(state__in=values(ACTIVE | WAITING), trashed_at__isnull=True)
    return list(others.exclude(pk=session.pk).order_by("created_at").values_list("run_id", flat=True))


def session_named(run_id: str, user: User) -> TrainingSession:
    """Return one visible session; raises Missing when there is none."""
    session = (
        visible_sessions(user)
        .select_related("trainer", "environment", "owner")
        .prefetch_related("behaviors", Prefetch("attempts", queryset=_attempts().defer(*AWAITED_BYTES)))
        .filter(run_id=run_id)
        .first()
    )
    if session is None:
        raise Missing(f"There is no session {run_id}.")
    return session


def session_shape(session: TrainingSession) -> SessionShape:
    """Return the session as lists and cards show it."""
    return SessionShape(**_common(session))


def session_detail(session: TrainingSession) -> SessionDetailShape:
    """Return the session whole."""
    attempts = list(session.attempts.all())
    latest = attempts[-1] if attempts else None
    return SessionDetailShape(
        **_common(session),
        notes=session.notes,
        disk_bytes=session.disk_bytes,
        packed_bytes=session.packed_bytes,
        command=latest.command if latest else [],
        options=session.options,
        config_name=session.config_name,
        attempts=[_attempt(session, attempt) for attempt in attempts],
        rules=session.rules,
        unattended=in_words(rules_of(session)),
        saved=latest.saved if latest else [],
        receipt=receipt_of(session, latest) if latest else None,
        stopping=stopping_of(session, latest) if latest else None,
    )


def _common(session: TrainingSession) -> dict[str, Any]:
    state = State(session.state)
    behaviors = _behaviors(session)
    standings = [Standing(one.step, one.max_steps) for one in behaviors]
    return {
        "run_id": session.run_id,
        "name": session.name or session.run_id,
        "state": session.state,
        "explanation": session.explanation,
        "waits_for": session.waits_for,
        "held": session.held,
        **_schedule(session),
        "mode": mode(session),
        "origin": session.origin,
        "trainer": session.trainer.name,
        "environment": session.environment.name if session.environment else None,
        "owner": session.owner.get_username() if session.owner else None,
        "progress": progress(standings),
        "step": max((one.step for one in behaviors), default=0),
        "max_steps": max((one.max_steps for one in behaviors if one.max_steps), default=None),
        "elapsed_seconds": elapsed_seconds(session),
        "eta_seconds": eta_seconds(standings, session.steps_per_second) if state is State.RUNNING else None,
        "steps_per_second": session.steps_per_second,
        "behaviors": [_behavior(one) for one in behaviors],
        "tags": session.tags,
        "project": session.project,
        "priority": session.priority,
        "created_at": session.created_at,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "archived_at": session.archived_at,
        "trashed_at": session.trashed_at,
        "url": session.get_absolute_url(),
        "resources": resources_now(session),
        "actions": actions(session),
        "alarm": _alarm(session),
    }


def _schedule(session: TrainingSession) -> dict[str, Any]:
    """What the session's attempt in the queue waits for: a time, or the end of another session."""
    waiting = next((one for one in session.attempts.all() if one.state == State.QUEUED.value), None)
    return {
        "start_at": waiting.not_before if waiting else None,
        "start_after": waiting.after.run_id if waiting and waiting.after else None,
    }


def mode(session: TrainingSession) -> str:
    """Return "editor" when a person must press Play in Unity, else "executable"."""
    return "editor" if waits_for_play(session) else "executable"


def waits_for_play(session: TrainingSession) -> bool:
    """Tell whether the session trains in the Unity Editor, of which a machine has one."""
    return session.environment_id is None and KINDS[session.trainer.kind].waits_for_play(session.options)


def actions(session: TrainingSession) -> list[str]:
    """Return what may be asked of the session now."""
    state = State(session.state)
    if session.trashed_at is not None:
        return ["restore"]
    if session.archived_at is not None:
        return ["unarchive", "trash"]
    if state in WAITING:
        return ["release" if session.held else "hold", "stop"]
    if session.origin == "imported":
        return ["trash"] if state in ENDED else []
    if state in ACTIVE:
        return {
            "run": ["stop", "pause", "kill"],
            "restart": ["stop", "pause", "kill"],
            "pause": ["stop", "kill"],
            "stop": ["kill"],
            "kill": [],
        }[session.wanted]
    return ["resume", "archive", "trash"] if state in ENDED else []


def elapsed_seconds(session: TrainingSession) -> float | None:
    """Return the seconds in which the session's attempts trained, all together; None before the first started."""
    spans = [
        ((attempt.ended_at or timezone.now()) - attempt.started_at).total_seconds()
        for attempt in session.attempts.all()
        if attempt.started_at is not None
    ]
    return sum(max(0.0, span) for span in spans) if spans else None


def _behaviors(session: TrainingSession) -> list[BehaviorProgress]:
    """Those the trainer spoke of; before that, those of the configuration."""
    behaviors = list(session.behaviors.all())
    return [one for one in behaviors if one.seen] or behaviors


def _behavior(one: BehaviorProgress) -> BehaviorShape:
    return BehaviorShape(
        name=one.name,
        step=one.step,
        max_steps=one.max_steps,
        mean_reward=one.mean_reward,
        std_reward=one.std_reward,
        progress=progress([Standing(one.step, one.max_steps)]),
    )


def _alarm(session: TrainingSession) -> str:
    attempts = list(session.attempts.all())
    return attempts[-1].alarm if attempts else ""


def _attempt(session: TrainingSession, attempt: Attempt) -> AttemptShape:
    return AttemptShape(
        number=attempt.number,
        state=attempt.state,
        exit_code=attempt.exit_code,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        supervised=attempt.supervised,
        resume=attempt.resume,
        receipt=receipt_of(session, attempt),
        alarm=attempt.alarm,
    )


def date_text(moment: datetime | None) -> str | None:
    """Return a moment as API and frames write it."""
    return moment.isoformat() if moment else None
