"""Asking for a trial: which settings are the fastest for a training; and calling it off."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from sessions.domain.states import ENDED, State
from sessions.domain.trial import Setting
from sessions.errors import Conflict, InvalidInput, InvalidStart, NotAllowed
from sessions.models import TrainingSession, Trial, TrialRun
from sessions.services import environments, preflight, stopping, throwing_away
from sessions.services.planning import OPTION_FIELDS, StartPlan, StartRequest, plan_start
from sessions.services.repeating import request_like

SECONDS, LEAST_SECONDS, MOST_SECONDS = 30.0, 4.0, 600.0
VARIED = ("num_envs", "time_scale", "device")
FURTHER = ("tags", "notes", "rules", "initialize_from")
NEEDS_A_BUILD = (
    "A trial needs a build: in the Unity Editor there is one environment, and somebody would have to press Play for "
    "every measurement."
)


def begin(request: StartRequest, *, by: User, seconds: float = SECONDS, like: TrainingSession | None = None) -> Trial:
    """Begin to look for the fastest settings of the training that `request` asks for, and return the trial.

    Each setting is measured for `seconds`. The supervisor brings the trial on. Raises as `plan_start` does,
    InvalidStart without a build, and Conflict while another trial is under way.
    """
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        sentence = f"Measure each setting for {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds."
        raise InvalidInput(sentence, errors={"measure_seconds": [sentence]})
    asked = replace(request, resume=False, force=False, initialize_from=None, start_at=None, start_after=None)
    plan = plan_start(replace(asked, run_id=free_run_id(request.run_id)), by=by)
    if plan.environment is None and plan.new_environment is None:
        raise InvalidStart(NEEDS_A_BUILD, hint="Choose a build.", errors={"env_path": [NEEDS_A_BUILD]})
    preflight.require(plan)
    with transaction.atomic():
        if Trial.objects.filter(state="running").exists():
            raise Conflict("Another trial is under way, and they would disturb each other.", hint="Wait for its end.")
        return _store(plan, request, by=by, seconds=seconds, like=like)


def begin_like(session: TrainingSession, *, by: User, seconds: float = SECONDS) -> Trial:
    """Begin to look for the fastest settings of a session's training; raises as `begin` does."""
    return begin(request_like(session), by=by, seconds=seconds, like=session)


def _store(plan: StartPlan, request: StartRequest, *, by: User, seconds: float, like: TrainingSession | None) -> Trial:
    environment = plan.environment
    if environment is None:
        assert plan.new_environment is not None  # noqa: S101 - begin() looked at it
        environment = environments.register(plan.new_environment, by=by)
    options = {name: value for name, value in plan.options.items() if name not in (*VARIED, "initialize_from")}
    if like is not None and like.options.get("further"):
        options["further"] = like.options["further"]
    present = Setting(
        int(plan.options.get("num_envs") or 1), plan.options.get("time_scale"), plan.options.get("device")
    )
    return Trial.objects.create(
        owner=by,
        session=like,
        run_id=request.run_id,
        trainer=plan.trainer,
        environment=environment,
        config_name=(request.config_name or "config.yaml")[:255],
        config=plan.config.used,
        options=options,
        further={name: getattr(request, name) for name in FURTHER if getattr(request, name) is not None},
        present=asdict(present),
        seconds=seconds,
        priority=request.priority,
        asked_by=by.get_username(),
    )


def free_run_id(run_id: str) -> str:
    """Return a run id for a part of a trial that was never used, such as ball-1-trial-3."""
    used = TrialRun.objects.exclude(run_id="").values_list("run_id", flat=True)
    return throwing_away.free_run_id(run_id, "trial", used)


def request_of(trial: Trial) -> StartRequest:
    """Return the request that would start the training with what was proposed, or as it was asked for."""
    chosen = setting_of(trial.result.get("setting") or trial.present)
    options = {name: trial.options[name] for name in OPTION_FIELDS if trial.options.get(name) is not None}
    varied = {name: value for name, value in asdict(chosen).items() if value is not None}
    further: dict[str, Any] = {**trial.further, "tags": tuple(trial.further.get("tags", ()))}
    if "env_args" in options:
        options["env_args"] = tuple(options["env_args"])
    return StartRequest(
        run_id=trial.run_id,
        config=bytes(trial.config),
        config_name=trial.config_name,
        env_path=trial.environment.path,
        trainer=trial.trainer.name,
        priority=trial.priority,
        **options,
        **varied,
        **further,
    )


def setting_of(told: dict[str, Any]) -> Setting:
    """Return a setting from what was stored of it."""
    return Setting(**{name: told[name] for name in VARIED})


def stop(trial: Trial, *, by: User) -> Trial:
    """Call a trial off: what is being measured is stopped, nothing further is queued. Again it changes nothing.

    Raises NotAllowed for who neither asked for it nor may stop sessions.
    """
    if trial.owner_id != by.pk and not by.has_perm("training.stop_session"):
        raise NotAllowed("You may not stop this trial.", hint="Ask an administrator for the permission to stop.")
    running = Trial.objects.filter(pk=trial.pk, state="running")
    if running.update(state="stopped", reason=f"Stopped by {by.get_username()}.", ended_at=timezone.now()):
        for run in trial.runs.filter(session__isnull=False).select_related("session"):
            if run.session is not None and State(run.session.state) not in ENDED:
                stopping.request_stop(run.session, by=by.get_username())
    trial.refresh_from_db()
    return trial
