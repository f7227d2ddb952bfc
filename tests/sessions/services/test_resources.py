"""Samples of what attempts take become points of series of their own, and disturb no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from sessions.domain.resources import CPU, DISK, MEMORY, OF_THE_ATTEMPT
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Attempt, BehaviorProgress, Series, SeriesChunk, TrainingSession
from sessions.selectors.series import points_after
from sessions.services import points
from sessions.services.resources import Sample, note_disk, note_gpus, store
from tests.factories import make_machine, make_session

REWARD = "Environment/Cumulative Reward"


@pytest.fixture
def running(ada: User, home: Path) -> TrainingSession:
    return make_session(owner=ada, state=State.RUNNING)


def sample(session: TrainingSession, **values: float) -> Sample:
    tags = {"cpu": CPU, "memory": MEMORY, "disk": DISK}
    return Sample(session.attempts.get().pk, {tags[name]: value for name, value in values.items()})


def test_a_sample_is_a_point_at_the_furthest_step_of_its_session(running: TrainingSession) -> None:
    BehaviorProgress.objects.create(session=running, name="Wall", step=700)
    BehaviorProgress.objects.filter(session=running, name="Ball").update(step=400)
    assert store([sample(running, cpu=150.0, memory=2.0**40)]) == 1
    shapes, _ = points_after(running, behavior=OF_THE_ATTEMPT)
    assert {one.tag: (one.steps, one.values) for one in shapes} == {CPU: ([700], [150.0]), MEMORY: ([700], [2.0**40])}
    assert len({one.wall_times[0] for one in shapes}) == 1


def test_open_pages_are_told(running: TrainingSession) -> None:
    before = running.version
    store([sample(running, cpu=1.0)])
    running.refresh_from_db()
    assert running.version == before + 1


def test_who_ended_meanwhile_gets_no_point(running: TrainingSession, ada: User) -> None:
    other = make_session(owner=ada, state=State.RUNNING)
    Attempt.objects.filter(session=other).update(state=State.STOPPED.value)
    gone = Sample(10**6, {CPU: 1.0})
    assert store([sample(running, cpu=1.0), sample(other, cpu=1.0), gone]) == 1
    assert list(Series.objects.values_list("attempt__session_id", flat=True)) == [running.pk]


def test_the_reward_and_its_cursor_stay_as_they_were(running: TrainingSession) -> None:
    attempt = running.attempts.get()
    points.append(attempt, "Ball", [Point(REWARD, step, float(step), 0.5) for step in (1, 2)])
    before, cursor = points_after(running)
    chunk = SeriesChunk.objects.get()
    for _ in range(3):
        store([sample(running, cpu=1.0)])
    again, _ = points_after(running, tag=REWARD)
    assert again == before
    assert SeriesChunk.objects.get(pk=chunk.pk).data == chunk.data
    news, _ = points_after(running, cursor)
    assert [(one.tag, len(one.values)) for one in news] == [(CPU, 3)]


def test_points_go_on_over_the_edge_of_a_chunk(running: TrainingSession) -> None:
    almost = [Point(DISK, 0, float(number), float(number)) for number in range(SeriesChunk.POINTS - 1)]
    points.append(running.attempts.get(), OF_THE_ATTEMPT, almost)
    for number in range(3):
        store([sample(running, disk=1000.0 + number)])
    (shape,) = points_after(running)[0]
    assert shape.values == [point.value for point in almost] + [1000.0, 1001.0, 1002.0]
    assert [chunk.count for chunk in SeriesChunk.objects.order_by("first")] == [SeriesChunk.POINTS, 2]


def test_fifty_attempts_cost_as_many_statements_as_one(
    ada: User, home: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    sessions = [make_session(owner=ada, state=State.RUNNING) for _ in range(50)]
    samples = [sample(one, cpu=1.0, memory=1.0) for one in sessions]
    store(samples)
    # Savepoint and its release, sessions, steps, four or (by SQLite's parameters) five for the points, versions.
    with django_assert_max_num_queries(10):
        store(samples)
    assert Series.objects.filter(count=2).count() == 100


@pytest.mark.django_db
def test_what_the_machine_has_is_stored() -> None:
    machine = make_machine()
    note_gpus(machine, ["NVIDIA T4"])
    note_disk(machine, 5)
    assert (machine.gpus, machine.disk_free) == (["NVIDIA T4"], 5)
    machine.refresh_from_db()
    assert (machine.gpus, machine.disk_free) == (["NVIDIA T4"], 5)
