"""Series: every point once and in order by cursor, across chunks and attempts."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from sessions.domain.states import State
from sessions.errors import InvalidInput
from sessions.metrics.codec import MANY
from sessions.metrics.events import Point
from sessions.models import Attempt, Series, SeriesChunk, TrainingSession
from sessions.selectors.points import points_between, whole_series
from sessions.selectors.series import as_json, parse_cursor, points_after, series_of, series_shapes
from sessions.services import compaction, points, starting
from tests.factories import make_session

TAG = "Environment/Cumulative Reward"
CHUNK = SeriesChunk.POINTS


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING)


def further_attempt(session: TrainingSession, *, force: bool = False) -> Attempt:
    """Another attempt of a session whose earlier one has stopped."""
    session.attempts.update(state=State.STOPPED.value)
    TrainingSession.objects.filter(pk=session.pk).update(state=State.STOPPED.value)
    session.refresh_from_db()
    return starting.new_attempt(session, by="ada", resume=not force, force=force)


def store(attempt: Attempt, steps: range, *, tag: str = TAG, behavior: str = "Ball") -> None:
    points.append(attempt, behavior, [Point(tag, step, 1e9 + step, step / 4) for step in steps])


@pytest.mark.parametrize("sizes", [[1] * 3, [CHUNK - 1, 1, 1], [CHUNK, 1], [CHUNK + 1, CHUNK], [3 * CHUNK, 10], [777]])
def test_points_read_after_each_flush_are_together_all_points_once(session: TrainingSession, sizes: list[int]) -> None:
    cursor, read, begin = "", [], 0
    for size in sizes:
        store(session.attempts.get(), range(begin, begin + size))
        begin += size
        (shape,), cursor = points_after(session, cursor)
        assert len(shape.steps) == len(shape.values) == len(shape.wall_times) == size
        read += shape.steps
    assert read == list(range(begin))
    assert points_after(session, cursor) == ([], cursor)


@pytest.mark.parametrize("seen", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 99, 2 * CHUNK + 100])
def test_a_cursor_at_any_place_gives_exactly_the_rest(session: TrainingSession, seen: int) -> None:
    store(session.attempts.get(), range(2 * CHUNK + 100))
    key = Series.objects.get().pk
    shapes, cursor = points_after(session, f"{key}:{seen}")
    assert [step for shape in shapes for step in shape.steps] == list(range(seen, 2 * CHUNK + 100))
    assert cursor == f"{key}:{2 * CHUNK + 100}"


def test_a_read_touches_only_the_chunks_behind_its_cursor(
    session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(0, 4 * CHUNK, CHUNK):
        store(session.attempts.get(), range(start, start + CHUNK))
    key = Series.objects.get().pk
    SeriesChunk.objects.filter(first__lt=3 * CHUNK).update(data=b"no whole points")
    (shape,), _ = points_after(session, f"{key}:{3 * CHUNK + 7}")
    assert shape.steps == list(range(3 * CHUNK + 7, 4 * CHUNK))


def test_only_the_series_that_grew_are_sent_and_the_others_keep_their_place(session: TrainingSession) -> None:
    attempt = session.attempts.get()
    store(attempt, range(3), tag="a")
    store(attempt, range(5), tag="b")
    _, cursor = points_after(session)
    store(attempt, range(5, 6), tag="b")
    shapes, cursor = points_after(session, cursor)
    assert [(shape.tag, shape.steps) for shape in shapes] == [("b", [5])]
    store(attempt, range(3, 4), tag="a")
    assert [(shape.tag, shape.steps) for shape in points_after(session, cursor)[0]] == [("a", [3])]


def test_tag_and_behavior_choose_series_and_the_cursor_remembers_the_rest(session: TrainingSession) -> None:
    attempt = session.attempts.get()
    for tag, behavior in (("a", "Ball"), ("b", "Ball"), ("a", "Wall")):
        store(attempt, range(2), tag=tag, behavior=behavior)
    shapes, cursor = points_after(session, tag="a")
    assert [(shape.behavior, shape.tag) for shape in shapes] == [("Ball", "a"), ("Wall", "a")]
    shapes, cursor = points_after(session, cursor, behavior="Ball")
    assert [(shape.behavior, shape.tag) for shape in shapes] == [("Ball", "b")]
    assert points_after(session, cursor)[0] == []
    assert points_after(session, tag="none", behavior="Ball")[0] == []


def test_attempts_come_one_after_another_until_one_begins_anew(session: TrainingSession) -> None:
    store(session.attempts.get(number=1), range(10))
    store(further_attempt(session), range(8, 20))
    assert [(one.attempt, one.count, one.last_step, one.last_value) for one in series_shapes(session)] == [
        (1, 10, 9, 2.25),
        (2, 12, 19, 4.75),
    ]
    shapes, cursor = points_after(session)
    assert [(shape.attempt, shape.steps[0]) for shape in shapes] == [(1, 0), (2, 8)]
    forced = further_attempt(session, force=True)
    assert series_of(session) == []
    assert points_after(session, cursor)[0] == []
    store(forced, range(3))
    assert [(one.attempt, one.count) for one in series_shapes(session)] == [(3, 3)]
    store(further_attempt(session), range(3, 4))
    assert [(shape.attempt, shape.steps) for shape in points_after(session, cursor)[0]] == [(3, [0, 1, 2]), (4, [3])]


def test_another_sessions_points_are_never_among_them(session: TrainingSession, ada: User) -> None:
    store(session.attempts.get(), range(4))
    other = make_session(owner=ada, run_id="other", state=State.RUNNING)
    assert points_after(other)[0] == []
    stolen = f"{Series.objects.get().pk}:0"
    assert points_after(other, stolen)[0] == []


def test_values_that_are_no_number_become_none(session: TrainingSession) -> None:
    values = [math.nan, 1.0, math.inf, -math.inf]
    points.append(session.attempts.get(), "Ball", [Point(TAG, step, 0.0, value) for step, value in enumerate(values)])
    (shape,), _ = points_after(session)
    assert shape.values == [None, 1.0, None, None]
    assert series_shapes(session)[0].last_value is None


def test_thinning_keeps_the_cursor_at_the_true_end(session: TrainingSession) -> None:
    store(session.attempts.get(), range(3 * CHUNK))
    (thin,), cursor = points_after(session, points=50)
    assert len(thin.steps) <= 50
    assert (thin.steps[0], thin.steps[-1]) == (0, 3 * CHUNK - 1)
    assert points_after(session, cursor)[0] == []
    (same,), _ = points_after(session, points=3 * CHUNK)
    assert same.steps == list(range(3 * CHUNK))


@pytest.mark.parametrize("cursor", ["x", "1", "1:", ":1", "1:-1", "1:2:3", "1:2,", "1.5:2", "1:x", "9:" + "9" * 5000])
def test_a_cursor_that_was_never_handed_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        parse_cursor(cursor)


def test_an_endless_cursor_is_refused_unread() -> None:
    with pytest.raises(InvalidInput):
        parse_cursor(",".join(["1:1"] * 100_000))


def test_a_cursor_of_series_that_are_gone_changes_nothing(session: TrainingSession) -> None:
    store(session.attempts.get(), range(2))
    assert points_after(session, "999999:5")[0][0].steps == [0, 1]


def test_shapes_are_plain_values_for_json(session: TrainingSession) -> None:
    store(session.attempts.get(), range(2))
    assert as_json(points_after(session)[0]) == [
        {
            "behavior": "Ball", "tag": TAG, "attempt": 1, "steps": [0, 1],
            "values": [0.0, 0.25], "wall_times": [1e9, 1e9 + 1],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("most", [1, 7, CHUNK, CHUNK + 1, 10_000])
def test_a_bounded_answer_leads_to_the_rest_and_nothing_comes_twice(session: TrainingSession, most: int) -> None:
    for tag in (TAG, "Losses/Value Loss"):
        store(session.attempts.get(), range(2 * CHUNK + 3) if most >= CHUNK else range(20), tag=tag)
    whole, end = points_after(session)
    read: dict[str, list[int]] = {TAG: [], "Losses/Value Loss": []}
    cursor = ""
    while cursor != end:
        shapes, cursor = points_after(session, cursor, most=most)
        assert 0 < sum(len(shape.steps) for shape in shapes) <= most
        for shape in shapes:
            read[shape.tag] += shape.steps
    assert read == {shape.tag: shape.steps for shape in whole}


@pytest.mark.parametrize("sizes", [[777], [5, 1200, 3], [1200, 5, 5], [249, 2000, 600], [CHUNK] * 41])
def test_the_summary_of_a_series_is_that_of_its_points_however_they_came(
    session: TrainingSession, sizes: list[int]
) -> None:
    begin = 10
    for size in sizes:
        store(session.attempts.get(), range(begin, begin + size))
        begin += size
    series = Series.objects.get()
    last = begin - 1
    assert (series.count, series.first_step, series.last_step) == (sum(sizes), 10, last)
    assert (series.first_time, series.last_time) == (1e9 + 10, 1e9 + last)
    assert (series.min_value, series.max_value, series.last_value) == (2.5, last / 4, last / 4)
    assert series.tail == SeriesChunk.objects.order_by("first").values_list("first", flat=True).last()
    assert list(points_between(series).steps) == list(range(10, begin))


def test_values_that_are_no_number_are_neither_smallest_nor_largest(session: TrainingSession) -> None:
    for values in ([math.nan, math.inf], [3.0, -math.inf, -2.0], [math.nan]):
        points.append(session.attempts.get(), "Ball", [Point(TAG, 0, 0.0, value) for value in values])
    series = Series.objects.get()
    assert (series.min_value, series.max_value, series.last_value) == (-2.0, 3.0, None)


@pytest.mark.parametrize("total", [600, 2_500, MANY + 700])
@pytest.mark.parametrize("compact", [False, True])
def test_any_stretch_of_a_series_is_found_however_it_is_stored(
    session: TrainingSession, total: int, compact: bool
) -> None:
    for start in (*range(0, 600, 100), *range(600, total, 950)):
        store(session.attempts.get(), range(start, min(total, start + (100 if start < 600 else 950))))
    series = Series.objects.get()
    if compact:
        compaction.compact_series(series.pk)
    for start, end in ((0, None), (0, 1), (249, 251), (599, 601), (total - 1, None), (total, None), (-5, 3), (7, 7)):
        assert list(points_between(series, start, end).steps) == list(range(total))[max(0, start) : end]
    assert [list(found.steps) for _, found in whole_series([series])] == [list(range(total))]


def test_steps_choose_a_range_with_both_its_ends_and_the_cursor_goes_on(session: TrainingSession) -> None:
    store(session.attempts.get(), range(0, 1000, 10))
    (shape,), cursor = points_after(session, steps=(95, 130))
    assert shape.steps == [100, 110, 120, 130]
    assert points_after(session, cursor)[0] == []
    (shape,), _ = points_after(session, steps=(None, 10))
    assert shape.steps == [0, 10]
    assert points_after(session, steps=(5000, None))[0] == []
    (shape,), _ = points_after(session, steps=(500, None), points=4)
    assert (shape.steps[0], shape.steps[-1]) == (500, 990)


def test_a_range_of_very_many_points_is_the_same(session: TrainingSession) -> None:
    store(session.attempts.get(), range(MANY))
    (shape,), _ = points_after(session, steps=(MANY - 3, None))
    assert (shape.steps, shape.values) == ([MANY - 3, MANY - 2, MANY - 1], [one / 4 for one in shape.steps])


def test_several_tags_at_once_are_asked_for_by_name(session: TrainingSession) -> None:
    for tag in ("a", "b", "c"):
        store(session.attempts.get(), range(3), tag=tag)
    assert [shape.tag for shape in points_after(session, tag=["c", "a", "none"])[0]] == ["a", "c"]
    assert points_after(session, tag=[])[0] == []
