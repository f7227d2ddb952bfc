"""Disks that fill up: what trains is asked to save and end in time, once, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from sessions.domain.states import State
from sessions.models import Attempt, Machine, SessionEvent, TrainingSession
from sessions.selectors import disk
from sessions.services import stopping
from sessions.supervisor.reserve import NOTED_BYTES, DiskWatch
from tests.factories import make_machine, make_session

MB = 1024 * 1024
RESERVE = 100 * MB


class Disks:
    """What is free on the disk of MENTOR_HOME and on another one, on which results may be."""

    def __init__(self, home: Path) -> None:
        self.home, self.other = home, home / "other"
        self.free: dict[Path, int | None] = {self.home: 1000 * MB, self.other: 1000 * MB}

    def free_bytes(self, folder: Path) -> int | None:
        return self.free[self.other if folder.is_relative_to(self.other) else self.home]


@pytest.fixture
def disks(home: Path, settings: Settings) -> Disks:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_DISK_RESERVE_MB": 100}
    return Disks(home)


@pytest.fixture
def watch(db: None, disks: Disks) -> DiskWatch:
    return DiskWatch(make_machine(), disks.free_bytes)


def training(owner: User, state: State = State.RUNNING, *, results: Path | None = None) -> Attempt:
    attempt = make_session(owner=owner, state=state).attempts.get()
    if results is not None:
        Attempt.objects.filter(pk=attempt.pk).update(results_dir=str(results))
        attempt.refresh_from_db()
    return attempt


def session_of(attempt: Attempt) -> TrainingSession:
    return TrainingSession.objects.get(pk=attempt.session_id)


def events_of(attempt: Attempt) -> list[tuple[str, str, str]]:
    events = SessionEvent.objects.filter(attempt=attempt, to_state="stopping")
    return list(events.values_list("from_state", "who", "why"))


def test_below_the_reserve_a_training_is_asked_to_save_and_says_why(ada: User, watch: DiskWatch, disks: Disks) -> None:
    attempt = training(ada)
    disks.free[disks.home] = RESERVE - 1
    watch.tick(0, [attempt])
    session = session_of(attempt)
    assert (session.wanted, session.state) == ("stop", "stopping")
    assert session.explanation.startswith(f"Only 99 MB are free on the disk of {disks.home}, less than the reserve of")
    assert events_of(attempt) == [("running", "disk reserve", session.explanation)]
    assert Attempt.objects.get(pk=attempt.pk).stop_asked_by == "disk reserve"


def test_at_the_reserve_and_above_nothing_is_stopped(ada: User, watch: DiskWatch, disks: Disks) -> None:
    attempt = training(ada)
    disks.free[disks.home] = RESERVE
    watch.tick(0, [attempt])
    disks.free[disks.home] = None  # the system does not tell
    watch.tick(10, [attempt])
    assert session_of(attempt).wanted == "run"


def test_only_what_trains_on_the_full_disk_is_stopped(ada: User, watch: DiskWatch, disks: Disks) -> None:
    here, there = training(ada), training(ada, results=disks.other / "results")
    disks.free[disks.other] = 1
    watch.tick(0, [here, there])
    assert [session_of(one).wanted for one in (here, there)] == ["run", "stop"]
    assert str(disks.other) in session_of(there).explanation


def test_the_home_is_every_attempts_disk(ada: User, watch: DiskWatch, disks: Disks) -> None:
    attempts = [training(ada), training(ada, results=disks.other / "results")]
    disks.free[disks.home] = 1
    watch.tick(0, attempts)
    assert [session_of(one).wanted for one in attempts] == ["stop", "stop"]


def test_nothing_is_done_twice(ada: User, watch: DiskWatch, disks: Disks) -> None:
    attempt = training(ada)
    disks.free[disks.home] = 1
    for now in (0, 10, 20):
        watch.tick(now, [attempt])
    assert len(events_of(attempt)) == 1
    again = DiskWatch(Machine.objects.get(), disks.free_bytes)  # a supervisor that begins anew
    again.tick(0, [attempt])
    assert len(events_of(attempt)) == 1


@pytest.mark.parametrize("asked", ["stop", "pause", "kill"])
def test_who_was_asked_to_end_already_is_left_alone(ada: User, watch: DiskWatch, disks: Disks, asked: str) -> None:
    attempt = training(ada)
    getattr(stopping, f"request_{asked}")(session_of(attempt), by="ada")
    disks.free[disks.home] = 1
    watch.tick(0, [attempt])
    assert session_of(attempt).wanted == asked
    assert (events_of(attempt), Attempt.objects.get(pk=attempt.pk).stop_asked_by) == ([], "ada")


@pytest.mark.parametrize("state", [State.LAUNCHING, State.STOPPING, State.COMPLETED, State.FAILED])
def test_what_does_not_train_is_left_alone(ada: User, watch: DiskWatch, disks: Disks, state: State) -> None:
    attempt = training(ada, state)
    disks.free[disks.home] = 1
    watch.tick(0, [attempt])
    assert (session_of(attempt).wanted, session_of(attempt).state) == ("run", state.value)


def test_the_disks_are_looked_at_every_two_seconds(ada: User, watch: DiskWatch, disks: Disks) -> None:
    attempt = training(ada)
    watch.tick(0, [attempt])
    disks.free[disks.home] = 1
    watch.tick(1.9, [attempt])
    assert session_of(attempt).wanted == "run"
    watch.tick(2, [attempt])
    assert session_of(attempt).wanted == "stop"


def test_the_machine_knows_its_fullest_disk_and_not_every_byte(ada: User, watch: DiskWatch, disks: Disks) -> None:
    def noted(now: float, free: int) -> int | None:
        disks.free[disks.other] = free
        watch.tick(now, [attempt])
        return Machine.objects.values_list("disk_free", flat=True).get()

    attempt = training(ada, results=disks.other)
    assert noted(0, 500 * MB) == 500 * MB
    assert noted(2, 500 * MB - NOTED_BYTES + 1) == 500 * MB
    assert noted(4, 500 * MB - NOTED_BYTES) == 500 * MB - NOTED_BYTES
    assert noted(6, 200 * MB) == 200 * MB
    assert noted(8, 200 * MB - 1) == 200 * MB - 1  # low from here on, which the pages warn of
    assert noted(10, 10**12) == 1000 * MB


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_the_nearest_above(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert disk.free_bytes(tmp_path / "a" / "b" / "c") is not None
    free = disk.free_bytes(tmp_path)
    assert free is not None
    assert free > 0
