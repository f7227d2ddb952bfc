"""Evaluations of checkpoints, as API and pages show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from sessions.domain.evaluation import Statistics
from sessions.domain.states import State
from sessions.errors import Missing
from sessions.models import Artifact, Attempt, Evaluation, EvaluationRun, TrainingSession
from sessions.models.session import EVALUATION
from sessions.selectors.series import current_attempts
from sessions.selectors.unattended import points_of


@dataclass(frozen=True)
class SeedShape:
    """The episodes with one seed."""

    seed: int
    state: str
    reason: str
    run_id: str
    reward: Statistics | None
    group_reward: Statistics | None


@dataclass(frozen=True)
class EvaluationShape:
    """One evaluation of a checkpoint; the rewards are those of its behavior, of all seeds together."""

    id: int
    checkpoint: int | None = field(metadata={"help": "The id of the file; None when it is gone."})
    behavior: str
    step: int | None
    sha256: str
    state: str
    reason: str
    explanation: str = field(metadata={"help": "What it waits for, or does; empty once it has ended."})
    episodes: int
    seeds: list[SeedShape]
    reward: Statistics | None
    group_reward: Statistics | None
    environment: str | None
    trainer: str
    lessons: dict[str, int]
    asked_by: str
    created_at: datetime
    ended_at: datetime | None


def evaluations_of(session: TrainingSession) -> list[EvaluationShape]:
    """Return all evaluations of a session's checkpoints, the newest first."""
    return [_shape(one) for one in _whole().filter(session=session)]


def evaluations_of_checkpoint(session: TrainingSession, key: int) -> list[EvaluationShape]:
    """Return the evaluations of the checkpoint that a file belongs to, the newest first; raises Missing."""
    artifact = Artifact.objects.filter(session=session, pk=key).first()
    if artifact is None:
        raise Missing("There is no such checkpoint.")
    same = Q(artifact=artifact)
    if artifact.step is not None:
        same |= Q(behavior=artifact.behavior, step=artifact.step)
    return [_shape(one) for one in _whole().filter(same, session=session)]


def evaluation_shape(key: int) -> EvaluationShape:
    """Return one evaluation."""
    return _shape(_whole().get(pk=key))


def _whole() -> QuerySet[Evaluation]:
    runs = EvaluationRun.objects.select_related("session").order_by("pk")
    return Evaluation.objects.order_by("-pk").prefetch_related(Prefetch("runs", queryset=runs))


def _shape(one: Evaluation) -> EvaluationShape:
    result = one.result.get(one.behavior, {})
    return EvaluationShape(
        id=one.pk,
        checkpoint=one.artifact_id,
        behavior=one.behavior,
        step=one.step,
        sha256=one.sha256,
        state=one.state,
        reason=one.reason,
        explanation=_explanation(one),
        episodes=one.episodes,
        seeds=[_seed(run, one.behavior) for run in one.runs.all()],
        reward=_statistics(result.get("reward")),
        group_reward=_statistics(result.get("group_reward")),
        environment=one.environment or None,
        trainer=one.trainer,
        lessons=one.lessons,
        asked_by=one.asked_by,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


def _seed(run: EvaluationRun, behavior: str) -> SeedShape:
    result = run.result.get(behavior, {})
    return SeedShape(
        seed=run.seed,
        state=run.state,
        reason=run.reason,
        run_id=run.run_id,
        reward=_statistics(result.get("reward")),
        group_reward=_statistics(result.get("group_reward")),
    )


def _statistics(told: dict[str, Any] | None) -> Statistics | None:
    names = Statistics.__dataclass_fields__
    return Statistics(**{name: told[name] for name in names}) if told else None


def _explanation(one: Evaluation) -> str:
    """What the first of its sessions that has not ended says of itself; one that acts does not train."""
    for run in one.runs.all():
        if run.state in ("queued", "running") and run.session is not None:
            if run.session.state == State.RUNNING.value:
                return f"Acts with seed {run.seed}."
            return run.session.explanation
    return ""


def unfinished_runs() -> list[EvaluationRun]:
    """Return the parts of evaluations that are not counted, or whose throw-away copy is not removed yet."""
    rows = EvaluationRun.objects.filter(Q(state__in=("queued", "running")) | Q(session__isnull=False))
    return list(rows.select_related("evaluation", "session"))


def last_value(session: TrainingSession, behavior: str, tag: str, *, until: int | None) -> float | None:
    """Return the last value of a series up to a step (None is the end), or None."""
    attempts = list(Attempt.objects.filter(pk__in=current_attempts(session)).order_by("number"))
    points = points_of(attempts, tag).get(behavior, [])
    return next((value for step, value in reversed(points) if until is None or step <= until), None)


def orphans() -> list[TrainingSession]:
    """Return sessions that are parts of evaluations which are there no more."""
    return list(TrainingSession.objects.filter(origin=EVALUATION, evaluation_run=None))
