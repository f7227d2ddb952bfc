"""Attempts stitched to one curve per behavior, with the seams and with what was trained again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.models import Series, TrainingSession
from sessions.selectors.series import PointsShape, current_attempts, taken_over


@dataclass(frozen=True)
class SeamShape:
    """Where a further attempt took a behavior's curve on: its first step there."""

    behavior: str
    attempt: int
    step: int


@dataclass(frozen=True)
class Stitched:
    """One behavior's curve over all attempts.

    `replaced` are the ends of earlier attempts that a later one trained again, each from the last point that stayed.
    """

    whole: PointsShape
    replaced: list[PointsShape] = field(default_factory=list)
    seams: list[SeamShape] = field(default_factory=list)


def stitched(parts: Iterable[PointsShape]) -> dict[str, Stitched]:
    """Return the curve of each behavior in one tag; a later attempt wins from its first step on."""
    curves: dict[str, Stitched] = {}
    for part in sorted((one for one in parts if one.steps), key=lambda one: one.attempt):
        before = curves.get(part.behavior)
        curves[part.behavior] = _after(before, part) if before else Stitched(part)
    return curves


def _after(before: Stitched, part: PointsShape) -> Stitched:
    whole = before.whole
    keep = taken_over(whole.steps, part.steps[0])
    again = [_points(whole, slice(max(0, keep - 1), None))] if keep < len(whole.steps) else []
    kept = _points(whole, slice(keep))
    joined = replace(
        part,
        steps=kept.steps + part.steps,
        values=kept.values + part.values,
        wall_times=kept.wall_times + part.wall_times,
    )
    seam = SeamShape(part.behavior, part.attempt, part.steps[0])
    return Stitched(joined, [*before.replaced, *again], [*before.seams, seam])


def _points(shape: PointsShape, part: slice) -> PointsShape:
    return replace(shape, steps=shape.steps[part], values=shape.values[part], wall_times=shape.wall_times[part])


def seams_of(session: TrainingSession) -> list[SeamShape]:
    """Return where the session's further attempts took over, by behavior and attempt.

    What attempts take of the machine is joined by nothing.
    """
    curves = Series.objects.filter(attempt_id__in=current_attempts(session), count__gt=0)
    rows = curves.exclude(behavior=OF_THE_ATTEMPT).order_by("behavior", "attempt__number", "pk")
    begun: dict[str, int] = {}
    seams = []
    for behavior, attempt, step in rows.values_list("behavior", "attempt__number", "first_step"):
        if step is not None and begun.get(behavior, attempt) != attempt:
            seams.append(SeamShape(behavior, attempt, step))
        begun[behavior] = attempt
    return seams
