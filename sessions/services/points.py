"""Appending points to series: packed chunks, and the summary of each series beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sessions.domain.numbers import finite
from sessions.metrics.codec import Points, columns, pack
from sessions.metrics.events import Point
from sessions.models import Attempt, Series, SeriesChunk

# The attempt, the behavior and the tag of a series.
Key = tuple[int, str, str]


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

    To be called inside a transaction; however many series there are, it takes four statements.
    """
    by_key = {(attempt, behavior, _name(tag)): points for (attempt, behavior, tag), points in added.items() if points}
    if not by_key:
        return
    before = _counts(by_key)
    # One upsert each: bulk_update would cost several times as much, at every summary of every training.
    stored = Series.objects.bulk_create(
        [
            Series(
                attempt_id=key[0],
                behavior=key[1],
                tag=key[2],
                count=before.get(key, 0) + len(points),
                last_step=points.steps[-1],
                last_value=finite(points.values[-1]),
            )
            for key, points in by_key.items()
        ],
        update_conflicts=True,
        unique_fields=["attempt", "behavior", "tag"],
        update_fields=["count", "last_step", "last_value"],
    )
    tails = _tails({series.pk: before.get(_key(series), 0) for series in stored})
    SeriesChunk.objects.bulk_create(
        [chunk for series in stored for chunk in _chunks(series, tails.get(series.pk), by_key[_key(series)])],
        update_conflicts=True,
        unique_fields=["series", "number"],
        update_fields=["data", "count"],
    )


def _key(series: Series) -> Key:
    return series.attempt_id, series.behavior, series.tag


def _counts(keys: Iterable[Key]) -> dict[Key, int]:
    """How many points the series have that are there already."""
    attempts, behaviors, tags = (set(column) for column in zip(*keys, strict=True))
    known = Series.objects.filter(attempt__in=attempts, behavior__in=behaviors, tag__in=tags)
    rows = known.values_list("attempt_id", "behavior", "tag", "count")
    return {(attempt, behavior, tag): count for attempt, behavior, tag, count in rows}


def _name(tag: str) -> str:
    """What every database takes as the name of a series: PostgreSQL knows no NUL."""
    return tag.replace("\0", "")[:255]


def _chunks(series: Series, tail: SeriesChunk | None, points: Points) -> Iterator[SeriesChunk]:
    """The chunks that change: the last one as far as there is room in it, and those after it."""
    number, start = 0, 0
    if tail is not None:
        number, start = tail.number + 1, SeriesChunk.POINTS - tail.count
        if start > 0:
            part = points[:start]
            data = bytes(tail.data) + pack(part)
            yield SeriesChunk(series=series, number=tail.number, count=tail.count + len(part), data=data)
    for first in range(start, len(points), SeriesChunk.POINTS):
        part = points[first : first + SeriesChunk.POINTS]
        yield SeriesChunk(series=series, number=number, count=len(part), data=pack(part))
        number += 1


def _tails(counts: dict[int, int]) -> dict[int, SeriesChunk]:
    """The last chunk of each series that has one; its number follows from the series' count of points."""
    numbers = {key: (count - 1) // SeriesChunk.POINTS for key, count in counts.items() if count}
    found = SeriesChunk.objects.filter(series_id__in=numbers, number__in=set(numbers.values()))
    return {chunk.series_id: chunk for chunk in found if numbers[chunk.series_id] == chunk.number}
