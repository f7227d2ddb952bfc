"""The points of series as they are stored, by their place in the series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from django.db.models import Subquery

from sessions.metrics.codec import Points, unpack_all
from sessions.models import Series, SeriesChunk


def points_between(series: Series, start: int = 0, end: int | None = None) -> Points:
    """Return a series' points from the place `start` (0 is the first) up to, and without, `end`."""
    before = SeriesChunk.objects.filter(series=series, first__lte=max(0, start)).order_by("-first")
    chunks = SeriesChunk.objects.filter(series=series, first__gte=Subquery(before.values("first")[:1]))
    if end is not None:
        chunks = chunks.filter(first__lt=end)
    rows = list(chunks.order_by("first").values_list("first", "data"))
    points = unpack_all([bytes(data) for _, data in rows])
    begin = rows[0][0] if rows else 0
    return points[max(0, start - begin) : None if end is None else max(0, end - begin)]


def whole_series(series: Iterable[Series]) -> Iterator[tuple[int, Points]]:
    """Yield the key and all points of each series that has any, in one query; one series at a time is in memory."""
    keys = [one.pk for one in series]
    rows = SeriesChunk.objects.filter(series_id__in=keys).order_by("series_id", "first")
    stream = rows.values_list("series_id", "data").iterator(chunk_size=100)
    for key, some in groupby(stream, key=lambda row: row[0]):
        yield key, unpack_all([bytes(data) for _, data in some])
