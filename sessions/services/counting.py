"""Bringing an evaluation on: its episodes are counted, its sessions stopped in time, and removed once counted.

Nothing is remembered here. Whoever looks at an evaluation that has not ended brings it on from what is stored and from
what its sessions wrote, by compare-and-swap: a look that was cut short, or taken twice, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from sessions.domain.evaluation import Rewards, combined, enough
from sessions.domain.rules import count
from sessions.domain.states import ACTIVE, ENDED, State
from sessions.errors import Conflict
from sessions.models import Evaluation, EvaluationRun, TrainingSession
from sessions.models.session import EVALUATION
from sessions.services import stopping, throwing_away
from sessions.services.transitions import touch

BY_EVALUATION = "rule: evaluation"
UNFINISHED = ("queued", "running")
UNTRAINED = "The checkpoint does not fit the environment: the trainer acted with an untrained network."
NO_NUMBERS = "Its rewards are no finite numbers."

# What was read of one run: by behavior and kind of reward, the summaries in their order.
Seen = Mapping[tuple[str, str], Sequence[Rewards]]


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
        result=pooled([one.result for one in runs]),
        ended_at=timezone.now(),
    )


def pooled(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
    return _remove(run.session)


def _remove(session: TrainingSession) -> bool:
    """Remove everything that a part of an evaluation left, files first; return whether all of it is gone."""
    if session.origin != EVALUATION or "-eval-" not in session.run_id:
        raise Conflict(f"{session.run_id} is no part of an evaluation.")
    return throwing_away.remove(session)
