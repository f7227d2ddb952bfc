"""The supervisor keeps adopted folders in step, a little at a time, and has no part in what trains there."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from mentor_site.doctor.known import active_attempts, longest_wait_for_a_launch
from mentor_site.ending import stop_trainings
from sessions.models import Import, Machine, Series, TrainingSession
from sessions.selectors.machine import system_shape
from sessions.selectors.remains import runs_in
from sessions.services import growing, imports, queue
from sessions.supervisor import imports as watching
from sessions.supervisor.imports import PAUSE_SECONDS, REMIND_SECONDS, ImportWatch, Watched
from sessions.supervisor.loop import Supervisor
from tests.eventfiles import REWARD, make_run, points, write_events
from tests.factories import make_machine, make_session
from tests.sessions.supervisor.watching import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere") / "results"


@pytest.fixture
def live(ada: User, results: Path) -> Path:
    """The event file of a training that goes on in this moment, imported."""
    path = write_events(results / "a" / "Ball", {REWARD: [0.1, 0.2]}, began=int(time.time()) - 5)
    imports.ask(str(results), by=ada)
    return path


def count() -> int:
    return Series.objects.get(tag=REWARD).count


def rounds(supervisor: Supervisor, number: int = 1) -> None:
    clock = supervisor.clock
    assert isinstance(clock, Clock)
    for _ in range(number):
        clock.now += 1.5
        supervisor.tick()


def test_what_is_appended_is_stored_by_the_next_round(supervisor: Supervisor, live: Path) -> None:
    rounds(supervisor)
    with live.open("ab") as file:
        file.write(points({REWARD: [0.3]}, began=time.time(), first_step=300))
    rounds(supervisor)
    assert count() == 3
    assert TrainingSession.objects.get().state == "running"


def test_a_training_that_begins_in_an_adopted_folder_is_found(
    supervisor: Supervisor, live: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 3.0)
    rounds(supervisor, 3)
    write_events(results / "b" / "Ball", {REWARD: [0.1]}, began=int(time.time()) - 1, writer="host.5")
    rounds(supervisor, 8)
    assert sorted(TrainingSession.objects.values_list("run_id", "state")) == [("a", "running"), ("b", "running")]


def test_a_folder_that_is_no_longer_followed_is_left_alone(
    supervisor: Supervisor, ada: User, live: Path, results: Path
) -> None:
    imports.set_follow(Import.objects.get(), False, by=ada)
    make_run(results, "b", writer="host.5")
    rounds(supervisor, 30)
    assert TrainingSession.objects.count() == 1


def test_work_whose_task_was_lost_is_done_all_the_same(supervisor: Supervisor, ada: User, results: Path) -> None:
    make_run(results, "a")
    source = imports.prepare(str(results), by=ada)
    Import.objects.filter(pk=source.pk).update(state="working", worked_at=timezone.now() - timedelta(minutes=5))
    rounds(supervisor, int(REMIND_SECONDS))
    assert TrainingSession.objects.count() == 1
    assert Import.objects.get().state == "done"


def test_a_walk_has_its_share_of_a_round_and_goes_on_in_the_next(results: Path) -> None:
    for number in range(20):
        make_run(results, f"run{number:02}")
    one = Watched(results)
    ticks = iter(range(10_000))
    answers = [one.step(lambda: float(next(ticks)), -1.0) for _ in range(80)]
    done = [answer for answer in answers if answer is not None]
    assert answers.count(None) > 30
    assert done[0] is True  # nobody knows what happened before
    assert set(done[1:]) <= {False}


def test_only_what_grew_or_is_new_is_news(results: Path) -> None:
    place = make_run(results, "a")
    one = Watched(results)

    def news(*besides: str) -> bool | None:
        return one.step(time.monotonic, float("inf"), besides)

    assert [news(), news()] == [True, False]
    make_run(results, "b")
    assert [news(), news()] == [True, False]
    with next((place / "Ball").iterdir()).open("ab") as file:
        file.write(b"x")
    assert news() is True
    with next((place / "Ball").iterdir()).open("ab") as file:
        file.write(b"x")
    assert news(f"{place}/") is False  # it is read as it grows
    (results / "b" / "notes.txt").touch()
    assert news() is True  # what was besides counts again
    assert news() is False


def test_pauses_grow_while_nothing_happens() -> None:
    one = Watched(Path())
    for _ in range(3):
        one.rest(0.0, news=False)
    assert one.due > 3 * PAUSE_SECONDS
    one.rest(0.0, news=True)
    assert one.due == PAUSE_SECONDS


def test_another_machine_leaves_the_folder_to_its_own(live: Path) -> None:
    other = ImportWatch(Machine.objects.create(name="other"))
    with live.open("ab") as file:
        file.write(points({REWARD: [0.3]}, began=time.time(), first_step=300))
    for second in range(0, 100, 2):
        other.tick(float(second))
    assert count() == 2


def test_what_trains_there_takes_no_slot_and_is_never_watched_as_a_process(
    supervisor: Supervisor, ada: User, live: Path
) -> None:
    rounds(supervisor, 3)
    assert supervisor.watches == {}
    assert queue.room_on(make_machine()).free_slots == 1
    assert system_shape().busy_slots == 0
    session = make_session(owner=ada)
    rounds(supervisor, 3)
    session.refresh_from_db()
    assert session.state == "launching"


def test_what_trains_there_is_not_stopped_with_mentor_and_is_no_finding(live: Path, home: Path) -> None:
    said: list[str] = []
    stop_trainings(None, say=said.append)
    assert said == []
    assert TrainingSession.objects.get().wanted == "run"
    assert active_attempts() == {}
    assert longest_wait_for_a_launch() == 0.0
    assert runs_in(home) == []


def test_a_disk_that_is_full_stops_nothing_that_is_only_watched(supervisor: Supervisor, live: Path) -> None:
    supervisor.disks.free_bytes = lambda folder: 1
    rounds(supervisor, 5)
    assert TrainingSession.objects.get().state == "running"


def test_a_folder_that_cannot_be_read_costs_only_its_own_look(
    supervisor: Supervisor, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("Input/output error")

    monkeypatch.setattr(growing, "look_at", broken)
    rounds(supervisor, 3)
    monkeypatch.undo()
    with live.open("ab") as file:
        file.write(points({REWARD: [0.3]}, began=time.time(), first_step=300))
    rounds(supervisor, 2)
    assert count() == 3
