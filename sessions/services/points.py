"""Appending points to series: packed chunks, and the summary of each series beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from sessions.domain.numbers import finite
from sessions.metrics.codec import Points, columns, compress, extended, is_rows, pack
from sessions.metrics.events import Point
from sessions.models import Attempt, Series, SeriesChunk

# The attempt, the behavior and the tag of a series.
Key = tuple[int, str, str]
# So many points of a series at once are of a file that was there before: they are compressed without a detour.
BULK_POINTS = 1_000
SUMMARY = ("count", "last_step", "last_time", "last_value", "min_value", "max_value", "tail", "compact")


def append(attempt: Attempt, behavior: str, points: Iterable[Point]) -> None:
    """Append points of one behavior in the order they were written; to be called inside a transaction."""
    append_all((attempt.pk, behavior, point) for point in points)


def append_all(points: Iterable[tuple[int, str, Point]]) -> None:
    """Append single points, each with the key of its attempt and its behavior, as `append_columns` does."""
    by_key: dict[Key, list[Point]] = {}
    for attempt, behavior, point in points:
        by_key.setdefault((attempt, behavior, point.tag), []).append(point)
    append_columns({key: columns(added) for key, added in by_key.items()})


def append_columns(added: Mapping[Key, Points]) -> None:
    """Append the points of each series in the order they were written.

    To be called inside a transaction; it takes four statements, each for as many series as have room in one.
    """
    by_key = {
        (attempt, behavior, stored_name(tag)): points for (attempt, behavior, tag), points in added.items() if points
    }
    if not by_key:
        return
    before = _known(by_key)
    tails = _tails(before.values())
    chunks = {}
    series = []
    for key, points in by_key.items():
        known = before.get(key) or Series(attempt_id=key[0], behavior=key[1], tag=key[2])
        chunks[key] = list(_chunks(known, tails.get(known.pk), points))
        series.append(_summed(known, points, chunks[key]))
    # One upsert each: bulk_update would cost several times as much, at every summary of every training.
    stored = Series.objects.bulk_create(
        series, update_conflicts=True, unique_fields=["attempt", "behavior", "tag"], update_fields=SUMMARY
    )
    for one in stored:
        for chunk in chunks[_key(one)]:
            chunk.series_id = one.pk
    SeriesChunk.objects.bulk_create(
        [chunk for some in chunks.values() for chunk in some],
        update_conflicts=True,
        unique_fields=["series", "first"],
        update_fields=["data", "count"],
    )


def _key(series: Series) -> Key:
    return series.attempt_id, series.behavior, series.tag


def _known(keys: Iterable[Key]) -> dict[Key, Series]:
    """The series that are there already, locked where rows can be: they may be compacted at the same time."""
    attempts, behaviors, tags = (set(column) for column in zip(*keys, strict=True))
    known = Series.objects.filter(attempt__in=attempts, behavior__in=behaviors, tag__in=tags)
    return {_key(one): one for one in known.select_for_update().order_by("pk")}


def stored_name(tag: str) -> str:
    """Return what every database takes as the name of a series: PostgreSQL knows no NUL."""
    return tag.replace("\0", "")[:255]


def _summed(known: Series, points: Points, chunks: list[SeriesChunk]) -> Series:
    """The row of a series with further points; without its key, so that it can be stored as the others are."""
    new = known.count == 0
    values = [float(value) for value in points.values if math.isfinite(value)]
    return Series(
        attempt_id=known.attempt_id,
        behavior=known.behavior,
        tag=known.tag,
        count=known.count + len(points),
        first_step=int(points.steps[0]) if new else known.first_step,
        first_time=float(points.wall_times[0]) if new else known.first_time,
        last_step=int(points.steps[-1]),
        last_time=float(points.wall_times[-1]),
        last_value=finite(float(points.values[-1])),
        min_value=min([*values, *_there(known.min_value)], default=None),
        max_value=max([*values, *_there(known.max_value)], default=None),
        tail=chunks[-1].first,
        compact=new and len(points) >= BULK_POINTS,
    )


def _there(value: float | None) -> list[float]:
    return [] if value is None else [value]


def _chunks(series: Series, tail: SeriesChunk | None, points: Points) -> Iterator[SeriesChunk]:
    """The chunks that change: the last one as far as there is room in it, and those after it."""
    first = series.count
    if len(points) >= BULK_POINTS:
        yield from _chunks_of(points, first, compress, SeriesChunk.COMPACT_POINTS)
        return
    room = SeriesChunk.POINTS - tail.count if tail is not None and is_rows(bytes(tail.data)) else 0
    if tail is not None and room > 0:
        part = points[:room]
        data = extended(bytes(tail.data), part)
        yield SeriesChunk(first=tail.first, count=tail.count + len(part), data=data)
    yield from _chunks_of(points[max(0, room) :], first + max(0, room), pack, SeriesChunk.POINTS)


def _chunks_of(points: Points, first: int, packed: Callable[[Points], bytes], size: int) -> Iterator[SeriesChunk]:
    for start in range(0, len(points), size):
        part = points[start : start + size]
        yield SeriesChunk(first=first + start, count=len(part), data=packed(part))


def _tails(known: Iterable[Series]) -> dict[int, SeriesChunk]:
    """The last chunk of each series that may have room in it."""
    firsts = {series.pk: series.tail for series in known if series.count and not series.compact}
    found = SeriesChunk.objects.filter(series_id__in=firsts, first__in=set(firsts.values()))
    return {chunk.series_id: chunk for chunk in found if firsts[chunk.series_id] == chunk.first}
