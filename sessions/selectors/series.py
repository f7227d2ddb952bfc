"""Reading series: which there are, and their points: after a cursor, in a range of steps, thinned.

A cursor is text that a reader hands back: `series:points` pairs, so that every series goes on where it was left and
nothing is sent twice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from django.db.models import QuerySet

from sessions.domain.results_layout import REWARD_TAGS
from sessions.errors import InvalidInput
from sessions.metrics.codec import Points
from sessions.metrics.thinning import thin, within
from sessions.models import Attempt, Series, TrainingSession
from sessions.selectors.points import points_between, whole_series

REWARD_TAG = "Environment/Cumulative Reward"
MAX_CURSOR = 200_000


@dataclass(frozen=True)
class SeriesShape:
    """One series there is."""

    behavior: str
    tag: str
    attempt: int
    count: int
    last_step: int | None
    last_value: float | None
    min_value: float | None
    max_value: float | None


@dataclass(frozen=True)
class PointsShape:
    """Points of one series; the lists are equally long, values that are no number are None."""

    behavior: str
    tag: str
    attempt: int
    steps: list[int]
    values: list[float | None]
    wall_times: list[float]


@dataclass(frozen=True)
class Wish:
    """Which points are wanted: of these steps (both ends included), thinned to about `points`."""

    first_step: int | None = None
    last_step: int | None = None
    points: int | None = None

    def __call__(self, found: Points) -> Points:
        """Return the wanted ones of these points."""
        if self.first_step is not None or self.last_step is not None:
            found = within(found, self.first_step, self.last_step)
        return found if self.points is None else thin(found, self.points)


def current_attempts(*sessions: TrainingSession) -> list[int]:
    """Return the keys of the attempts whose curves belong together: since the last one that began anew by force."""
    keys: dict[int, list[int]] = {}
    attempts = Attempt.objects.filter(session__in=sessions).order_by("number")
    for key, session, force in attempts.values_list("pk", "session_id", "force"):
        keys[session] = [key] if force else [*keys.get(session, []), key]
    return [key for some in keys.values() for key in some]


def taken_over(steps: Sequence[int], first: int) -> int:
    """Return how many of an attempt's ascending steps stay when a later attempt begins at step `first`: it wins."""
    return bisect_left(steps, first)


def reward_tag_of(session: TrainingSession) -> str:
    """Return the tag in which this session has its reward: that of ML-Agents, or of who else trained it."""
    there = Series.objects.filter(attempt__session=session, tag__in=REWARD_TAGS).values_list("tag", flat=True)
    found = set(there)
    return REWARD_TAG if REWARD_TAG in found else next((tag for tag in REWARD_TAGS if tag in found), REWARD_TAG)


def series_of(
    session: TrainingSession, *, tag: str | Sequence[str] | None = None, behavior: str | None = None
) -> list[Series]:
    """Return the session's series (of one tag or several), ordered by behavior, tag and attempt."""
    return list(_series(current_attempts(session), tag, behavior).order_by("behavior", "tag", "attempt__number"))


def series_of_many(
    sessions: Sequence[TrainingSession], *, tag: str | Sequence[str] | None = None, behavior: str | None = None
) -> list[Series]:
    """Return the series of several sessions, of each as `series_of` does."""
    series = _series(current_attempts(*sessions), tag, behavior)
    return list(series.order_by("attempt__session", "behavior", "tag", "attempt__number"))


def _series(attempts: list[int], tag: str | Sequence[str] | None, behavior: str | None) -> QuerySet[Series]:
    series = Series.objects.filter(attempt_id__in=attempts).select_related("attempt")
    if tag is not None:
        series = series.filter(tag__in=[tag] if isinstance(tag, str) else tag)
    return series if behavior is None else series.filter(behavior=behavior)


def series_shapes(session: TrainingSession) -> list[SeriesShape]:
    """Return what series there are, with their last point."""
    return [shape_of(one) for one in series_of(session)]


def shape_of(one: Series) -> SeriesShape:
    """Return a series without its points."""
    return SeriesShape(
        behavior=one.behavior,
        tag=one.tag,
        attempt=one.attempt.number,
        count=one.count,
        last_step=one.last_step,
        last_value=one.last_value,
        min_value=one.min_value,
        max_value=one.max_value,
    )


def points_after(
    session: TrainingSession,
    cursor: str = "",
    *,
    tag: str | Sequence[str] | None = None,
    behavior: str | None = None,
    points: int | None = None,
    steps: tuple[int | None, int | None] = (None, None),
    most: int | None = None,
) -> tuple[list[PointsShape], str]:
    """Return the points after a cursor (of all series, or those of tags or a behavior) and the cursor after them.

    With `points`, each series is thinned to about that many, keeping its extremes; with `steps` only those between the
    two are taken, both included, None is no end; with `most`, the answer ends after that many points of all series
    together, and the cursor leads to the rest. Raises InvalidInput for a cursor that was not handed out.
    """
    seen = parse_cursor(cursor)
    wish = Wish(*steps, points)
    grown = [one for one in series_of(session, tag=tag, behavior=behavior) if one.count > seen.get(one.pk, 0)]
    shapes = {}
    for one, found, read in _read(grown, seen, wish, most):
        seen[one.pk] = read
        if found:
            shapes[one.pk] = points_shape(one, found)
    ordered = [shapes[one.pk] for one in grown if one.pk in shapes]
    return ordered, ",".join(f"{key}:{count}" for key, count in sorted(seen.items()))


def _read(
    series: list[Series], seen: dict[int, int], wish: Wish, most: int | None
) -> Iterator[tuple[Series, Points, int]]:
    """Yield each series with its wanted points and how many of it were read then."""
    fresh = {one.pk: one for one in series if not seen.get(one.pk) and most is None}
    for key, found in whole_series(fresh.values()):
        yield fresh[key], wish(found), len(found)
    for one in series:
        if one.pk not in fresh and most != 0:
            start = seen.get(one.pk, 0)
            found = points_between(one, start, None if most is None else start + most)
            most = None if most is None else most - len(found)
            yield one, wish(found), start + len(found)


def points_shape(one: Series, found: Points) -> PointsShape:
    """Return points of a series as lists for JSON."""
    plain = found.lists()
    return PointsShape(
        behavior=one.behavior,
        tag=one.tag,
        attempt=one.attempt.number,
        steps=list(plain.steps),
        values=[value if isfinite(value) else None for value in plain.values],
        wall_times=list(plain.wall_times),
    )


def parse_cursor(cursor: str) -> dict[int, int]:
    """Return the points seen per series; raises InvalidInput for a cursor that was not handed out."""
    if not cursor:
        return {}
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError
        pairs = (pair.split(":") for pair in cursor.split(","))
        seen = {int(key): int(count) for key, count in pairs}
        if min(seen.values()) < 0:
            raise ValueError
        return seen
    except ValueError:
        raise InvalidInput("This cursor was not handed out by MENTOR.", hint="Leave it out to begin anew.") from None


def as_json(shapes: list[PointsShape] | list[SeriesShape]) -> list[dict[str, Any]]:
    """Return shapes as plain dictionaries; `asdict` would copy every single number."""
    return [dict(vars(shape)) for shape in shapes]
