"""A training that was started by hand is seen live, comes to its end, and goes on when somebody resumes it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from sessions.metrics.events import read_events
from sessions.models import EventFile, Import, ImportedRun, TrainingSession
from sessions.selectors.series import points_after
from sessions.services import growing, imports
from tests.eventfiles import REWARD, finish_run, head, make_run, points, write_events

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
LONG_AGO = 3600 * 24


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere") / "results"


@pytest.fixture
def now() -> int:
    return int(time.time())


@pytest.fixture
def live(ada: User, results: Path, now: int) -> Path:
    """The event file of a training that goes on in this moment, imported."""
    path = write_events(results / "a" / "Ball", {REWARD: [0.1, 0.2]}, began=now - 5)
    imports.ask(str(results), by=ada)
    return path


def session() -> TrainingSession:
    return TrainingSession.objects.get()


def steps() -> list[int]:
    return [step for shape in points_after(session(), tag=REWARD)[0] for step in shape.steps]


def followed() -> TrainingSession:
    """Do what the supervisor does each second."""
    growing.follow(ImportedRun.objects.select_related("session").get())
    return session()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_it_is_seen_as_running_and_its_points_come_as_they_are_written(live: Path, now: int) -> None:
    before = session()
    assert (before.state, before.ended_at) == ("running", None)
    append(live, points({REWARD: [0.3, 0.4]}, began=now - 2, first_step=300))
    after = followed()
    assert steps() == [100, 200, 300, 400]
    assert after.version > before.version
    assert after.behaviors.get().step == 400
    assert after.behaviors.get().mean_reward == pytest.approx(0.4)
    assert after.steps_per_second == pytest.approx(200 / 3)


def test_a_record_that_is_half_written_waits_for_its_other_half(live: Path, now: int) -> None:
    data = points({REWARD: [0.3]}, began=now, first_step=300)
    append(live, data[:20])
    followed()
    assert steps() == [100, 200]
    append(live, data[20:])
    followed()
    assert steps() == [100, 200, 300]


def test_it_has_completed_when_mlagents_wrote_its_end_and_max_steps_are_reached(live: Path, now: int) -> None:
    finish_run(live.parent.parent, ["Ball"], 200, step=200, at=now)
    ended = followed()
    assert (ended.state, ended.explanation) == ("completed", "Every behavior reached its max_steps.")
    assert ended.ended_at is not None
    assert ended.behaviors.get().max_steps == 200
    assert b"max_steps: 200" in bytes(ended.config_used)
    assert ended.artifacts.filter(path="Ball.onnx", step=200).exists()
    assert [(one.from_state, one.to_state) for one in ended.events.all()] == [("", "running"), ("running", "completed")]


def test_it_was_stopped_when_mlagents_wrote_its_end_before_max_steps(live: Path, now: int) -> None:
    finish_run(live.parent.parent, ["Ball"], 5000, step=200, at=now)
    assert followed().state == "stopped"
    assert session().explanation == "It saved and ended (Ball at 200 of 5,000)."


def test_one_that_falls_silent_is_lost_after_a_while_and_not_before(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert followed().state == "running"
    clock = time.time() + 400
    monkeypatch.setattr("time.time", lambda: clock)
    lost = followed()
    assert lost.state == "lost"
    assert "fallen silent" in lost.explanation
    assert lost.ended_at is not None
    assert lost.ended_at.timestamp() < clock - 300


def test_one_that_writes_seldom_may_be_silent_for_longer(
    ada: User, results: Path, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_events(results / "a" / "Ball", {REWARD: [0.1]}, began=now - 900)
    append(path, points({REWARD: [0.2]}, began=now - 1, first_step=200))
    imports.ask(str(results), by=ada)
    clock = time.time() + 400
    monkeypatch.setattr("time.time", lambda: clock)
    assert followed().state == "running"


def test_one_that_is_written_to_again_runs_again(live: Path, now: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        clock = time.time() + 400
        later.setattr("time.time", lambda: clock)
        assert followed().state == "lost"
    append(live, points({REWARD: [0.3]}, began=now, first_step=300))
    again = followed()
    assert (again.state, again.ended_at, again.attempts.get().ended_at) == ("running", None, None)


def test_a_resume_by_hand_is_a_further_attempt(ada: User, results: Path, now: int) -> None:
    place = make_run(results, "a", max_steps=300)
    source = imports.ask(str(results), by=ada)
    assert session().state == "completed"
    write_events(place / "Ball", {REWARD: [0.9]}, began=now - 1, writer="host.77", first_step=400)
    imports.look_again(source.pk)
    resumed = session()
    told = [(one.number, one.resume, one.force, one.state) for one in resumed.attempts.all()]
    assert told == [(1, False, False, "completed"), (2, True, False, "running")]
    assert resumed.state == "running"
    assert Import.objects.get().grown == 1


def test_where_force_deleted_what_was_before_the_curve_begins_anew(ada: User, results: Path, now: int) -> None:
    place = make_run(results, "a", max_steps=300)
    source = imports.ask(str(results), by=ada)
    next((place / "Ball").glob("*tfevents*")).unlink()
    write_events(place / "Ball", {REWARD: [0.9]}, began=now - 1, writer="host.77")
    imports.look_again(source.pk)
    assert [one.force for one in session().attempts.all()] == [False, True]
    assert steps() == [100]


def test_a_behavior_that_begins_later_belongs_to_the_same_attempt(live: Path, results: Path, now: int) -> None:
    write_events(results / "a" / "Goal", {REWARD: [0.9]}, began=now - 1, number=1)
    followed()
    assert session().attempts.count() == 1
    assert [one.name for one in session().behaviors.all()] == ["Ball", "Goal"]


def test_a_file_that_became_shorter_is_told_and_takes_nothing_back(live: Path, now: int) -> None:
    live.write_bytes(head(now))
    followed()
    assert steps() == [100, 200]
    assert "became shorter" in session().attempts.get().alarm
    followed()
    assert session().attempts.get().alarm.count("became shorter") == 1


def test_a_folder_that_went_away_ends_what_trained_and_leaves_the_rest(
    live: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.rename(results.with_name("away"))
    assert followed().state == "running"
    clock = time.time() + 400
    monkeypatch.setattr("time.time", lambda: clock)
    assert followed().state == "lost"
    assert "not there any more" in session().explanation
    assert steps() == [100, 200]


def test_two_that_read_the_same_store_it_once(live: Path, now: int) -> None:
    append(live, points({REWARD: [0.3]}, began=now, first_step=300))
    row = EventFile.objects.select_related("attempt").get()
    limit = growing._limit_of(session().pk)
    batch = read_events(live, row.offset)
    assert growing._store(row, batch, limit)
    late = EventFile.objects.select_related("attempt").get()
    late.offset -= 10
    assert not growing._store(late, batch, limit)
    assert steps() == [100, 200, 300]


def test_an_old_copy_with_new_files_does_not_look_like_a_training(ada: User, results: Path, now: int) -> None:
    path = write_events(results / "a" / "Ball", {REWARD: [0.1]}, began=now - LONG_AGO)
    os.utime(path, (now, now))
    imports.ask(str(results), by=ada)
    assert session().state == "lost"
    assert followed().state == "lost"
