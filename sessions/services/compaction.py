"""Keeping small what nothing is written to any more: many packed chunks become few compressed ones.

Readers may read meanwhile and writers may write: every change is one short transaction that holds the series' row, and
no point changes its place. What is killed in between is gone on with by the next call.
"""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import QuerySet
from django_q.models import OrmQ
from django_q.tasks import async_task

from sessions.domain.states import ENDED, values
from sessions.metrics.codec import compress, is_rows, unpack_all
from sessions.models import Series, SeriesChunk

COMPACT_TASK = "sessions.tasks.compact_series"
# Behind so many waiting tasks another one would only wait.
FEW_TASKS = 5
AT_ONCE = 200


def loose_series() -> QuerySet[Series]:
    """Return the series of ended attempts that are not compact."""
    return Series.objects.filter(compact=False, attempt__state__in=values(ENDED))


def ask() -> bool:
    """Enqueue a compaction if there is anything to compact; return whether there is."""
    found = loose_series().exists()
    if found and OrmQ.objects.count() < FEW_TASKS:
        async_task(COMPACT_TASK)
    return found


def compact(*, seconds: float) -> bool:
    """Compact the series of ended attempts for about so many seconds; return whether all are compact."""
    deadline = time.monotonic() + seconds
    while keys := list(loose_series().order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        for key in keys:
            while _compact_next(key):
                if time.monotonic() > deadline:
                    return False
            if time.monotonic() > deadline:
                return False
    return True


def compact_series(key: int) -> None:
    """Compact one series whole, whatever its attempt does."""
    while _compact_next(key):
        pass


@transaction.atomic
def _compact_next(key: int) -> bool:
    """Make the next stretch of a series one compressed chunk; return whether there is more to do."""
    series = Series.objects.select_for_update().filter(pk=key, compact=False).first()
    if series is None:
        return False
    stretch = _next_stretch(key)
    last = not stretch or stretch[-1].first + stretch[-1].count >= series.count
    if len(stretch) > 1 or any(is_rows(bytes(chunk.data)) for chunk in stretch):
        _put_together(stretch)
    if last:
        tail = stretch[0].first if stretch else series.tail
        Series.objects.filter(pk=key).update(compact=True, tail=tail)
    return not last


def _put_together(chunks: list[SeriesChunk]) -> None:
    points = unpack_all([bytes(chunk.data) for chunk in chunks])
    SeriesChunk.objects.filter(pk__in=[chunk.pk for chunk in chunks]).delete()
    first = chunks[0]
    SeriesChunk.objects.create(series_id=first.series_id, first=first.first, count=len(points), data=compress(points))


def _next_stretch(key: int) -> list[SeriesChunk]:
    """The first chunks that are not large enough, with as many behind them as make a large one."""
    chunks = SeriesChunk.objects.filter(series_id=key).order_by("first")
    start = chunks.filter(count__lt=SeriesChunk.COMPACT_POINTS).values_list("first", flat=True).first()
    if start is None:
        return []
    found: list[SeriesChunk] = []
    for chunk in chunks.filter(first__gte=start)[: 1 + SeriesChunk.COMPACT_POINTS // SeriesChunk.POINTS]:
        found.append(chunk)
        if sum(one.count for one in found) >= SeriesChunk.COMPACT_POINTS:
            break
    return found
