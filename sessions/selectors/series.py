"""Reading series: which there are, and the points after a cursor.

A cursor is text that a reader hands back: `series:points` pairs, so that every series goes on where it was left and
nothing is sent twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sessions.domain.numbers import finite
from sessions.domain.results_layout import REWARD_TAGS
from sessions.errors import InvalidInput
from sessions.metrics.codec import thin, unpack
from sessions.models import Attempt, Series, SeriesChunk, TrainingSession

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


@dataclass(frozen=True)
class PointsShape:
    """Points of one series; the three lists are equally long, values that are no number are None."""

    behavior: str
    tag: str
    attempt: int
    steps: list[int]
    values: list[float | None]
    wall_times: list[float]


def current_attempts(session: TrainingSession) -> list[int]:
    """Return the keys of the attempts whose curves belong together: since the last one that began anew by force."""
    keys: list[int] = []
    for attempt in Attempt.objects.filter(session=session).order_by("number"):
        keys = [attempt.pk] if attempt.force else [*keys, attempt.pk]
    return keys


def reward_tag_of(session: TrainingSession) -> str:
    """Return the tag in which this session has its reward: that of ML-Agents, or of who else trained it."""
    there = Series.objects.filter(attempt__session=session, tag__in=REWARD_TAGS).values_list("tag", flat=True)
    found = set(there)
    return REWARD_TAG if REWARD_TAG in found else next((tag for tag in REWARD_TAGS if tag in found), REWARD_TAG)


def series_of(session: TrainingSession, *, tag: str | None = None, behavior: str | None = None) -> list[Series]:
    """Return the session's series, ordered by behavior, tag and attempt."""
    series = Series.objects.filter(attempt_id__in=current_attempts(session)).select_related("attempt")
    if tag is not None:
        series = series.filter(tag=tag)
    if behavior is not None:
        series = series.filter(behavior=behavior)
    return list(series.order_by("behavior", "tag", "attempt__number"))


def series_shapes(session: TrainingSession) -> list[SeriesShape]:
    """Return what series there are, with their last point."""
    return [
        SeriesShape(one.behavior, one.tag, one.attempt.number, one.count, one.last_step, one.last_value)
        for one in series_of(session)
    ]


def points_after(
    session: TrainingSession,
    cursor: str = "",
    *,
    tag: str | None = None,
    behavior: str | None = None,
    points: int | None = None,
    most: int | None = None,
) -> tuple[list[PointsShape], str]:
    """Return the points after a cursor (of all series, or those of a tag or behavior) and the cursor after them.

    With `points`, each series is thinned to about that many, keeping its extremes; with `most`, the answer ends after
    that many points of all series together, and the cursor leads to the rest. Raises InvalidInput for a cursor
    that was not handed out.
    """
    seen = parse_cursor(cursor)
    shapes = []
    for one in series_of(session, tag=tag, behavior=behavior):
        if one.count > seen.get(one.pk, 0) and most != 0:
            shape, seen[one.pk] = _points(one, seen.get(one.pk, 0), points, most)
            if shape.steps:
                shapes.append(shape)
                most = None if most is None else max(0, most - len(shape.steps))
    return shapes, ",".join(f"{key}:{count}" for key, count in sorted(seen.items()))


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


def _points(series: Series, seen: int, limit: int | None, most: int | None) -> tuple[PointsShape, int]:
    chunks = SeriesChunk.objects.filter(series=series, number__gte=seen // SeriesChunk.POINTS).order_by("number")
    if most is not None:
        chunks = chunks[: most // SeriesChunk.POINTS + 2]
    blob = b"".join(bytes(chunk.data) for chunk in chunks)
    first = seen // SeriesChunk.POINTS * SeriesChunk.POINTS
    all_points = unpack(blob)
    part = slice(seen - first, None if most is None else seen - first + most)
    points = type(all_points)(all_points.steps[part], all_points.wall_times[part], all_points.values[part])
    read = seen + len(points.steps)
    if limit is not None and len(points.steps) > limit:
        points = thin(points, limit)
    shape = PointsShape(
        behavior=series.behavior,
        tag=series.tag,
        attempt=series.attempt.number,
        steps=[int(step) for step in points.steps],
        values=[finite(float(value)) for value in points.values],
        wall_times=[float(moment) for moment in points.wall_times],
    )
    return shape, read


def as_json(shapes: list[PointsShape] | list[SeriesShape]) -> list[dict[str, Any]]:
    """Return shapes as plain dictionaries."""
    return [asdict(shape) for shape in shapes]
