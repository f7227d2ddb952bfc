"""The queue: who may start now is granted what it needs; holding, releasing and moving those that wait."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain.queue import EDITOR_PORT, Grant, Room, Wait, Waiting, decide, moved
from sessions.domain.states import ACTIVE, ENDED, State, values
from sessions.errors import Conflict
from sessions.models import Attempt, Machine, PortLease, TrainingSession
from sessions.runtime.ports import port_is_free
from sessions.selectors.disk import disk_is_short
from sessions.selectors.sessions import waits_for_play
from sessions.services import memo
from sessions.services.launching import LAUNCH_TASK, launch_command
from sessions.services.transitions import SUPERVISOR, move, record

# A paused session has not ended for those that wait for its end.
OVER = values(ENDED - {State.PAUSED})


def waiting_attempts() -> QuerySet[Attempt]:
    """Return the attempts in the queue, in its order."""
    return (
        Attempt.objects.filter(state=State.QUEUED.value, session__wanted="run", session__trashed_at__isnull=True)
        .select_related("session__trainer", "session__environment", "after")
        .order_by("-session__priority", "session__place", "pk")
    )


def grant_waiting(machine: Machine) -> int:
    """Grant slots, ports and GPUs to those that may start now, tell the others why not; return how many may."""
    attempts = {attempt.pk: attempt for attempt in waiting_attempts()}
    if not attempts:
        return 0
    granted = 0
    for decision in decide(map(as_waiting, attempts.values()), room_on(machine), port_is_free):
        attempt = attempts[decision.key]
        if isinstance(decision, Wait):
            _explain(attempt, decision)
        elif grant(attempt, machine, decision):
            granted += 1
    return granted


def as_waiting(attempt: Attempt) -> Waiting:
    """Return an attempt as the rules of the queue see it."""
    session = attempt.session
    build = session.environment_id is not None
    return Waiting(
        key=attempt.pk,
        priority=session.priority,
        place=session.place,
        held=session.held,
        seconds_left=(attempt.not_before - timezone.now()).total_seconds() if attempt.not_before else 0.0,
        after=_still_awaited(attempt.after),
        editor=waits_for_play(session),
        ports=int(session.options.get("num_envs", 1)) if build else 0,
        device=session.options.get("device"),
        disk_is_short=disk_is_short(Path(attempt.results_dir)),
    )


def _still_awaited(session: TrainingSession | None) -> str | None:
    if session is None or session.state in OVER or session.trashed_at is not None:
        return None
    return session.run_id


def room_on(machine: Machine) -> Room:
    """Return what is left of the machine at this moment."""
    busy = Attempt.objects.filter(machine=machine, state__in=values(ACTIVE))
    load = Counter(busy.values_list("device", flat=True))
    return Room(
        free_slots=settings.MENTOR["MENTOR_MAX_PARALLEL"] - load.total(),
        leased=frozenset(PortLease.objects.filter(machine=machine).values_list("port", flat=True)),
        base_port=settings.MENTOR["MENTOR_BASE_PORT"],
        gpu_load=tuple(load[f"cuda:{number}"] for number in range(len(machine.gpus))),
        disk_is_short=disk_is_short(settings.MENTOR_HOME),
    )


def grant(attempt: Attempt, machine: Machine, granted: Grant) -> bool:
    """Give the attempt its slot, ports and GPU and enqueue its launch, all in one transaction; False when overtaken."""
    base_port = granted.ports[0] if granted.ports and granted.ports[0] != EDITOR_PORT else None
    try:
        with transaction.atomic():
            PortLease.objects.bulk_create(
                PortLease(machine=machine, port=port, attempt=attempt) for port in granted.ports
            )
            fields = {
                "machine": machine,
                "base_port": base_port,
                "device": granted.device,
                "granted_at": timezone.now(),
                "launched_at": None,
                "command": launch_command(attempt, base_port=base_port, device=granted.device),
            }
            if not move(attempt, State.LAUNCHING, who=SUPERVISOR, fields=fields):
                transaction.set_rollback(True)
                return False
            TrainingSession.objects.filter(pk=attempt.session_id).update(waits_for="")
            async_task(LAUNCH_TASK, attempt.pk)
    except IntegrityError:
        return False  # somebody leased one of the ports in between; the next tick looks again
    return True


def _explain(attempt: Attempt, wait: Wait) -> None:
    told = {"explanation": wait.why, "waits_for": wait.reason}
    if attempt.automatic and wait.reason == "time":
        del told["explanation"]  # it says when and why it is restarted
    TrainingSession.objects.filter(pk=attempt.session_id, state=State.QUEUED.value).exclude(**told).update(
        **told, version=F("version") + 1
    )


def hold(session: TrainingSession, *, by: str) -> None:
    """Keep a waiting session from starting; its place stays. Raises Conflict when it does not wait."""
    _set_held(session, True, by=by, why="Held; it waits to be released.")


def release(session: TrainingSession, *, by: str) -> None:
    """Let a held session start when its turn comes. Raises Conflict when it does not wait."""
    _set_held(session, False, by=by, why="Released.")


def _set_held(session: TrainingSession, held: bool, *, by: str, why: str) -> None:
    with transaction.atomic():
        waiting = TrainingSession.objects.filter(pk=session.pk, state=State.QUEUED.value)
        if not waiting.exists():
            raise Conflict(f"{session.run_id} does not wait in the queue.")
        if waiting.filter(held=not held).update(held=held, explanation=why, version=F("version") + 1):
            record(session.pk, None, State.QUEUED, State.QUEUED, who=by, why=why)


def move_to(session: TrainingSession, index: int, *, by: str) -> None:
    """Move a waiting session to this index (from 0) of the queue; it takes the priority of where it stands then.

    Raises Conflict when it does not wait.
    """
    with transaction.atomic():
        attempts = {attempt.pk: attempt for attempt in waiting_attempts()}
        key = next((pk for pk, attempt in attempts.items() if attempt.session_id == session.pk), None)
        if key is None:
            raise Conflict(f"{session.run_id} does not wait in the queue.")
        for one in moved([as_waiting(attempt) for attempt in attempts.values()], key, index):
            TrainingSession.objects.filter(pk=attempts[one.key].session_id).update(
                place=one.place, priority=one.priority, version=F("version") + 1
            )
            memo.keep(attempts[one.key].session_id)
        record(session.pk, key, State.QUEUED, State.QUEUED, who=by, why=f"Moved to place {index + 1} of the queue.")
