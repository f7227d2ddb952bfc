"""Folders that are there become sessions: each run once, wholly, from wherever it is found, and again never."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from pytest_django import Settings

from sessions.domain.states import State
from sessions.errors import Conflict, InvalidInput, MentorError, NotAllowed
from sessions.metrics import run_reading
from sessions.models import EventFile, Histogram, Import, ImportedRun, Series, Text, Trainer, TrainingSession
from sessions.selectors.series import points_after, series_of
from sessions.selectors.stitching import stitched
from sessions.services import adopting, editing, growing, imports, planning, stopping, trainers
from sessions.services import points as points_service
from sessions.services.planning import plan_start
from sessions.trainers.practice.events import EventFile as EventWriter
from tests.eventfiles import BEGAN, REWARD, make_run, points, write_events
from tests.factories import make_practice_trainer, make_request, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is none of MENTOR's."""
    return tmp_path_factory.mktemp("elsewhere") / "results"


def imported(folder: Path, by: User, **more: object) -> Import:
    source = imports.ask(str(folder), by=by, **more)  # type: ignore[arg-type]
    source.refresh_from_db()
    return source


def counts(source: Import) -> dict[str, int]:
    names = ("found", "imported", "grown", "known", "refused")
    return {name: getattr(source, name) for name in names if getattr(source, name)}


def test_a_run_that_ended_becomes_a_session(ada: User, results: Path) -> None:
    make_run(results, "ball one", max_steps=300)
    source = imported(results, ada, tags=["thesis"])
    assert (source.state, counts(source)) == ("done", {"found": 1, "imported": 1})
    session = TrainingSession.objects.get()
    assert (session.run_id, session.name, session.origin) == ("ball-one", "ball one", "imported")
    assert (session.state, session.explanation) == ("completed", "Every behavior reached its max_steps.")
    assert session.tags == ["imported", "thesis"]
    assert session.owner == ada
    assert b"max_steps: 300" in bytes(session.config_used)
    assert session.started_at is not None
    assert session.started_at.timestamp() == BEGAN == session.created_at.timestamp()
    assert session.ended_at is not None
    assert session.ended_at.timestamp() == pytest.approx(BEGAN + 3, abs=1)
    attempt = session.attempts.get()
    assert attempt.results == results / "ball one"
    assert (attempt.machine, attempt.command) == (None, ["mlagents-learn", "a.yaml"])
    behavior = session.behaviors.get()
    assert (behavior.step, behavior.max_steps) == (300, 300)
    assert behavior.mean_reward == pytest.approx(0.3)
    assert sorted(session.artifacts.values_list("path", flat=True)) == ["Ball.onnx", "Ball/Ball-300.onnx"]
    assert ImportedRun.objects.get().version == "1.1.0"
    shapes, _ = points_after(session, tag=REWARD)
    assert shapes[0].steps == [100, 200, 300]
    assert shapes[0].values == pytest.approx([0.1, 0.2, 0.3])


def test_a_second_import_finds_nothing_to_do_and_reads_nothing(
    ada: User, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_run(results, f"run{number}", writer=f"host.{number}", max_steps=300)
    imported(results, ada)
    monkeypatch.setattr(adopting, "read_draft", None)
    monkeypatch.setattr("sessions.services.growing.refresh", None)
    assert counts(imported(results, ada)) == {"found": 5, "known": 5}
    assert TrainingSession.objects.count() == 5
    assert Import.objects.count() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_the_same_run_through_a_link_or_from_above_or_as_a_copy_is_the_same(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    imported(results, ada)
    link = results.parent / "link"
    link.symlink_to(results)
    shutil.copytree(results / "a", results.parent / "copy" / "b")
    for place in (link, results.parent, results / "a", results / "a" / "Ball", results.parent / "copy"):
        source = imported(place, ada)
        assert source.imported == source.refused == 0, place
        assert source.known == source.found > 0, place
    assert TrainingSession.objects.count() == 1


def test_two_copies_in_one_import_become_one_session(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    shutil.copytree(results / "a", results / "b")
    assert counts(imported(results, ada)) == {"found": 2, "imported": 1, "known": 1}


def test_event_files_of_the_same_name_with_other_contents_are_two_runs(ada: User, results: Path) -> None:
    for name, value in (("a", 0.1), ("b", 0.9)):
        write_events(results / name / "Ball", {REWARD: [value]}, writer="HOST")
    second = next((results / "b" / "Ball").iterdir())
    second.write_bytes(points({REWARD: [0.9]}))
    assert imported(results, ada).imported == 2
    assert sorted(TrainingSession.objects.values_list("run_id", flat=True)) == ["a", "b"]


def test_what_mentor_trained_itself_is_known(ada: User, results: Path) -> None:
    session = make_session(owner=ada, state=State.COMPLETED)
    place = make_run(results, "mine")
    name = next((place / "Ball").iterdir()).name
    EventFile.objects.create(attempt=session.attempts.get(), path=f"Ball/{name}", behavior="Ball", name=name)
    assert counts(imported(results, ada)) == {"found": 1, "known": 1}


def test_run_ids_that_are_taken_get_a_number(ada: User, results: Path, home: Path) -> None:
    make_session(owner=ada, run_id="BALL")
    (home / "runs" / "ball-3").mkdir(parents=True)
    for number, folder in enumerate(("x", "y")):
        make_run(results / folder, "ball", writer=f"host.{number}")
    imported(results, ada)
    told = sorted(TrainingSession.objects.filter(origin="imported").values_list("run_id", "name"))
    assert told == [("ball-2", "ball"), ("ball-4", "ball")]


def test_resumed_runs_have_an_attempt_for_each_start_and_one_curve(ada: User, results: Path) -> None:
    place = make_run(results, "a", rewards=[0.1, 0.2, 0.3])
    write_events(place / "Ball", {REWARD: [0.6, 0.7]}, began=BEGAN + 1000, writer="host.99", first_step=300)
    imported(results, ada)
    session = TrainingSession.objects.get()
    assert [(one.number, one.resume, one.force) for one in session.attempts.all()] == [
        (1, False, False),
        (2, True, False),
    ]
    shapes, _ = points_after(session, tag=REWARD)
    curve = stitched(shapes)["Ball"]
    assert curve.whole.steps == [100, 200, 300, 400]
    assert curve.whole.values == pytest.approx([0.1, 0.2, 0.6, 0.7])


@pytest.mark.parametrize(
    ("folder", "tag", "run_id", "behavior", "trainer"),
    [
        ("PPO_1", "rollout/ep_rew_mean", "PPO_1", "PPO", "imported: Stable-Baselines3"),
        ("Cart-v1__ppo__1__17", "charts/episodic_return", "Cart-v1__ppo__1__17", "Cart-v1", "imported: CleanRL"),
        ("anything", "loss", "anything", "anything", "imported: event files"),
    ],
)
def test_runs_of_other_trainers_are_taken_as_far_as_their_files_say(
    ada: User, results: Path, folder: str, tag: str, run_id: str, behavior: str, trainer: str
) -> None:
    write_events(results / folder, {tag: [1.0, 2.0]})
    imported(results, ada)
    session = TrainingSession.objects.get()
    assert (session.run_id, session.trainer.name, session.state) == (run_id, trainer, "stopped")
    assert session.behaviors.get().name == behavior
    assert session.behaviors.get().mean_reward == (None if tag == "loss" else 2.0)
    assert "do not say how it ended" in session.explanation


def test_a_single_folder_of_event_files_is_a_run(ada: User, results: Path) -> None:
    write_events(results, {REWARD: [1.0]})
    assert counts(imported(results, ada)) == {"found": 1, "imported": 1}
    assert TrainingSession.objects.get().run_id == "results"


def test_what_is_no_event_file_is_refused_with_the_reason(ada: User, results: Path) -> None:
    make_run(results, "good")
    (results / "bad" / "Ball").mkdir(parents=True)
    bad = results / "bad" / "Ball" / "events.out.tfevents.1.host.1.0"
    bad.write_bytes(b"\xff" * 1000)
    os.utime(bad, (BEGAN, BEGAN))
    source = imported(results, ada)
    assert counts(source) == {"found": 2, "imported": 1, "refused": 1}
    assert source.remarks == [["bad/Ball", imports.EMPTY]]


def test_a_folder_that_is_gone_takes_nothing_along(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    source = imported(results, ada)
    results.rename(results.with_name("away"))
    imports.look_again(source.pk)
    source.refresh_from_db()
    assert source.state == "gone"
    assert TrainingSession.objects.get().state == "completed"


def test_a_folder_that_was_moved_is_found_again(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    imported(results, ada)
    moved = results.with_name("moved")
    results.rename(moved)
    assert counts(imported(moved, ada)) == {"found": 1, "known": 1}
    assert TrainingSession.objects.get().attempts.get().results == moved / "a"
    assert counts(imported(moved, ada)) == {"found": 1, "grown": 1}


def test_what_was_deleted_from_the_history_comes_back_only_when_a_person_asks(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    source = imported(results, ada)
    TrainingSession.objects.all().delete()
    imports.look_again(source.pk)
    assert not TrainingSession.objects.exists()
    assert imported(results, ada).imported == 1


def test_nothing_of_a_run_is_stored_when_its_import_is_killed_in_the_middle(
    ada: User, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make_run(results, f"run{number}", writer=f"host.{number}", max_steps=300)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(points_service, "append_columns", die)
    source = imports.prepare(str(results), by=ada)
    with pytest.raises(Killed):
        imports.work(source.pk)
    assert not TrainingSession.objects.exists()
    assert not Series.objects.exists()
    monkeypatch.undo()
    assert imports.work(source.pk)
    assert TrainingSession.objects.count() == 3
    assert all(one.last_step == 300 for one in Series.objects.all())


def test_a_run_that_cannot_be_stored_costs_only_itself(
    ada: User, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make_run(results, f"run{number}", writer=f"host.{number}", max_steps=300)
    free = adopting.free_run_id

    def taken(name: str) -> str:
        if name == "run1":
            raise IntegrityError("taken a moment ago")
        return free(name)

    monkeypatch.setattr(adopting, "free_run_id", taken)
    assert counts(imported(results, ada)) == {"found": 3, "imported": 2, "refused": 1}


def test_the_work_goes_on_slice_by_slice(ada: User, results: Path) -> None:
    for number in range(6):
        make_run(results, f"run{number}", writer=f"host.{number}")
    source = imports.prepare(str(results), by=ada)
    slices = 1
    while not imports.work(source.pk, seconds=0):
        slices += 1
    source.refresh_from_db()
    assert slices > 5
    assert counts(source) == {"found": 6, "imported": 6}


def test_one_at_a_time_works_on_a_folder(ada: User, results: Path) -> None:
    make_run(results, "a")
    source = imports.prepare(str(results), by=ada)
    lock = imports.lock_of(source.pk)
    assert lock.acquire()
    assert imports.work(source.pk)
    assert not TrainingSession.objects.exists()
    lock.release()
    assert imports.work(source.pk)
    assert TrainingSession.objects.exists()


def test_a_large_file_is_read_on_in_parts(ada: User, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(results, "a", rewards=[float(number) for number in range(500)])
    for module in (run_reading, growing):
        monkeypatch.setattr(module, "BATCH_BYTES", 2000)
    monkeypatch.setattr(run_reading, "MOST_BYTES", 5000)
    source = imports.prepare(str(results), by=ada)
    slices = 1
    while not imports.work(source.pk, seconds=0):
        slices += 1
    assert slices > 3
    shapes, _ = points_after(TrainingSession.objects.get(), tag=REWARD)
    assert shapes[0].values == [float(number) for number in range(500)]
    assert counts(imported(results, ada)) == {"found": 1, "known": 1}


def test_a_run_with_too_many_series_has_the_first_and_says_so(
    ada: User, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_reading, "MOST_SERIES", 20)
    write_events(results / "a" / "Ball", {f"Environment/{number}": [1.0] for number in range(50)})
    imported(results, ada)
    session = TrainingSession.objects.get()
    assert len(series_of(session)) == 20
    assert "more than" in session.attempts.get().alarm


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be given there")
def test_hostile_names_and_tags_are_stored_as_names(ada: User, results: Path) -> None:
    evil = "<img src=x onerror=alert(1)>\n\x1b[31m"
    write_events(results / evil / f"{evil}2", {f"Environment/{evil}": [1.0], "Environment/" + "x" * 400: [2.0]})
    assert imported(results, ada).imported == 1
    session = TrainingSession.objects.get()
    assert session.run_id == "img-src-x-onerror-alert-1-31m"
    assert "\x1b" not in session.name + session.behaviors.get().name
    assert session.attempts.get().results == results / evil


@pytest.mark.parametrize("at", [0, 10**9, 9_999_999_999, 99_999_999_999_999])
def test_impossible_times_are_no_trouble(ada: User, results: Path, at: int) -> None:
    path = write_events(results / "a" / "Ball", {REWARD: [1.0]}, began=at)
    os.utime(path, (2**33, 2**33))
    assert imported(results, ada).imported == 1


def test_a_copy_keeps_everything_and_is_read_from_its_place(ada: User, results: Path, home: Path) -> None:
    place = make_run(results, "a", max_steps=300)
    (place / "notes.txt").write_text("mine", encoding="utf-8")
    source = imported(results, ada, copy=True)
    assert (counts(source), source.follow) == ({"found": 1, "imported": 1}, False)
    session = TrainingSession.objects.get()
    kept = home / "runs" / "a" / "results" / "a"
    assert session.attempts.get().results == kept
    assert (kept / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert not [path for path in (home / "imports").iterdir() if path.is_dir()]
    shutil.rmtree(results)
    assert points_after(session, tag=REWARD)[0][0].steps == [100, 200, 300]


def test_a_copy_goes_on_where_it_was_interrupted(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    source = imports.prepare(str(results), by=ada, copy=True)
    slices = 1
    while not imports.work(source.pk, seconds=0):
        slices += 1
    assert slices > 3
    session = TrainingSession.objects.get()
    assert sorted(session.artifacts.values_list("path", flat=True)) == ["Ball.onnx", "Ball/Ball-300.onnx"]


def test_a_copy_for_which_there_is_no_room_is_refused(ada: User, results: Path, settings: Settings) -> None:
    make_run(results, "a", max_steps=300)
    settings.MENTOR = {**settings.MENTOR, "MENTOR_DISK_RESERVE_MB": 10**9}
    source = imported(results, ada, copy=True)
    assert counts(source) == {"found": 1, "refused": 1}
    assert "no room" in source.remarks[0][1]


def test_only_folders_that_are_open_to_the_user_are_read(
    cyd: User, ben: User, results: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    make_run(results, "a")
    settings.MENTOR = {**settings.MENTOR, "MENTOR_FOLDERS": [tmp_path_factory.mktemp("open")]}
    with pytest.raises(InvalidInput, match="not open to you"):
        imports.ask(str(results), by=cyd)
    with pytest.raises(NotAllowed):
        imports.ask(str(results), by=ben)
    settings.MENTOR = {**settings.MENTOR, "MENTOR_FOLDERS": [results.parent]}
    imports.ask(str(results), by=cyd)
    assert TrainingSession.objects.get().owner == cyd


@pytest.mark.parametrize("path", ["", "relative", "//host/share", "\\\\host\\share", "/no/such/folder", "a\0b"])
def test_other_paths_are_refused(ada: User, path: str) -> None:
    with pytest.raises(InvalidInput):
        imports.ask(path, by=ada)


def test_mentor_leaves_an_imported_training_alone(ada: User, results: Path) -> None:
    write_events(results / "a" / "Ball", {REWARD: [0.1]}, began=int(time.time()) - 1)
    imported(results, ada)
    session = TrainingSession.objects.get()
    assert session.state == "running"
    for ask in (stopping.request_stop, stopping.request_pause, stopping.request_kill):
        with pytest.raises(Conflict, match="only watches"):
            ask(session, by="ada")
    with pytest.raises(Conflict):
        editing.trash(session, by="ada")
    assert TrainingSession.objects.get().wanted == "run"


def test_an_imported_session_is_not_started_again_in_the_place_of_another(ada: User, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    imported(results, ada)
    make_practice_trainer()
    with pytest.raises(Conflict):
        editing.resume(TrainingSession.objects.get(), by="ada")
    for how in ({"resume": True}, {"force": True}, {}):
        with pytest.raises(MentorError, match="imported"):
            plan_start(make_request(run_id="a", **how), by=ada)


def test_a_session_may_begin_from_what_an_imported_one_saved(ada: User, results: Path) -> None:
    place = make_run(results, "a", max_steps=300)
    (place / "Ball" / "checkpoint.pt").write_bytes(b"weights")
    imported(results, ada)
    make_practice_trainer()
    plan = planning.plan_start(make_request(initialize_from="a"), by=ada)
    assert plan.options["initialize_from"] == str(place)


def test_nothing_can_be_started_with_the_trainer_that_stands_for_others(ada: User, results: Path) -> None:
    make_run(results, "a")
    imported(results, ada)
    stands = Trainer.objects.get(kind="imported")
    with pytest.raises(MentorError):
        plan_start(make_request(trainer=stands.name), by=ada)
    assert trainers.choose(None) != stands


def test_an_import_writes_nothing_into_the_folder(ada: User, results: Path, home: Path) -> None:
    make_run(results, "a", max_steps=300)
    before = sorted((path, path.stat().st_mtime_ns) for path in results.rglob("*"))
    imported(results, ada)
    editing.edit(TrainingSession.objects.get(), {"notes": "good"}, by="ada")
    assert sorted((path, path.stat().st_mtime_ns) for path in results.rglob("*")) == before
    assert not (home / "runs").exists()


def test_histograms_and_texts_are_taken_along(ada: User, results: Path) -> None:
    written = EventWriter(results / "a" / "Ball")
    written.text("Hyperparameters/text_summary", "lr: 1", 0)
    for step in (100, 200):
        written.scalar(REWARD, 1.0, step)
        written.histogram(f"{REWARD}_hist", [1.0, 2.0], step)
    written.close()
    imported(results, ada)
    attempt = TrainingSession.objects.get().attempts.get()
    assert list(Text.objects.filter(attempt=attempt).values_list("text", flat=True)) == ["lr: 1"]
    assert list(Histogram.objects.filter(attempt=attempt).values_list("step", flat=True)) == [100, 200]
    row = EventFile.objects.get()
    assert (row.version, row.offset) == (2.0, written.path.stat().st_size)
