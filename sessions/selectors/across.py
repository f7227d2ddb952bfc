"""One tag in many sessions: how it stands, and its curves, each session's attempts as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sessions.errors import InvalidInput, Missing
from sessions.metrics.codec import Points
from sessions.models import Series, TrainingSession
from sessions.selectors.points import whole_series
from sessions.selectors.seconds import seconds_of, zeros_of
from sessions.selectors.series import Wish, points_shape, series_of_many
from sessions.selectors.sessions import User, visible_sessions

MOST_POINTS = 500_000


@dataclass(frozen=True)
class StandShape:
    """Where one tag of one behavior of a session stands: its last value, and its extremes over all attempts."""

    run_id: str
    behavior: str
    tag: str
    count: int
    last_step: int | None
    last_value: float | None
    min_value: float | None
    max_value: float | None


@dataclass(frozen=True)
class CurveShape(StandShape):
    """The same with its points, a later attempt winning from its first step on; `seconds` are those of training."""

    steps: list[int]
    values: list[float | None]
    wall_times: list[float]
    seconds: list[float]


def sessions_named(run_ids: Sequence[str], user: User) -> list[TrainingSession]:
    """Return these sessions in this order; raises Missing when the user may not see one of them."""
    rows = visible_sessions(user).filter(run_id__in=run_ids).only("pk", "run_id")
    found = {session.run_id: session for session in rows}
    for run_id in run_ids:
        if run_id not in found:
            raise Missing(f"There is no session {run_id}.")
    return [found[run_id] for run_id in run_ids]


def stands_of(
    sessions: Sequence[TrainingSession], *, tag: Sequence[str] | None = None, behavior: str | None = None
) -> list[StandShape]:
    """Return how the series of these sessions stand, in the order of the sessions, then by behavior and tag."""
    return [StandShape(**_stand(session, parts)) for session, parts in _curves(sessions, tag, behavior)]


def curves_of(
    sessions: Sequence[TrainingSession],
    *,
    points: int,
    tag: Sequence[str] | None = None,
    behavior: str | None = None,
) -> list[CurveShape]:
    """Return the curves of these sessions, each thinned to about `points`; raises InvalidInput when they are many."""
    curves = list(_curves(sessions, tag, behavior))
    if sum(min(points, sum(part.count for part in parts)) for _, parts in curves) > MOST_POINTS:
        raise InvalidInput(
            f"This would be more than {MOST_POINTS:,} points.", hint="Name tags, or ask for fewer points."
        )
    wishes = {part.pk: wish for _, parts in curves for part, wish in _wishes(parts, points)}
    found = {key: wishes[key](stored) for key, stored in whole_series(part for _, parts in curves for part in parts)}
    zeros = zeros_of(*sessions)
    return [_curve(session, parts, found, zeros) for session, parts in curves]


def _wishes(parts: list[Series], points: int) -> Iterator[tuple[Series, Wish]]:
    """What of each attempt is drawn: what no later one trained again, and as many points as is its share."""
    total = sum(part.count for part in parts)
    for number, part in enumerate(parts):
        later = [one.first_step - 1 for one in parts[number + 1 :] if one.first_step is not None]
        yield part, Wish(last_step=min(later, default=None), points=points * part.count // total)


def _curve(
    session: TrainingSession, parts: list[Series], found: dict[int, Points], zeros: dict[int, float]
) -> CurveShape:
    shapes = [(part, points_shape(part, found[part.pk])) for part in parts if part.pk in found]
    return CurveShape(
        **_stand(session, parts),
        steps=[step for _, shape in shapes for step in shape.steps],
        values=[value for _, shape in shapes for value in shape.values],
        wall_times=[moment for _, shape in shapes for moment in shape.wall_times],
        seconds=[one for part, shape in shapes for one in seconds_of(shape.wall_times, zeros[part.attempt_id])],
    )


def _stand(session: TrainingSession, parts: list[Series]) -> dict[str, Any]:
    last = parts[-1]
    return {
        "run_id": session.run_id,
        "behavior": last.behavior,
        "tag": last.tag,
        "count": sum(part.count for part in parts),
        "last_step": last.last_step,
        "last_value": last.last_value,
        "min_value": min((part.min_value for part in parts if part.min_value is not None), default=None),
        "max_value": max((part.max_value for part in parts if part.max_value is not None), default=None),
    }


def _curves(
    sessions: Sequence[TrainingSession], tag: Sequence[str] | None, behavior: str | None
) -> Iterator[tuple[TrainingSession, list[Series]]]:
    """Each session with the series, one per attempt, of each of its behaviors' tags."""
    found: dict[int, list[list[Series]]] = {}
    rows = series_of_many(sessions, tag=tag, behavior=behavior)
    for key, parts in groupby(rows, key=lambda one: (one.attempt.session_id, one.behavior, one.tag)):
        found.setdefault(key[0], []).append(list(parts))
    for session in sessions:
        for curve in found.get(session.pk, ()):
            yield session, curve
