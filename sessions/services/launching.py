"""From queued to a running shim: slots and ports are granted, then a task of the worker starts the attempt."""

from __future__ import annotations

import socket
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain.states import ACTIVE, State, values
from sessions.errors import IllegalTransition, LaunchFailed, MentorError
from sessions.models import Attempt, Machine, PortLease, TrainingSession
from sessions.runtime.launch import spawn_shim, trainer_argv, wait_for_claim
from sessions.runtime.rundir import AttemptDirectory, LaunchSpec, RunDirectory
from sessions.services import environments
from sessions.services.planning import command_of
from sessions.services.surroundings import trainer_surroundings
from sessions.services.transitions import SUPERVISOR, move
from sessions.trainers.kinds import KINDS

EDITOR_PORT = 5004
CLAIM_SECONDS = 15
LAUNCH_TASK = "sessions.tasks.launch_attempt"
PORTS_TRIED = 2000


def directory_of(attempt: Attempt) -> AttemptDirectory:
    """Return the attempt's directory."""
    return RunDirectory(settings.MENTOR_HOME, attempt.session.run_id).attempt(attempt.number)


def grant_waiting(machine: Machine) -> int:
    """Grant slots to waiting attempts, highest priority and oldest first; return how many were granted."""
    granted = 0
    waiting = (
        Attempt.objects.filter(state=State.QUEUED.value, session__wanted="run", session__trashed_at__isnull=True)
        .select_related("session__trainer", "session__environment")
        .order_by("-session__priority", "session__created_at", "pk")
    )
    for attempt in waiting:
        if _busy_slots(machine) >= settings.MENTOR["MENTOR_MAX_PARALLEL"]:
            _explain(attempt, "Waits for a free slot.")
        elif grant(attempt, machine):
            granted += 1
    return granted


def _busy_slots(machine: Machine) -> int:
    return Attempt.objects.filter(machine=machine, state__in=values(ACTIVE)).count()


def grant(attempt: Attempt, machine: Machine) -> bool:
    """Give the attempt its slot and ports and enqueue its launch, all in one transaction.

    Returns False, with the reason as the session's explanation, when a port it needs is not free.
    """
    ports = _ports_for(attempt, machine)
    if ports is None:
        _explain(
            attempt,
            "Waits for the Editor: another session holds it." if _needs_editor(attempt) else "Waits for free ports.",
        )
        return False
    base_port = ports[0] if ports and not _needs_editor(attempt) else None
    try:
        with transaction.atomic():
            PortLease.objects.bulk_create(PortLease(machine=machine, port=port, attempt=attempt) for port in ports)
            fields = {
                "machine": machine,
                "base_port": base_port,
                "granted_at": timezone.now(),
                "launched_at": None,
                "command": _command(attempt, base_port),
            }
            if not move(attempt, State.LAUNCHING, who=SUPERVISOR, fields=fields):
                transaction.set_rollback(True)
                return False
            async_task(LAUNCH_TASK, attempt.pk)
    except IntegrityError:
        return False  # somebody leased one of the ports in between; the next tick looks again
    return True


def _needs_editor(attempt: Attempt) -> bool:
    session = attempt.session
    return session.environment_id is None and KINDS[session.trainer.kind].connects_to_unity


def _ports_for(attempt: Attempt, machine: Machine) -> list[int] | None:
    """The ports the attempt needs: none, the Editor's, or as many in a row as it has environments."""
    if not KINDS[attempt.session.trainer.kind].connects_to_unity:
        return []
    leased = set(PortLease.objects.filter(machine=machine).values_list("port", flat=True))
    if _needs_editor(attempt):
        return None if EDITOR_PORT in leased else [EDITOR_PORT]
    count = int(attempt.session.options.get("num_envs", 1))
    first = settings.MENTOR["MENTOR_BASE_PORT"]
    for base in range(first, min(first + PORTS_TRIED, 65536 - count)):
        block = list(range(base, base + count))
        if leased.isdisjoint(block) and all(port_is_free(port) for port in block):
            return block
    return None


def port_is_free(port: int) -> bool:
    """Tell whether nothing listens on this port, asked as strictly as the system allows."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _command(attempt: Attempt, base_port: int | None) -> list[str]:
    session = attempt.session
    return command_of(
        session.run_id,
        attempt.number,
        options=session.options,
        env_path=session.environment.path if session.environment else None,
        results_dir=Path(attempt.results_dir),
        resume=attempt.resume,
        force=attempt.force,
        base_port=base_port,
    )


def _explain(attempt: Attempt, why: str) -> None:
    TrainingSession.objects.filter(pk=attempt.session_id, state=State.QUEUED.value).exclude(explanation=why).update(
        explanation=why, version=F("version") + 1
    )


def claim_launch(attempt_id: int) -> Attempt:
    """Take the launch of an attempt for this task.

    Raises IllegalTransition when another delivery of the task took it, or it was stopped while it waited.
    """
    taken = Attempt.objects.filter(pk=attempt_id, state=State.LAUNCHING.value, launched_at__isnull=True).update(
        launched_at=timezone.now()
    )
    if not taken:
        raise IllegalTransition("This attempt is not waiting to be launched.")
    return Attempt.objects.select_related("session__trainer", "session__environment").get(pk=attempt_id)


def launch(attempt: Attempt) -> None:
    """Write the attempt's directory, spawn its shim and wait until the shim has claimed it.

    What goes wrong before the shim runs ends the attempt as failed, with the reason.
    """
    directory = directory_of(attempt)
    try:
        if attempt.session.environment is not None:
            environments.verify(attempt.session.environment)
        _set_results_aside(attempt)
        _prepare(attempt, directory)
        spawn_shim(directory)
    except (MentorError, OSError) as error:
        fail_launch(attempt, getattr(error, "detail", None) or f"The attempt could not be started: {error}.")
        return
    wait_for_claim(directory, CLAIM_SECONDS)


def fail_launch(attempt: Attempt, why: str) -> None:
    """End an attempt that never started, free what it held, and say why."""
    if move(attempt, State.FAILED, who=SUPERVISOR, why=why, expected=[State.LAUNCHING], fields={"failure": why}):
        release(attempt)


def release(attempt: Attempt) -> None:
    """Give back the ports of an attempt."""
    PortLease.objects.filter(attempt=attempt).delete()


def enqueue_again(attempt: Attempt) -> None:
    """Enqueue a launch that no worker has taken, for a queue that lost it; a second delivery does nothing."""
    with transaction.atomic():
        if Attempt.objects.filter(pk=attempt.pk, launched_at__isnull=True).update(granted_at=timezone.now()):
            async_task(LAUNCH_TASK, attempt.pk)


def _prepare(attempt: Attempt, directory: AttemptDirectory) -> None:
    session = attempt.session
    kind = KINDS[session.trainer.kind]
    Path(attempt.results_dir).mkdir(parents=True, exist_ok=True)
    spec = LaunchSpec(
        run_id=session.run_id,
        attempt=attempt.number,
        cookie=attempt.cookie,
        argv=trainer_argv(session.trainer.interpreter, directory, kind.module, attempt.command[1:]),
        cwd=str(directory.path),
        env=trainer_surroundings(
            extra=settings.MENTOR["MENTOR_PASS_ENVIRONMENT"], variables=kind.variables, cookie=attempt.cookie
        ),
        grace_seconds=float(settings.MENTOR["MENTOR_STOP_GRACE_SECONDS"]),
    )
    directory.prepare(spec, config=bytes(session.config_used), given=bytes(session.config_given))


def _set_results_aside(attempt: Attempt) -> None:
    """With force, ML-Agents would delete the event files that are there: they are moved away instead."""
    results = Path(attempt.results_dir, attempt.session.run_id)
    if not attempt.force or not results.is_dir():
        return
    aside = results.with_name(f"{results.name}.before-attempt-{attempt.number}")
    try:
        results.rename(aside)
    except OSError as error:
        raise LaunchFailed(f"The earlier results could not be set aside: {error.strerror or error}.") from error
