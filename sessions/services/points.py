"""Appending points to series: packed chunks, and the summary of each series beside them."""

from __future__ import annotations

from collections.abc import Iterable

from sessions.domain.numbers import finite
from sessions.metrics.codec import pack
from sessions.metrics.events import Point
from sessions.models import Attempt, Series, SeriesChunk


def append(attempt: Attempt, behavior: str, points: Iterable[Point]) -> None:
    """Append points of one behavior in the order they were written; to be called inside a transaction."""
    by_tag: dict[str, list[Point]] = {}
    for point in points:
        by_tag.setdefault(_name(point.tag), []).append(point)
    if not by_tag:
        return
    known = {series.tag: series for series in Series.objects.filter(attempt=attempt, behavior=behavior, tag__in=by_tag)}
    fresh = [Series(attempt=attempt, behavior=behavior, tag=tag) for tag in by_tag if tag not in known]
    known |= {series.tag: series for series in Series.objects.bulk_create(fresh)}
    _append_chunks(known, by_tag)
    for tag, tagged in by_tag.items():
        series = known[tag]
        series.count += len(tagged)
        series.last_step = tagged[-1].step
        series.last_value = finite(tagged[-1].value)
    Series.objects.bulk_update(known.values(), ["count", "last_step", "last_value"])


def _name(tag: str) -> str:
    """What every database takes as the name of a series: PostgreSQL knows no NUL."""
    return tag.replace("\0", "")[:255]


def _append_chunks(known: dict[str, Series], by_tag: dict[str, list[Point]]) -> None:
    tails = _tails(known.values())
    grown: list[SeriesChunk] = []
    created: list[SeriesChunk] = []
    for tag, tagged in by_tag.items():
        series = known[tag]
        tail = tails.get(series.pk)
        room = SeriesChunk.POINTS - tail.count if tail else 0
        if tail and room > 0:
            part = tagged[:room]
            tail.data = bytes(tail.data) + pack(part)
            tail.count += len(part)
            grown.append(tail)
        number = tail.number + 1 if tail else 0
        for start in range(max(room, 0), len(tagged), SeriesChunk.POINTS):
            part = tagged[start : start + SeriesChunk.POINTS]
            created.append(SeriesChunk(series=series, number=number, count=len(part), data=pack(part)))
            number += 1
    SeriesChunk.objects.bulk_update(grown, ["data", "count"])
    SeriesChunk.objects.bulk_create(created)


def _tails(series: Iterable[Series]) -> dict[int, SeriesChunk]:
    """The last chunk of each series that has one; its number follows from the series' count."""
    tails: dict[int, SeriesChunk] = {}
    numbers = {one.pk: (one.count - 1) // SeriesChunk.POINTS for one in series if one.count}
    for chunk in SeriesChunk.objects.filter(series_id__in=numbers, number__in=set(numbers.values())):
        if numbers[chunk.series_id] == chunk.number:
            tails[chunk.series_id] = chunk
    return tails
