"""What a session takes now, as lists, its page and the API say it; and how full the disks are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from sessions.domain.resources import CPU, DISK, MEMORY
from sessions.domain.states import State
from sessions.models import Attempt, Machine, TrainingSession
from sessions.selectors.machine import system_shape
from sessions.selectors.series import series_shapes
from sessions.selectors.sessions import session_detail, session_named, session_shape, sessions_with_parts
from sessions.selectors.shapes import ResourcesShape
from sessions.selectors.stitching import seams_of
from sessions.services import starting
from sessions.services.resources import Sample, store
from tests.factories import make_machine, make_session

MB = 1024 * 1024
USED = ResourcesShape(cpu_percent=150.0, memory_bytes=412e6, disk_bytes=5e6)


@pytest.fixture
def running(ada: User, home: Path) -> TrainingSession:
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    store([Sample(session.attempts.get().pk, {CPU: 9.0, MEMORY: 9.0, DISK: 5e6})])
    store([Sample(session.attempts.get().pk, {CPU: 150.0, MEMORY: 412e6})])
    return session


def test_the_last_point_of_each_series_is_what_it_takes_now(running: TrainingSession, ada: User) -> None:
    assert session_detail(session_named("ball", ada)).resources == USED
    assert session_detail(TrainingSession.objects.get(pk=running.pk)).resources == USED
    assert session_shape(sessions_with_parts(ada).get()).resources == USED


def test_what_has_ended_takes_nothing(running: TrainingSession, ada: User) -> None:
    Attempt.objects.update(state=State.STOPPED.value)
    TrainingSession.objects.update(state=State.STOPPED.value)
    assert session_detail(session_named("ball", ada)).resources == ResourcesShape()
    assert session_shape(sessions_with_parts(ada).get()).resources == ResourcesShape()


def test_a_list_asks_once_for_all(
    running: TrainingSession, ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        other = make_session(owner=ada, state=State.RUNNING)
        store([Sample(other.attempts.get().pk, {CPU: 1.0})])
    with django_assert_num_queries(4):
        shapes = [session_shape(session) for session in sessions_with_parts(ada)]
    assert sorted(one.resources.cpu_percent or 0 for one in shapes) == [1.0] * 5 + [150.0]


def test_pages_and_api_say_it(running: TrainingSession, ada: User, client: Client) -> None:
    client.force_login(ada)
    assert client.get("/api/sessions/ball/").json()["resources"] == asdict(USED)
    for address in ("/", "/sessions/ball/"):
        text = client.get(address).content.decode()
        assert '<span data-field="cpu_percent" data-format="load">150 %' in text or ">150 %</dd>" in text
        assert "412.0 MB" in text


def test_the_api_gives_the_series_of_the_whole_attempt_alone(
    running: TrainingSession, ada: User, client: Client
) -> None:
    client.force_login(ada)
    read = client.get("/api/sessions/ball/metrics/", {"behavior": ""}).json()["series"]
    assert {one["tag"]: one["values"] for one in read} == {CPU: [9.0, 150.0], MEMORY: [9.0, 412e6], DISK: [5e6]}
    listed = client.get("/api/sessions/ball/metrics/").json()["series"]
    assert {one["behavior"] for one in listed} == {""}


def test_what_attempts_take_has_no_seams(running: TrainingSession, ada: User) -> None:
    running.attempts.update(state=State.STOPPED.value)
    TrainingSession.objects.update(state=State.STOPPED.value)
    running.refresh_from_db()
    further = starting.new_attempt(running, by="ada", resume=True, force=False)
    Attempt.objects.filter(pk=further.pk).update(state=State.RUNNING.value)
    store([Sample(further.pk, {CPU: 1.0})])
    assert [one.attempt for one in series_shapes(running)] == [1, 2, 1, 1]
    assert seams_of(running) == []


@pytest.mark.parametrize(
    ("free", "word", "said"),
    [
        (None, "enough", None),
        (200 * MB, "enough", None),
        (199 * MB, "low", "The disk is filling up."),
        (99 * MB, "short", "The disk is nearly full."),
    ],
)
def test_a_disk_that_fills_up_is_known_and_warned_of_on_every_page(
    ada: User, home: Path, client: Client, settings: Settings, free: int | None, word: str, said: str | None
) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_DISK_RESERVE_MB": 100}
    make_machine()
    Machine.objects.update(disk_free=free, gpus=["NVIDIA T4"])
    client.force_login(ada)
    system = client.get("/api/system/").json()
    assert {name: system[name] for name in ("disk", "disk_free", "disk_reserve", "gpus")} == {
        "disk": word,
        "disk_free": free,
        "disk_reserve": 100 * MB,
        "gpus": ["NVIDIA T4"],
    }
    for address in ("/", "/sessions/", "/start/"):
        text = client.get(address).content.decode()
        assert ("The disk is" in text) is (said is not None)
        assert said is None or said in text


@pytest.mark.django_db
def test_a_machine_that_was_never_looked_at_has_no_warning() -> None:
    shape = system_shape()
    assert (shape.disk, shape.disk_free, shape.gpus) == ("enough", None, [])
