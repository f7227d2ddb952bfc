"""Evaluating a checkpoint: sessions of its own, one for each seed, that act and learn nothing, counted and removed.

Nothing is remembered here. Whoever looks at an evaluation that has not ended brings it on from what is stored and from
what its sessions wrote, by compare-and-swap: a look that was cut short, or taken twice, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions.domain.command import LARGEST_SEED, RUN_ID
from sessions.domain.config import Config, ConfigError, read_config
from sessions.domain.evaluation import (
    Rewards,
    combined,
    curricula,
    enough,
    evaluation_config,
    lessons_used,
    summary_freq,
)
from sessions.domain.rules import count
from sessions.domain.states import ACTIVE, ENDED, State
from sessions.errors import Conflict, InvalidInput, Missing
from sessions.models import Artifact, BehaviorProgress, Environment, Evaluation, EvaluationRun, TrainingSession
from sessions.models.session import EVALUATION
from sessions.selectors.evaluations import last_value
from sessions.selectors.files import artifact_file
from sessions.selectors.sessions import User
from sessions.services import evaluation_files, stopping
from sessions.services.editing import require_permission
from sessions.services.starting import first_attempt
from sessions.services.transitions import touch
from sessions.trainers.kinds import KINDS

MOST_SEEDS, MOST_EPISODES, MOST_MINUTES = 20, 10_000, 24 * 60
BY_EVALUATION = "rule: evaluation"
UNFINISHED = ("queued", "running")
EPISODE_LENGTH = "Environment/Episode Length"
LESSON = "Environment/Lesson Number/{}"
UNTRAINED = "The checkpoint does not fit the environment: the trainer acted with an untrained network."
NO_NUMBERS = "Its rewards are no finite numbers."
SEEDS_CHOSEN = (1, 2, 3)
OPTIONS_DROPPED = ("seed", "num_envs", "initialize_from")

# What was read of one run: by behavior and kind of reward, the summaries in their order.
Seen = Mapping[tuple[str, str], Sequence[Rewards]]


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
    build = _environment(session, environment)
    try:
        config = read_config(bytes(session.config_used))
    except ConfigError as error:
        raise Conflict(f"The configuration of {session.run_id} cannot be read: {error}") from error
    staged = _together_with(checkpoint)
    lessons = lessons_used(config.tree, _lessons_known(session, config, checkpoint))
    with transaction.atomic():
        evaluation = Evaluation.objects.create(
            session=session,
            artifact=checkpoint,
            behavior=checkpoint.behavior,
            step=checkpoint.step,
            sha256=checkpoint.sha256 if checkpoint.step is not None else "",
            seeds=list(seeds),
            episodes=episodes,
            environment=build.name if build else "",
            trainer=str(session.trainer),
            lessons=lessons,
            checkpoints={one.behavior: one.pk for one in staged},
            asked_by=by.get_username(),
        )
        length = last_value(session, checkpoint.behavior, EPISODE_LENGTH, until=checkpoint.step)
        acting = evaluation_config(
            config.tree, [one.behavior for one in staged], freq=summary_freq(episodes, length), lessons=lessons
        )
        for seed in seeds:
            _queue(evaluation, seed, acting, build, by=by, minutes=minutes)
        touch(session.pk)
    return evaluation


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
    if chosen.kind != "pt":
        same = Artifact.objects.filter(
            session=session, behavior=chosen.behavior, step=chosen.step, kind="pt", present=True
        )
        chosen = same.exclude(step=None).order_by("-kept").first() or chosen
    if chosen.kind != "pt":
        raise Conflict(f"{chosen.path} has no .pt file beside it, so that no trainer can act with it.")
    artifact_file(session, chosen.pk)
    return chosen


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


def _together_with(checkpoint: Artifact) -> list[Artifact]:
    """The checkpoint, and of each other behavior the one that was saved nearest to it: all act together."""
    rows = Artifact.objects.filter(session_id=checkpoint.session_id, kind="pt", present=True)
    found = {checkpoint.behavior: checkpoint}
    for one in rows.exclude(behavior=checkpoint.behavior):
        best = found.get(one.behavior)
        if best is None or _distance(one, checkpoint) < _distance(best, checkpoint):
            found[one.behavior] = one
    return list(found.values())


def _distance(one: Artifact, checkpoint: Artifact) -> float:
    """Steps between two checkpoints; the newest state of a behavior, which names no step, is the last resort."""
    if one.step is None:
        return -1.0 if checkpoint.step is None else float("inf")
    return abs(one.step - checkpoint.step) if checkpoint.step is not None else -one.step / 1e18


def _lessons_known(session: TrainingSession, config: Config, checkpoint: Artifact) -> dict[str, int]:
    found = {}
    for name in curricula(config.tree):
        lesson = last_value(session, checkpoint.behavior, LESSON.format(name), until=checkpoint.step)
        if lesson is not None:
            found[name] = int(lesson)
    return found


def _queue(
    evaluation: Evaluation, seed: int, config: bytes, build: Environment | None, *, by: User, minutes: float
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
            trainer=source.trainer,
            environment=build,
            config_name=source.config_name,
            config_given=config,
            config_used=config,
            options={
                **options,
                "seed": seed,
                "inference": True,
                "initialize_from": str(evaluation_files.staged_folder(run_id)),
            },
            rules={"budget_minutes": minutes},
            priority=source.priority,
        )
    except IntegrityError as error:
        raise Conflict("Another evaluation took the same run id a moment ago.", hint="Try it again.") from error
    for behavior in evaluation.checkpoints:
        BehaviorProgress.objects.create(session=session, name=behavior)
    first_attempt(session, by=by.get_username())
    EvaluationRun.objects.create(evaluation=evaluation, seed=seed, session=session, run_id=run_id)


def free_run_id(run_id: str) -> str:
    """Return a run id for a part of an evaluation of this session that was never used, such as ball-1-eval-3."""
    taken = {one.lower() for one in EvaluationRun.objects.values_list("run_id", flat=True)}
    taken |= {
        one.lower()
        for one in TrainingSession.objects.filter(run_id__icontains="-eval-").values_list("run_id", flat=True)
    }
    number = 1
    while (name := f"{run_id[:50]}-eval-{number}").lower() in taken:
        number += 1
    if not RUN_ID.fullmatch(name):
        raise Conflict(f"{name} would be no run id.")
    return name


def look(run: EvaluationRun, seen: Seen, *, untrained: bool) -> None:
    """Bring the part of an evaluation on by what its session stands for now and what was seen of its rewards.

    `untrained`: the trainer said that it could not take the checkpoint's network over.
    """
    session = run.session
    if session is None:
        _finish(run, "failed", reason="Its session was removed before it was counted.")
        return
    state = State(session.state)
    if state in ENDED:
        _conclude(run, session, seen, untrained=untrained)
        return
    if state in ACTIVE and run.state == "queued":
        _begin(run)
    if session.wanted == "run" and state in ACTIVE and (untrained or _taken(run, seen) is not None):
        why = UNTRAINED if untrained else f"At least {count(run.evaluation.episodes, 'episode')} were played."
        stopping.end_by_rule(session, "stop", rule="evaluation", why=why)


def _taken(run: EvaluationRun, seen: Seen) -> int | None:
    return enough(seen.get((run.evaluation.behavior, "reward"), ()), run.evaluation.episodes)


def _begin(run: EvaluationRun) -> None:
    with transaction.atomic():
        EvaluationRun.objects.filter(pk=run.pk, state="queued").update(state="running")
        if Evaluation.objects.filter(pk=run.evaluation_id, state="queued").update(state="running"):
            touch(run.evaluation.session_id)


def _conclude(run: EvaluationRun, session: TrainingSession, seen: Seen, *, untrained: bool) -> None:
    """Store what the session's episodes say; of one that ended too early, why it did."""
    taken = _taken(run, seen)
    result = _result(seen, taken, run.evaluation.behavior)
    if untrained:
        _finish(run, "failed", reason=UNTRAINED)
    elif taken is not None:
        known = "reward" in result.get(run.evaluation.behavior, {})
        _finish(run, "done" if known else "failed", result=result, reason="" if known else NO_NUMBERS)
    else:
        had = sum(one.episodes for one in seen.get((run.evaluation.behavior, "reward"), ()))
        what = f"Only {had:,} of {count(run.evaluation.episodes, 'episode')} were played."
        _finish(run, "failed", result=result, reason=f"{session.explanation} {what}")


def _result(seen: Seen, taken: int | None, behavior: str) -> dict[str, Any]:
    """Statistics by behavior; of the evaluated one exactly the summaries that were needed count."""
    found: dict[str, Any] = {}
    for (name, kind), summaries in seen.items():
        counted = summaries[:taken] if name == behavior else summaries
        if (statistics := combined(counted)) is not None:
            found.setdefault(name, {})[kind] = {**asdict(statistics), "parts": [asdict(one) for one in counted]}
    return found


def _finish(run: EvaluationRun, state: str, *, result: dict[str, Any] | None = None, reason: str = "") -> None:
    with transaction.atomic():
        rows = EvaluationRun.objects.filter(pk=run.pk, state__in=UNFINISHED)
        if not rows.update(state=state, result=result or {}, reason=reason):
            return
        runs = list(EvaluationRun.objects.filter(evaluation=run.evaluation_id))
        if all(one.state not in UNFINISHED for one in runs):
            _finish_all(run.evaluation, runs)
        touch(run.evaluation.session_id)


def _finish_all(evaluation: Evaluation, runs: Sequence[EvaluationRun]) -> None:
    failed = next((one for one in runs if one.state == "failed"), None)
    Evaluation.objects.filter(pk=evaluation.pk, state__in=UNFINISHED).update(
        state="failed" if failed else "done",
        reason=f"Seed {failed.seed}: {failed.reason}" if failed else "",
        result=together([one.result for one in runs]),
        ended_at=timezone.now(),
    )


def together(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the statistics of the episodes of several seeds together, by behavior and kind of reward."""
    parts: dict[tuple[str, str], list[Rewards]] = {}
    for result in results:
        for behavior, kinds in result.items():
            for kind, told in kinds.items():
                parts.setdefault((behavior, kind), []).extend(Rewards(**one) for one in told["parts"])
    found: dict[str, Any] = {}
    for (behavior, kind), rewards in parts.items():
        if (statistics := combined(rewards)) is not None:
            found.setdefault(behavior, {})[kind] = asdict(statistics)
    return found


def clear(run: EvaluationRun) -> bool:
    """Remove what a counted part of an evaluation left; return whether nothing is left."""
    if run.session is None:
        return True
    if run.state in UNFINISHED or State(run.session.state) not in ENDED:
        return False
    return evaluation_files.remove(run.session)


def clear_orphan(session: TrainingSession) -> None:
    """End and remove what is left of an evaluation that was removed with its session."""
    if State(session.state) in ENDED:
        evaluation_files.remove(session)
    elif session.wanted != "kill":
        stopping.request_kill(session, by=BY_EVALUATION)
