"""Evaluating a checkpoint: for each seed a session of its own, that acts and learns nothing, is queued."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from sessions.domain.command import LARGEST_SEED, RUN_ID
from sessions.domain.config import Config, ConfigError, read_config
from sessions.domain.evaluation import (
    curricula,
    evaluation_config,
    lessons_used,
    summary_freq,
)
from sessions.domain.states import EXPLANATIONS, State
from sessions.errors import Conflict, InvalidInput, Missing
from sessions.models import Artifact, BehaviorProgress, Environment, Evaluation, EvaluationRun, TrainingSession
from sessions.models.session import EVALUATION
from sessions.selectors.evaluations import last_value
from sessions.selectors.sessions import User
from sessions.services import staging, throwing_away
from sessions.services.editing import require_permission
from sessions.services.staging import Chosen
from sessions.services.starting import first_attempt
from sessions.services.transitions import touch
from sessions.trainers.kinds import KINDS

MOST_SEEDS, MOST_EPISODES, MOST_MINUTES = 20, 10_000, 24 * 60
EPISODE_LENGTH = "Environment/Episode Length"
LESSON = "Environment/Lesson Number/{}"
SEEDS_CHOSEN = (1, 2, 3)
OPTIONS_DROPPED = ("seed", "num_envs", "initialize_from")


def evaluate(
    session: TrainingSession,
    key: int,
    *,
    by: User,
    seeds: Sequence[int] = SEEDS_CHOSEN,
    episodes: int = 20,
    minutes: float = 60.0,
    environment: int | None = None,
) -> Evaluation:
    """Queue the evaluation of the checkpoint that the file `key` belongs to, and return it.

    With each of `seeds` its policy acts for at least `episodes` episodes, for `minutes` at most, in the session's
    environment unless a registered one is named. Raises NotAllowed, Missing, InvalidInput or Conflict.
    """
    require_permission(by, "training.start_session")
    _check(seeds, episodes, minutes)
    checkpoint = _checkpoint(session, key)
    _check_trainer(session)
    config = _config(session)
    together = [staging.chosen_checkpoint(one) for one in _acting_with(checkpoint)]
    staging.check_kind(together, session.trainer.kind)
    build = _environment(session, environment)
    with transaction.atomic():
        evaluation = Evaluation.objects.create(
            session=session,
            artifact=checkpoint,
            behavior=checkpoint.behavior,
            step=checkpoint.step,
            sha256=together[0].sha256,
            seeds=list(seeds),
            episodes=episodes,
            environment=build.name if build else "",
            trainer=str(session.trainer),
            lessons=lessons_used(config.tree, _lessons_known(session, config, checkpoint)),
            behaviors=[one.behavior for one in together],
            asked_by=by.get_username(),
        )
        acting = _acting(evaluation, config)
        for seed in seeds:
            _queue(evaluation, seed, acting, build, together, by=by, minutes=minutes)
        touch(session.pk)
    return evaluation


def _config(session: TrainingSession) -> Config:
    try:
        return read_config(bytes(session.config_used))
    except ConfigError as error:
        raise Conflict(f"The configuration of {session.run_id} cannot be read: {error}") from error


def _acting(evaluation: Evaluation, config: Config) -> bytes:
    """The configuration of those that act, with a summary after about as many steps as some episodes take."""
    length = last_value(evaluation.session, evaluation.behavior, EPISODE_LENGTH, until=evaluation.step)
    freq = summary_freq(evaluation.episodes, length)
    return evaluation_config(config.tree, evaluation.behaviors, freq=freq, lessons=evaluation.lessons)


def _check(seeds: Sequence[int], episodes: int, minutes: float) -> None:
    errors = {}
    if not 1 <= len(set(seeds)) == len(seeds) <= MOST_SEEDS or not all(0 <= one <= LARGEST_SEED for one in seeds):
        errors["seeds"] = [f"Give 1 to {MOST_SEEDS} different seeds from 0 to {LARGEST_SEED}."]
    if not 1 <= episodes <= MOST_EPISODES:
        errors["episodes"] = [f"Give 1 to {MOST_EPISODES:,} episodes."]
    if not 0.1 <= minutes <= MOST_MINUTES:
        errors["minutes"] = [f"Give 0.1 to {MOST_MINUTES:,} minutes."]
    if errors:
        raise InvalidInput(next(iter(errors.values()))[0], errors=errors)


def _checkpoint(session: TrainingSession, key: int) -> Artifact:
    """The .pt file of the checkpoint that a file belongs to: trainers act with that, and not with the model."""
    chosen = Artifact.objects.filter(session=session, pk=key).first()
    if chosen is None:
        raise Missing("There is no such checkpoint.")
    if session.origin == EVALUATION:
        raise Conflict("What an evaluation wrote is not evaluated itself.")
    found = staging.state_of(chosen) if chosen.step is not None else None
    if found is None:
        raise Conflict(f"{chosen.path} is not a checkpoint with a .pt file, so that no trainer can act with it.")
    return found


def _check_trainer(session: TrainingSession) -> None:
    trainer = session.trainer
    if trainer.problem:
        raise Conflict(f"{trainer.name} cannot act now: {trainer.problem}")
    if not KINDS[trainer.kind].inference:
        raise Conflict(f"{trainer.name} cannot act without learning.")


def _environment(session: TrainingSession, chosen: int | None) -> Environment | None:
    if chosen is None:
        return session.environment
    environment = Environment.objects.filter(pk=chosen).first()
    if environment is None:
        raise InvalidInput("There is no such environment.", errors={"environment": ["There is no such environment."]})
    return environment


def _acting_with(checkpoint: Artifact) -> list[Artifact]:
    """The checkpoint, and of each other behavior the one that was saved nearest to it: all act together."""
    rows = Artifact.objects.filter(
        session_id=checkpoint.session_id, kind="pt", present=True, step__isnull=False
    ).select_related("session", "attempt")
    found = {checkpoint.behavior: checkpoint}
    for one in rows.exclude(behavior=checkpoint.behavior):
        best = found.get(one.behavior)
        if best is None or _distance(one, checkpoint) < _distance(best, checkpoint):
            found[one.behavior] = one
    return list(found.values())


def _distance(one: Artifact, checkpoint: Artifact) -> tuple[int, int]:
    """Attempts and steps between two checkpoints."""
    return abs((one.attempt_id or 0) - (checkpoint.attempt_id or 0)), abs((one.step or 0) - (checkpoint.step or 0))


def _lessons_known(session: TrainingSession, config: Config, checkpoint: Artifact) -> dict[str, int]:
    found = {}
    for name in curricula(config.tree):
        lesson = last_value(session, checkpoint.behavior, LESSON.format(name), until=checkpoint.step)
        if lesson is not None:
            found[name] = int(lesson)
    return found


def _queue(
    evaluation: Evaluation,
    seed: int,
    config: bytes,
    build: Environment | None,
    together: Sequence[Chosen],
    *,
    by: User,
    minutes: float,
) -> None:
    source = evaluation.session
    run_id = free_run_id(source.run_id)
    options = {name: value for name, value in source.options.items() if name not in OPTIONS_DROPPED}
    try:
        session = TrainingSession.objects.create(
            run_id=run_id,
            name=f"{evaluation.behavior} of {source.run_id} acts with seed {seed}",
            owner=by if by.is_authenticated else None,
            origin=EVALUATION,
            explanation=EXPLANATIONS[State.QUEUED],
            trainer=source.trainer,
            environment=build,
            config_name=source.config_name,
            config_given=config,
            config_used=config,
            options={
                **options,
                "seed": seed,
                "inference": True,
                "initialize_from": str(staging.folder_for(run_id, 1)),
            },
            rules={"budget_minutes": minutes},
            priority=source.priority,
        )
    except IntegrityError as error:
        raise Conflict("Another evaluation took the same run id a moment ago.", hint="Try it again.") from error
    for behavior in evaluation.behaviors:
        BehaviorProgress.objects.create(session=session, name=behavior)
    first_attempt(session, by=by.get_username(), chosen=together)
    EvaluationRun.objects.create(evaluation=evaluation, seed=seed, session=session, run_id=run_id)


def free_run_id(run_id: str) -> str:
    """Return a run id for a part of an evaluation of this session that was never used, such as ball-1-eval-3."""
    used = EvaluationRun.objects.values_list("run_id", flat=True)
    name = throwing_away.free_run_id(run_id, "eval", used)
    if not RUN_ID.fullmatch(name):
        raise Conflict(f"{name} would be no run id.")
    return name
