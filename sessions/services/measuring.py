"""Bringing a trial on: one setting after the other is queued, measured, stopped and removed.

Nothing is remembered here. Whoever looks at a trial brings it on from what is stored, by compare-and-swap: a look that
was cut short, or taken twice, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions.domain.config import ConfigError, read_config
from sessions.domain.resources import CPU, GPU, MEMORY
from sessions.domain.states import ACTIVE, ENDED, EXPLANATIONS, State
from sessions.domain.trial import Setting, Speed, next_setting, proposal, speed_of, too_large, trial_config, warm_since
from sessions.errors import Conflict, MentorError
from sessions.models import Attempt, BehaviorProgress, TrainingSession, Trial, TrialRun
from sessions.models.session import TRIAL
from sessions.selectors.advice import means
from sessions.selectors.trials import limits_of, measured, others_train, summaries_of
from sessions.services import stopping, throwing_away
from sessions.services.starting import first_attempt
from sessions.services.trials import free_run_id, setting_of

UNFINISHED = ("queued", "running")
# Starting, the first update and the end of a training come on top of what is measured.
BUDGET_SECONDS, BUDGET_TIMES = 180.0, 4.0
GIVEN_UP = "Given up, so that the others can be measured."
TAKEN = {CPU: "cpu_percent", MEMORY: "memory_bytes", GPU: "gpu_percent"}


def advance(trial: Trial, *, starved: bool = False) -> None:
    """Bring a trial one step on. `starved`: its setting waits too long for ports or disk that may never be there."""
    runs = list(trial.runs.select_related("session").order_by("number"))
    last = runs[-1] if runs else None
    if last is not None and last.state in UNFINISHED:
        _look(trial, last, starved=starved)
    elif last is not None and last.session is not None:
        if State(last.session.state) in ENDED:
            throwing_away.remove(last.session)
    elif trial.state == "running":
        _go_on(trial, runs)


def waits_for_what_may_never_come(trial: Trial) -> bool:
    """Tell whether the setting that is next waits for ports or disk space, not for its turn."""
    return trial.runs.filter(state="queued", session__waits_for__in=("port", "disk")).exists()


def _look(trial: Trial, run: TrialRun, *, starved: bool) -> None:
    session = run.session
    if session is None:
        _finish(run, "failed", reason="Its session was removed before it was measured.")
        return
    state = State(session.state)
    attempt = session.attempts.order_by("-number").first()
    speed = _speed(trial, attempt)
    if state in ENDED:
        _conclude(trial, run, session, speed)
        return
    if session.wanted != "run":
        return
    if trial.state != "running":
        stopping.request_stop(session, by=trial.asked_by)  # it was queued while the trial was called off
        return
    if state in ACTIVE:
        TrialRun.objects.filter(pk=run.pk, state="queued").update(state="running")
        if not run.beside and others_train(session):
            TrialRun.objects.filter(pk=run.pk).update(beside=True)
        if speed is not None and speed.seconds >= trial.seconds:
            why = f"Measured for {speed.seconds:.0f} seconds."
            stopping.end_by_rule(session, "stop", rule="trial", why=why)
    elif starved:
        with transaction.atomic():
            _finish(run, "failed", reason=f"{GIVEN_UP} {session.explanation}")
            stopping.end_by_rule(session, "stop", rule="trial", why=GIVEN_UP)


def _speed(trial: Trial, attempt: Attempt | None) -> Speed | None:
    return speed_of(summaries_of(attempt), seconds=trial.seconds) if attempt is not None else None


def _conclude(trial: Trial, run: TrialRun, session: TrainingSession, speed: Speed | None) -> None:
    if trial.state == "stopped":
        _finish(run, "stopped", reason="The trial was stopped.")
    elif session.state in (State.FAILED.value, State.LOST.value):
        _finish(run, "failed", reason=session.explanation)
    elif speed is None:
        _finish(run, "failed", reason=f"{session.explanation} Too few summaries came to measure its speed.")
    else:
        attempt = session.attempts.order_by("-number").first()
        assert attempt is not None  # noqa: S101 - its summaries were read
        used = means(attempt, since=warm_since(summaries_of(attempt)))
        taken = {name: used[tag] for tag, name in TAKEN.items() if tag in used}
        _finish(run, "done", result={**asdict(speed), **taken})


def _finish(run: TrialRun, state: str, *, reason: str = "", result: dict[str, Any] | None = None) -> None:
    rows = TrialRun.objects.filter(pk=run.pk, state__in=UNFINISHED)
    rows.update(state=state, reason=reason, result=result or {})


def _go_on(trial: Trial, runs: Sequence[TrialRun]) -> None:
    """Queue the next setting, or end the trial."""
    owner = trial.owner
    if owner is None or not owner.is_active or not owner.has_perm("training.start_session"):
        _end(trial, "failed", reason=f"{trial.asked_by} may not start sessions any more.")
        return
    done, present, limits = measured(runs), setting_of(trial.present), limits_of(trial)
    setting = next_setting(present, done, limits)
    if setting is not None:
        _next(trial, len(runs) + 1, setting, too_large(setting, done, limits))
    elif done[0].speed is None:
        _end(trial, "failed", reason=f"The settings of now could not be measured. {runs[0].reason}")
    else:
        found = proposal(present, done)
        result = {"why": found.why, "gain": found.gain, "setting": asdict(found.setting) if found.setting else None}
        _end(trial, "done", result=result)


def _end(trial: Trial, state: str, *, reason: str = "", result: dict[str, Any] | None = None) -> None:
    running = Trial.objects.filter(pk=trial.pk, state="running")
    running.update(state=state, reason=reason, result=result or {}, ended_at=timezone.now())


def _next(trial: Trial, number: int, setting: Setting, left_out: str) -> None:
    """Store the next setting with its session, both or neither; one that cannot be started says why."""
    try:
        with transaction.atomic():
            session = None if left_out else _session(trial, setting)
            _store(trial, number, setting, session, left_out)
    except IntegrityError:
        return  # somebody else was faster
    except MentorError as error:
        _store(trial, number, setting, None, f"{error.detail} {error.hint}".strip())


def _store(trial: Trial, number: int, setting: Setting, session: TrainingSession | None, problem: str) -> None:
    TrialRun.objects.create(
        trial=trial,
        number=number,
        setting=asdict(setting),
        session=session,
        run_id=session.run_id if session else "",
        state="failed" if problem else "queued",
        reason=problem,
    )


def _session(trial: Trial, setting: Setting) -> TrainingSession:
    """A session that trains with the setting, ends by itself if it must, and is started as any other."""
    try:
        config = read_config(bytes(trial.config))
    except ConfigError as error:
        raise Conflict(f"The configuration cannot be read: {error}") from error
    told = trial_config(config.tree)
    varied = {name: value for name, value in asdict(setting).items() if value is not None}
    budget = (BUDGET_SECONDS + BUDGET_TIMES * trial.seconds) / 60
    session = TrainingSession.objects.create(
        run_id=free_run_id(trial.run_id),
        name=f"{setting.words}, measured for {trial.run_id}",
        owner=trial.owner,
        origin=TRIAL,
        explanation=EXPLANATIONS[State.QUEUED],
        trainer=trial.trainer,
        environment=trial.environment,
        config_name=trial.config_name,
        config_given=told,
        config_used=told,
        options={**trial.options, **varied},
        rules={"budget_minutes": budget},
        priority=trial.priority,
    )
    for behavior in config.behaviors:
        BehaviorProgress.objects.create(session=session, name=behavior)
    first_attempt(session, by=trial.asked_by)
    return session
