"""What is exported: the points of series, or the sessions, as long tables that are read piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet, Subquery
from django.http import QueryDict

from sessions.errors import InvalidInput
from sessions.metrics.codec import Points, unpack
from sessions.metrics.parquet import parquet_blocks
from sessions.metrics.tables import (
    LIST,
    MOMENT,
    REAL,
    TEXT,
    WHOLE,
    Batch,
    Blocks,
    Column,
    Same,
    csv_blocks,
    json_blocks,
)
from sessions.models import BehaviorProgress, Series, SeriesChunk, TrainingSession
from sessions.selectors.history import filtered
from sessions.selectors.series import current_attempts
from sessions.selectors.sessions import elapsed_seconds, mode

POINTS, SESSIONS = "points", "sessions"
TABLES = {
    POINTS: [
        Column("run_id", TEXT), Column("attempt", WHOLE), Column("behavior", TEXT), Column("tag", TEXT),
        Column("step", WHOLE), Column("wall_time", MOMENT), Column("value", REAL),
    ],
    SESSIONS: [
        Column("run_id", TEXT), Column("name", TEXT), Column("state", TEXT), Column("explanation", TEXT),
        Column("origin", TEXT), Column("mode", TEXT), Column("trainer", TEXT), Column("environment", TEXT),
        Column("owner", TEXT), Column("tags", LIST), Column("notes", TEXT), Column("config_name", TEXT),
        Column("config_sha256", TEXT), Column("attempts", WHOLE), Column("created_at", MOMENT),
        Column("started_at", MOMENT), Column("ended_at", MOMENT), Column("trashed_at", MOMENT),
        Column("elapsed_seconds", REAL), Column("behavior", TEXT), Column("step", WHOLE), Column("max_steps", WHOLE),
        Column("mean_reward", REAL), Column("std_reward", REAL),
    ],
}  # fmt: skip
FORMATS: dict[str, tuple[str, Callable[[Sequence[Column], Iterable[Batch]], Blocks]]] = {
    "csv": ("text/csv; charset=utf-8", csv_blocks),
    "json": ("application/json", json_blocks),
    "parquet": ("application/vnd.apache.parquet", parquet_blocks),
}
SESSIONS_AT_ONCE = 50
# Of short series many are read with one query, of a long one a part.
POINTS_AT_ONCE = 20_000
SERIES_AT_ONCE = 500


@dataclass(frozen=True)
class Wanted:
    """What to export: a table, a format, and of the points those of some behaviors and tags; empty is all."""

    table: str = POINTS
    format: str = "csv"
    behaviors: frozenset[str] = field(default=frozenset())
    series_tags: frozenset[str] = field(default=frozenset())

    @property
    def content_type(self) -> str:
        return FORMATS[self.format][0]

    def file_name(self, run_ids: Sequence[str]) -> str:
        """Return a name for the file: of the one session, or of several."""
        return f"{run_ids[0] if len(run_ids) == 1 else 'mentor'}-{self.table}.{self.format}"


def chosen_sessions(sessions: QuerySet[TrainingSession], query: QueryDict) -> QuerySet[TrainingSession]:
    """Return those of the sessions that a query chooses: the filters of the list, and run ids by name.

    Sessions in the trash are left out unless the query says trash=true. Raises InvalidInput for a wrong filter.
    """
    names = query.getlist("run_id")
    query = _without_blanks(query)
    found = filtered(sessions.filter(run_id__in=names) if names else sessions, query)
    if not found.is_valid():
        raise InvalidInput("The filter is wrong.", errors={name: list(told) for name, told in found.errors.items()})
    chosen: QuerySet[TrainingSession] = found.qs
    return chosen


def _without_blanks(query: QueryDict) -> QueryDict:
    """A form sends the fields nobody filled in as well."""
    kept = query.copy()
    for name in [name for name, values in query.lists() if not any(value.strip() for value in values)]:
        del kept[name]
    return kept


def export_blocks(sessions: QuerySet[TrainingSession], wanted: Wanted) -> Blocks:
    """Yield the export as bytes; however many points there are, memory holds some ten thousand of them."""
    keys = list(sessions.values_list("pk", flat=True))
    batches = point_batches(keys, wanted) if wanted.table == POINTS else session_batches(keys)
    return FORMATS[wanted.format][1](TABLES[wanted.table], batches)


def point_batches(keys: Sequence[int], wanted: Wanted) -> Iterator[Batch]:
    """Yield the points of sessions, in the order of the keys, then by behavior, tag and attempt."""
    for some in _portions(keys):
        run_ids = dict(TrainingSession.objects.filter(pk__in=some).values_list("pk", "run_id"))
        for series, points in _points(_series(some, wanted)):
            yield Batch(
                len(points),
                [
                    Same(run_ids[series.attempt.session_id]),
                    Same(series.attempt.number),
                    Same(series.behavior),
                    Same(series.tag),
                    points.steps,
                    points.wall_times,
                    points.values,
                ],
            )


def _portions(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + SESSIONS_AT_ONCE] for start in range(0, len(keys), SESSIONS_AT_ONCE))


def _series(keys: Sequence[int], wanted: Wanted) -> list[Series]:
    found = TrainingSession.objects.filter(pk__in=keys).only("pk")
    series = Series.objects.filter(attempt_id__in=current_attempts(*found), count__gt=0).select_related("attempt")
    if wanted.behaviors:
        series = series.filter(behavior__in=wanted.behaviors)
    if wanted.series_tags:
        series = series.filter(tag__in=wanted.series_tags)
    place = {key: number for number, key in enumerate(keys)}
    return sorted(
        series.only("attempt__session_id", "attempt__number", "behavior", "tag", "count"),
        key=lambda one: (place[one.attempt.session_id], one.behavior, one.tag, one.attempt.number),
    )


def _points(series: Sequence[Series]) -> Iterator[tuple[Series, Points]]:
    held: list[Series] = []
    count = 0
    for one in series:
        if held and (count + one.count > POINTS_AT_ONCE or len(held) == SERIES_AT_ONCE):
            yield from _points_of(held)
            held, count = [], 0
        held.append(one)
        count += one.count
    yield from _points_of(held)


def _points_of(series: Sequence[Series]) -> Iterator[tuple[Series, Points]]:
    """Series that are short enough together with one query, a long one in parts."""
    if len(series) == 1:
        yield from ((series[0], points) for points in _parts(series[0]))
    elif series:
        rows = SeriesChunk.objects.filter(series__in=series).order_by("series_id", "first")
        chunks: dict[int, list[bytes]] = {}
        for key, data in rows.values_list("series_id", "data"):
            chunks.setdefault(key, []).append(bytes(data))
        for one in series:
            yield from ((one, unpack(data)) for data in chunks.pop(one.pk, ()))


def _parts(series: Series) -> Iterator[Points]:
    """A series chunk by chunk. Chunks may be joined to larger ones meanwhile: what was yielded is passed over."""
    seen = 0
    while True:
        before = SeriesChunk.objects.filter(series=series, first__lte=seen).order_by("-first").values("first")[:1]
        chunks = SeriesChunk.objects.filter(series=series, first__gte=Subquery(before), first__lt=seen + POINTS_AT_ONCE)
        found = list(chunks.order_by("first").values_list("first", "data"))
        start = seen
        for first, data in found:
            points = unpack(bytes(data))[max(0, seen - first) :]
            seen += len(points)
            yield points
        if seen == start:
            return


def session_batches(keys: Sequence[int]) -> Iterator[Batch]:
    """Yield a row for each session and behavior; a session without behaviors has one row."""
    for some in _portions(keys):
        found = TrainingSession.objects.filter(pk__in=some).select_related("trainer", "environment", "owner")
        by_key = {session.pk: session for session in found.prefetch_related("behaviors", "attempts")}
        rows = [row for key in some if key in by_key for row in _session_rows(by_key[key])]
        if rows:
            yield Batch(len(rows), [list(column) for column in zip(*rows, strict=True)])


def _session_rows(session: TrainingSession) -> list[tuple[Any, ...]]:
    about = (
        session.run_id,
        session.name or None,
        session.state,
        session.explanation or None,
        session.origin,
        mode(session),
        session.trainer.name,
        session.environment.name if session.environment else None,
        session.owner.get_username() if session.owner else None,
        [str(tag) for tag in session.tags],
        session.notes or None,
        session.config_name or None,
        hashlib.sha256(bytes(session.config_used)).hexdigest(),
        len(session.attempts.all()),
        session.created_at,
        session.started_at,
        session.ended_at,
        session.trashed_at,
        elapsed_seconds(session),
    )
    behaviors = [one for one in session.behaviors.all() if one.seen] or list(session.behaviors.all())
    return [(*about, *_behavior(one)) for one in behaviors] or [(*about, None, None, None, None, None)]


def _behavior(one: BehaviorProgress) -> tuple[Any, ...]:
    return one.name, one.step, one.max_steps, one.mean_reward, one.std_reward
