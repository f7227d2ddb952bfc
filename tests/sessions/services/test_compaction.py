"""Compaction: the same points in fewer bytes, whoever reads, writes or dies meanwhile."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from django.db.models.functions import Length
from django_q.models import OrmQ
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions import tasks
from sessions.domain.states import State
from sessions.metrics.codec import is_rows
from sessions.metrics.events import Point
from sessions.models import Attempt, Series, SeriesChunk, TrainingSession
from sessions.selectors.series import points_after
from sessions.services import compaction, points
from tests.factories import make_session

TAG = "Environment/Cumulative Reward"
LARGE = SeriesChunk.COMPACT_POINTS
IN_PIECES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.COMPLETED)


def store(attempt: Attempt, steps: range, *, tag: str = TAG, at_once: int = 500) -> None:
    for start in range(0, len(steps), at_once):
        part = [Point(tag, step, 1e9 + step, math.sin(step)) for step in steps[start : start + at_once]]
        points.append(attempt, "Ball", part)


def layout() -> list[tuple[int, int, bool]]:
    """First point, number of points and whether still rows, of each chunk."""
    chunks = SeriesChunk.objects.order_by("series", "first")
    return [(chunk.first, chunk.count, is_rows(bytes(chunk.data))) for chunk in chunks]


def size() -> int:
    return int(SeriesChunk.objects.aggregate(all=Sum(Length("data")))["all"])


def test_points_and_cursors_stay_and_chunks_become_few_and_small(session: TrainingSession) -> None:
    for tag in ("a", "b"):
        store(session.attempts.get(), range(1300), tag=tag)
    before, cursor = points_after(session)
    _, middle = points_after(session, most=700)
    rest, _ = points_after(session, middle)
    bytes_before = size()
    assert compaction.compact(seconds=60)
    assert layout() == [(0, 1300, False)] * 2
    assert size() < bytes_before / 2
    assert points_after(session) == (before, cursor)
    assert points_after(session, middle)[0] == rest
    assert set(Series.objects.values_list("compact", flat=True)) == {True}


def test_a_long_series_becomes_chunks_that_are_large_but_for_the_last(session: TrainingSession) -> None:
    store(session.attempts.get(), range(2 * LARGE + 700))
    assert compaction.compact(seconds=60)
    assert layout() == [(0, LARGE, False), (LARGE, LARGE, False), (2 * LARGE, 700, False)]


def test_what_trains_is_left_alone(session: TrainingSession) -> None:
    store(session.attempts.get(), range(600))
    session.attempts.update(state=State.RUNNING.value)
    assert compaction.compact(seconds=60)
    assert len(layout()) == 3


def test_points_that_come_afterwards_are_rows_again_until_the_next_time(session: TrainingSession) -> None:
    attempt = session.attempts.get()
    store(attempt, range(600))
    compaction.compact(seconds=60)
    _, cursor = points_after(session)
    store(attempt, range(600, 610), at_once=1)
    assert layout() == [(0, 600, False), (600, 10, True)]
    (news,), _ = points_after(session, cursor)
    assert news.steps == list(range(600, 610))
    compaction.compact(seconds=60)
    assert layout() == [(0, 610, False)]
    assert points_after(session, cursor)[0] == [news]


def test_a_second_run_changes_nothing(session: TrainingSession) -> None:
    store(session.attempts.get(), range(LARGE + 300))
    compaction.compact(seconds=60)
    before = list(SeriesChunk.objects.values_list("pk", "data"))
    Series.objects.update(compact=False)
    compaction.compact(seconds=60)
    assert list(SeriesChunk.objects.values_list("pk", "data")) == before


def test_it_comes_in_slices_and_a_death_between_them_costs_nothing(
    session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(session.attempts.get(), range(2 * LARGE + 10))
    before = points_after(session)
    assert not compaction.compact(seconds=0)
    assert layout()[0] == (0, LARGE, False)
    assert points_after(session) == before

    def fail(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(compaction, "compress", fail)
    with pytest.raises(KeyboardInterrupt):
        compaction.compact(seconds=60)
    monkeypatch.undo()
    assert points_after(session) == before
    assert compaction.compact(seconds=60)
    assert points_after(session) == before
    assert [count for _, count, _ in layout()] == [LARGE, LARGE, 10]


def test_what_comes_in_bulk_is_compressed_at_once(session: TrainingSession) -> None:
    store(session.attempts.get(), range(3000), at_once=3000)
    assert layout() == [(0, 3000, False)]
    assert not compaction.loose_series().exists()
    store(session.attempts.get(), range(3000, 5000), at_once=2000)
    assert layout() == [(0, 3000, False), (3000, 2000, False)]
    compaction.compact(seconds=60)
    assert layout() == [(0, 5000, False)]


@IN_PIECES
@given(st.lists(st.one_of(st.integers(1, 1400), st.none()), min_size=1, max_size=12))
def test_however_appends_and_compactions_alternate_every_point_is_there_once(
    session: TrainingSession, plan: list[int | None]
) -> None:
    Series.objects.all().delete()
    total, cursor, read = 0, "", []
    for size in plan:
        if size is None:
            compaction.compact(seconds=60)
        else:
            store(session.attempts.get(), range(total, total + size), at_once=size)
            total += size
        shapes, cursor = points_after(session, cursor)
        read += [step for shape in shapes for step in shape.steps]
    assert read == list(range(total))
    ends = [(first, first + count) for first, count, _ in layout()]
    assert [start for start, _ in ends][1:] == [end for _, end in ends][:-1]


def test_it_is_asked_for_when_there_is_something_to_do_and_the_queue_is_short(
    session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(compaction, "async_task", asked.append)
    assert not compaction.ask()
    store(session.attempts.get(), range(10))
    assert compaction.ask()
    for number in range(compaction.FEW_TASKS):
        OrmQ.objects.create(key=str(number), payload="")
    assert compaction.ask()
    assert asked == [compaction.COMPACT_TASK]


def test_the_task_does_it_and_asks_again_for_what_it_did_not_reach(
    session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(session.attempts.get(), range(2 * LARGE + 10))
    asked: list[str] = []
    monkeypatch.setattr(compaction, "async_task", asked.append)
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0.0)
    tasks.compact_series()
    assert asked == [compaction.COMPACT_TASK]
    monkeypatch.undo()
    tasks.compact_series()
    assert layout() == [(0, LARGE, False), (LARGE, LARGE, False), (2 * LARGE, 10, False)]
