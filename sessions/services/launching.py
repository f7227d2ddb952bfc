"""From a granted slot to a running shim: a task of the worker starts the attempt."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain.states import State
from sessions.errors import IllegalTransition, MentorError
from sessions.models import Attempt
from sessions.runtime.launch import spawn_shim, trainer_argv, wait_for_claim
from sessions.runtime.rundir import AttemptDirectory, LaunchSpec, RunDirectory
from sessions.services import environments, going_back, preflight, repair, staging
from sessions.services.ending import end
from sessions.services.planning import command_of
from sessions.services.starting import new_attempt
from sessions.services.surroundings import trainer_surroundings
from sessions.services.transitions import SUPERVISOR
from sessions.trainers.kinds import KINDS

CLAIM_SECONDS = 15
LAUNCH_TRIES = 3
LAUNCH_TASK = "sessions.tasks.launch_attempt"


def directory_of(attempt: Attempt) -> AttemptDirectory:
    """Return the attempt's directory."""
    return RunDirectory(settings.MENTOR_HOME, attempt.session.run_id).attempt(attempt.number)


def launch_command(attempt: Attempt, *, base_port: int | None, device: str) -> list[str]:
    """Return mlagents-learn and its arguments for an attempt that was granted this port and GPU."""
    session = attempt.session
    return command_of(
        session.run_id,
        attempt.number,
        options={**session.options, **({"device": device} if device else {})},
        env_path=session.environment.path if session.environment else None,
        results_dir=Path(attempt.results_dir),
        resume=attempt.resume,
        force=attempt.force,
        base_port=base_port,
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
        preflight.require_launchable(attempt)
        _make_way(attempt, directory)
        _prepare(attempt, directory)
        spawn_shim(directory)
    except (MentorError, OSError) as error:
        why = getattr(error, "detail", None) or f"The attempt could not be started: {error}."
        fail_launch(attempt, why, refused=isinstance(error, MentorError))
        return
    wait_for_claim(directory, CLAIM_SECONDS)


def fail_launch(attempt: Attempt, why: str, *, refused: bool = False) -> None:
    """End an attempt that never started, free what it held, and say why; what was refused is not tried again."""
    end(attempt, State.FAILED, why=why, expected=[State.LAUNCHING], fields={"failure": why}, refused=refused)


def give_up_launch(attempt: Attempt) -> None:
    """End an attempt that may never start, for its claim is void, and queue another in its place: three in a row.

    A session that was asked to stop meanwhile is stopped.
    """
    session = attempt.session
    with transaction.atomic():
        session.refresh_from_db()
        if session.wanted != "run":
            why = "Stopped before it started; nothing was trained."
            end(attempt, State.STOPPED, why=why, expected=[State.LAUNCHING], fields={})
        elif _launches_in_vain(attempt) >= LAUNCH_TRIES:
            fail_launch(attempt, f"The attempt could not be launched within 30 seconds, {LAUNCH_TRIES} times in a row.")
        elif _fail_quietly(attempt):
            session.refresh_from_db()
            new_attempt(session, by=SUPERVISOR, resume=attempt.resume, force=attempt.force, automatic=True)


def _fail_quietly(attempt: Attempt) -> bool:
    why = "The attempt could not be launched within 30 seconds; it is tried again."
    return end(attempt, State.FAILED, why=why, expected=[State.LAUNCHING], fields={"failure": why}, follow=False)


def _launches_in_vain(attempt: Attempt) -> int:
    """Count the attempts up to this one that MENTOR queued after each other and that never started."""
    count = 0
    earlier = Attempt.objects.filter(session_id=attempt.session_id, number__lte=attempt.number, started_at=None)
    for one in earlier.order_by("-number"):
        if one.number != attempt.number - count:
            break
        count += 1
        if not one.automatic:
            break
    return count


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


def _make_way(attempt: Attempt, directory: AttemptDirectory) -> None:
    """Leave the results as this attempt needs them: set aside by force, mended for a resume.

    With force, ML-Agents would delete the event files that are there. To resume where nothing usable was saved it would
    end with an error: such an attempt begins anew. One that was given up meanwhile touches nothing: the results may be
    those of the next one, which trains.
    """
    if directory.read_claim() is not None:
        return
    staging.verify(attempt)
    if attempt.force:
        _set_results_aside(attempt)
    elif attempt.resume and (why := _prepare_resume(attempt)):
        aside = _set_results_aside(attempt)
        _begin_anew(attempt, f"{why} The training begins anew.{aside}")


def _prepare_resume(attempt: Attempt) -> str:
    """Make the results fit to be resumed; returns why they cannot be."""
    going_back.go_back(attempt)
    return repair.prepare(attempt)


def _set_results_aside(attempt: Attempt) -> str:
    results = attempt.results
    if not results.is_dir():
        return ""
    aside = repair.set_aside(results, attempt.number)
    return f" What was there is kept in {aside.name}."


def _begin_anew(attempt: Attempt, why: str) -> None:
    attempt.resume = False
    attempt.command = launch_command(attempt, base_port=attempt.base_port, device=attempt.device)
    nothing = dict.fromkeys(("mean_reward", "best_reward", "std_reward", "elapsed_seconds")) | {
        "step": 0,
        "seen": False,
    }
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(resume=False, command=attempt.command)
        attempt.session.behaviors.update(**nothing)
        repair.tell(attempt, why)
