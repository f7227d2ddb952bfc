"""From a request to a queued session: what was planned is stored in one transaction."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F

from sessions.domain.config import Config, read_config
from sessions.domain.states import ENDED, EXPLANATIONS, State, values
from sessions.errors import Conflict, NoPlace
from sessions.models import Attempt, BehaviorProgress, TrainingSession
from sessions.models.session import THROWN_AWAY, last_place
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.files import saved_something
from sessions.services import environments, preflight, staging
from sessions.services.planning import (
    StartPlan,
    StartRequest,
    command_of,
    next_attempt_number,
    plan_start,
    results_of_run,
)
from sessions.services.staging import Chosen
from sessions.services.stopping import require_own
from sessions.services.transitions import record


def start_session(request: StartRequest, *, by: User) -> TrainingSession:
    """Queue a session (or a further attempt of one, with resume or force) and return it.

    Raises as `plan_start` does, and when a check finds an error; nothing is stored unless everything is right.
    """
    plan = plan_start(request, by=by)
    preflight.require(plan)
    try:
        with transaction.atomic():
            return store(plan, by)
    except IntegrityError as error:
        raise Conflict(
            f"The run id {request.run_id} was taken a moment ago.",
            hint="Choose another run id and start again.",
        ) from error


def new_attempt(
    session: TrainingSession,
    *,
    by: str,
    resume: bool,
    force: bool,
    why: str = "",
    held: bool = False,
    not_before: datetime | None = None,
    after: TrainingSession | None = None,
    automatic: bool = False,
    chosen: Sequence[Chosen] = (),
) -> Attempt:
    """Queue a further attempt of a session; to be called inside a transaction.

    It starts from the `chosen` checkpoints, if any. One that a rule queues is `automatic`; it waits until
    `not_before`, and `why` explains it meanwhile.
    Raises Conflict unless the session has ended. The check is part of the update, so two callers cannot both win.
    """
    require_own(session)
    before = State(session.state)
    why = why or (_how_it_goes_on(session) if resume else EXPLANATIONS[State.QUEUED])
    columns = {"state": State.QUEUED.value, "explanation": why, "wanted": "run", "held": held, "ended_at": None}
    columns |= {"disk_bytes": None}  # it grows again
    if before is not State.PAUSED and not automatic:  # these keep their place in the queue
        columns["place"] = last_place()
    ended = TrainingSession.objects.filter(
        pk=session.pk, state__in=values(ENDED), trashed_at__isnull=True, archived_at__isnull=True
    )
    if not ended.update(**columns, version=F("version") + 1):
        raise _why_not(session)
    schedule: dict[str, Any] = {"not_before": not_before, "after": after, "automatic": automatic}
    attempt = _create_attempt(session, resume=resume, force=force, chosen=chosen, **schedule)
    record(session.pk, attempt.pk, before, State.QUEUED, who=by, why=why)
    return attempt


def _why_not(session: TrainingSession) -> Conflict:
    if session.archived_at is not None:
        return Conflict(f"{session.run_id} is in the archive.", hint="Take it out of the archive first.")
    return Conflict(f"{session.run_id} has not ended, so it cannot be started again.", hint="Stop it first.")


def _how_it_goes_on(session: TrainingSession) -> str:
    return "Resumes from its last checkpoint." if saved_something(session) else "Begins anew: nothing was saved before."


def require_place(run_id: str) -> None:
    """Raise NoPlace unless files can be written where this run will be kept."""
    folder = RunDirectory(settings.MENTOR_HOME, run_id).path
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise NoPlace(
            f"MENTOR cannot write to {folder}: {error.strerror or error}. Nothing was started.",
            hint="Give MENTOR's user the right to write there, and make room if the disk is full.",
        ) from error


def _create_attempt(
    session: TrainingSession, *, resume: bool, force: bool, chosen: Sequence[Chosen] = (), **schedule: Any
) -> Attempt:
    require_place(session.run_id)
    number = next_attempt_number(session)
    starts_from = _staged(session, number, chosen, resume=resume) if chosen else []
    thrown_away = session.origin in THROWN_AWAY
    own = RunDirectory(settings.MENTOR_HOME, session.run_id).results
    results_dir = own if thrown_away else results_of_run(session.run_id)
    return Attempt.objects.create(
        session=session,
        number=number,
        cookie=secrets.token_hex(16),
        resume=resume,
        force=force,
        starts_from=starts_from,
        **schedule,
        results_dir=str(results_dir),
        command=command_of(
            session.run_id,
            number,
            options=session.options,
            env_path=session.environment.path if session.environment else None,
            results_dir=results_dir,
            resume=resume,
            force=force,
            base_port=None,
        ),
    )


def _staged(session: TrainingSession, number: int, chosen: Sequence[Chosen], *, resume: bool) -> list[dict[str, Any]]:
    """Only a training that begins needs a file for every behavior."""
    others = () if resume else read_config(bytes(session.config_used)).behaviors
    try:
        return staging.stage(session.run_id, number, chosen, others=others)
    except OSError as error:
        why = error.strerror or error
        raise NoPlace(f"The checkpoint could not be laid ready: {why}. Nothing was started.") from error


def store(plan: StartPlan, by: User) -> TrainingSession:
    """Store what was planned; to be called inside a transaction."""
    environment = plan.environment
    if plan.new_environment is not None:
        environment = environments.register(plan.new_environment, by=by)
    columns = {
        "trainer": plan.trainer,
        "environment": environment,
        "config_name": _config_name(plan.request),
        "config_given": plan.config.given,
        "config_used": plan.config.used,
        "options": plan.options,
        "priority": plan.request.priority,
        "rules": plan.rules,
    }
    if plan.existing is None:
        session = _create_session(plan, columns, by)
    else:
        session = plan.existing
        TrainingSession.objects.filter(pk=session.pk, state__in=values(ENDED)).update(**columns)
        session.refresh_from_db()
        new_attempt(
            session,
            by=by.get_username(),
            resume=plan.request.resume,
            force=plan.request.force,
            held=plan.request.held,
            not_before=plan.request.start_at,
            after=plan.after,
            chosen=plan.chosen,
        )
        session.refresh_from_db()
    plan_behaviors(session, plan.config, fresh=not plan.request.resume)
    return session


def _create_session(plan: StartPlan, columns: dict[str, Any], by: User) -> TrainingSession:
    request = plan.request
    session = TrainingSession.objects.create(
        run_id=request.run_id,
        name=request.name,
        notes=request.notes,
        tags=list(request.tags),
        owner=by,
        explanation=EXPLANATIONS[State.QUEUED],
        held=request.held,
        **columns,
    )
    schedule = {"not_before": request.start_at, "after": plan.after, "chosen": plan.chosen}
    why = " ".join([EXPLANATIONS[State.QUEUED], *plan.told])
    first_attempt(session, by=by.get_username(), why=why, resume=request.resume, force=request.force, **schedule)
    return session


def first_attempt(
    session: TrainingSession, *, by: str, why: str = "", resume: bool = False, force: bool = False, **schedule: Any
) -> None:
    """Queue the first attempt of a session that was just stored; to be called inside a transaction."""
    attempt = _create_attempt(session, resume=resume, force=force, **schedule)
    record(session.pk, attempt.pk, None, State.QUEUED, who=by, why=why or EXPLANATIONS[State.QUEUED])


def plan_behaviors(session: TrainingSession, config: Config, *, fresh: bool) -> None:
    """Store what a configuration intends for each behavior; a fresh start forgets where they stood."""
    if fresh:
        session.behaviors.all().delete()
    for plan in config.behaviors.values():
        planned = {"max_steps": plan.max_steps, "trainer_type": str(plan.trainer_type)[:50]}
        BehaviorProgress.objects.update_or_create(session=session, name=plan.name, defaults=planned)


def _config_name(request: StartRequest) -> str:
    name = request.config_name or (Path(request.config_path).name if request.config_path else "config.yaml")
    return name[:255]
