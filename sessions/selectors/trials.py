"""Trials, as API and pages show them, and what was measured of their parts so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.domain.states import ACTIVE, State, values
from sessions.domain.trial import Limits, Measured, Setting, Speed
from sessions.errors import Missing
from sessions.models import Attempt, Machine, Series, TrainingSession, Trial, TrialRun
from sessions.models.session import TRIAL
from sessions.selectors.advice import can_use_gpu
from sessions.selectors.hardware import cores, memory_of_machine
from sessions.selectors.points import points_between
from sessions.selectors.sessions import User, sees_all

# Of a series so many points are read: of a trial there are never more.
MOST_POINTS = 20_000
NEWEST = 50


@dataclass(frozen=True)
class TrialRunShape:
    """One setting of a trial. Without a speed, `reason` says why; CPU is in percent of one core, memory in bytes."""

    num_envs: int
    time_scale: float | None
    device: str | None
    words: str
    state: str
    reason: str
    run_id: str
    steps_per_second: float | None
    error: float | None = field(metadata={"help": "The standard error of the speed."})
    seconds: float | None = field(metadata={"help": "How long was measured."})
    cpu_percent: float | None
    memory_bytes: float | None
    gpu_percent: float | None
    beside: bool
    proposed: bool
    present: bool


@dataclass(frozen=True)
class TrialShape:
    """A search for the fastest settings of a training."""

    id: int
    run_id: str
    session: str | None
    state: str
    explanation: str = field(metadata={"help": "What it waits for, or does; why it ended without a result."})
    environment: str
    trainer: str
    measure_seconds: float
    runs: list[TrialRunShape]
    proposal: str
    gain: float | None
    changes: dict[str, Any] = field(metadata={"help": "The fields of a start that are proposed to be changed."})
    asked_by: str
    created_at: datetime
    ended_at: datetime | None


def visible_trials(user: User) -> QuerySet[Trial]:
    """Return the trials a user may see: all with the permission to view sessions, else the user's own."""
    if not user.is_authenticated:
        return Trial.objects.none()
    runs = TrialRun.objects.select_related("session").order_by("number")
    found = Trial.objects.select_related("environment", "trainer", "session").prefetch_related(
        Prefetch("runs", queryset=runs)
    )
    return found if sees_all(user) else found.filter(owner_id=user.pk)


def trial_with(key: int, user: User) -> Trial:
    """Return one visible trial; raises Missing."""
    trial = visible_trials(user).filter(pk=key).first()
    if trial is None:
        raise Missing("There is no such trial.")
    return trial


def trials_of(session: TrainingSession, user: User) -> list[TrialShape]:
    """Return the trials for a session's training, the newest first."""
    return [trial_shape(one) for one in visible_trials(user).filter(session=session)[:NEWEST]]


def newest_trials(user: User) -> list[TrialShape]:
    """Return the newest trials a user may see."""
    return [trial_shape(one) for one in visible_trials(user)[:NEWEST]]


def trial_shape(trial: Trial) -> TrialShape:
    """Return a trial as it is shown."""
    runs = list(trial.runs.all())
    return TrialShape(
        id=trial.pk,
        run_id=trial.run_id,
        session=trial.session.run_id if trial.session else None,
        state=trial.state,
        explanation=trial.reason or _explanation(trial, runs),
        environment=trial.environment.name,
        trainer=str(trial.trainer),
        measure_seconds=trial.seconds,
        runs=[_run(one, trial) for one in runs],
        proposal=trial.result.get("why", ""),
        gain=trial.result.get("gain"),
        changes=_changes(trial),
        asked_by=trial.asked_by,
        created_at=trial.created_at,
        ended_at=trial.ended_at,
    )


def _changes(trial: Trial) -> dict[str, Any]:
    chosen = trial.result.get("setting") or trial.present
    return {name: value for name, value in chosen.items() if value != trial.present.get(name)}


def _run(run: TrialRun, trial: Trial) -> TrialRunShape:
    told = run.result
    return TrialRunShape(
        **run.setting,
        words=Setting(**run.setting).words,
        state=run.state,
        reason=run.reason,
        run_id=run.run_id,
        steps_per_second=told.get("mean"),
        error=told.get("error"),
        seconds=told.get("seconds"),
        cpu_percent=told.get("cpu_percent"),
        memory_bytes=told.get("memory_bytes"),
        gpu_percent=told.get("gpu_percent"),
        beside=run.beside,
        proposed=run.setting == trial.result.get("setting"),
        present=run.setting == trial.present,
    )


def _explanation(trial: Trial, runs: Iterable[TrialRun]) -> str:
    if trial.state != "running":
        return ""
    now = next((one for one in runs if one.state in ("queued", "running")), None)
    if now is None or now.session is None:
        return "The next setting is queued in a moment."
    words = Setting(**now.setting).words
    if now.session.state == State.RUNNING.value:
        return f"Measures {words}."
    return f"Next: {words}. {now.session.explanation}"


def open_trials() -> list[Trial]:
    """Return the trials that go on, and those of which something is left to be removed."""
    left = Q(runs__state__in=("queued", "running")) | Q(runs__session__isnull=False)
    return list(Trial.objects.filter(Q(state="running") | left).select_related("trainer", "environment").distinct())


def measured(runs: Iterable[TrialRun]) -> list[Measured]:
    """Return what was measured, in the order of time."""
    return [
        Measured(Setting(**one.setting), _speed(one), one.result.get("memory_bytes"), one.beside)
        for one in sorted(runs, key=lambda one: one.number)
    ]


def _speed(run: TrialRun) -> Speed | None:
    names = Speed.__dataclass_fields__
    return Speed(**{name: run.result[name] for name in names}) if run.state == "done" else None


def limits_of(trial: Trial) -> Limits:
    """Return what this machine has room for at this moment."""
    machine = Machine.objects.filter(name=settings.MENTOR_MACHINE).first()
    gpus = bool(machine and machine.gpus) and trial.trainer.kind == "mlagents"
    devices = ("cpu", "cuda") if gpus and can_use_gpu(trial.trainer.interpreter) else ()
    first = trial.present["device"] or "cuda"
    return Limits(cores(), memory_of_machine()[1], tuple(one for one in devices if one != first.partition(":")[0]))


def summaries_of(attempt: Attempt) -> dict[str, list[tuple[float, int]]]:
    """Return the moments (seconds since 1970) and steps of an attempt's summaries, by behavior."""
    longest: dict[str, Series] = {}
    for series in Series.objects.filter(attempt=attempt).exclude(behavior=OF_THE_ATTEMPT).order_by("tag"):
        best = longest.get(series.behavior)
        if best is None or series.count > best.count:
            longest[series.behavior] = series
    found = {}
    for name, series in longest.items():
        points = points_between(series, max(0, series.count - MOST_POINTS)).lists()
        found[name] = list(zip(points.wall_times, points.steps, strict=True))
    return found


def others_train(session: TrainingSession) -> bool:
    """Tell whether any other session of MENTOR's runs on this machine."""
    others = Attempt.objects.filter(state__in=values(ACTIVE)).exclude(session=session)
    return others.exclude(session__origin="imported").exists()


def orphans() -> list[TrainingSession]:
    """Return sessions that are parts of trials which are there no more."""
    return list(TrainingSession.objects.filter(origin=TRIAL, trial_run=None))
