"""Walking through folders of results finds every run once, in bounded memory, wherever it is interrupted."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sessions.selectors import results_tree
from sessions.selectors.results_tree import DEEPEST, NO_EVENTS, Unreachable, Walk, event_files_below
from tests.eventfiles import REWARD, make_run, write_events

SB3 = {"rollout/ep_rew_mean": [1.0, 2.0]}
CLEANRL = {"charts/episodic_return": [1.0]}


def names(walk: Walk) -> list[str]:
    return [run.results.as_posix() for run in walk.runs() if run is not None]


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """Runs of every kind, side by side and below one another."""
    make_run(tmp_path / "results", "a", max_steps=300)
    make_run(tmp_path / "results", "b", ("Ball", "Goal"), writer="host.12")
    make_run(tmp_path / "deep" / "er" / "results", "c")
    write_events(tmp_path / "logs" / "PPO_1", SB3)
    write_events(tmp_path / "logs" / "PPO_2", SB3, writer="host.13")
    write_events(tmp_path / "runs" / "CartPole-v1__ppo__1__17", CLEANRL)
    for brain in ("old_run_Ball", "old_run_Goal"):
        write_events(tmp_path / "summaries" / brain, {REWARD: [0.5]})
    (tmp_path / "models" / "old_run-0").mkdir(parents=True)
    (tmp_path / "nothing" / "here").mkdir(parents=True)
    return tmp_path


ALL = [
    "deep/er/results/c",
    "logs/PPO_1",
    "logs/PPO_2",
    "results/a",
    "results/b",
    "runs/CartPole-v1__ppo__1__17",
    "summaries",
]


def test_every_run_is_found_once(zoo: Path) -> None:
    assert sorted(names(Walk(zoo))) == ALL


def test_one_run_is_found_in_its_own_folder(zoo: Path) -> None:
    assert [(run.name, run.behaviors) for run in Walk(zoo / "results" / "b").runs() if run] == [("b", ["Ball", "Goal"])]
    assert [(run.name, run.behaviors) for run in Walk(zoo / "logs" / "PPO_1").runs() if run] == [("PPO_1", ["PPO"])]
    assert [(run.name, run.behaviors) for run in Walk(zoo / "results/a/Ball").runs() if run] == [("Ball", ["Ball"])]


def test_a_walk_that_ends_anywhere_goes_on_without_losing_or_repeating(zoo: Path) -> None:
    steps = list(Walk(zoo).runs())
    for end in range(1, len(steps)):
        first = Walk(zoo)
        taken = []
        for number, run in enumerate(first.runs()):
            taken.append(run)
            if number >= end and run is None:
                break
        rest = Walk(zoo, after=first.reached)
        assert sorted([run.results.as_posix() for run in taken if run] + names(rest)) == ALL


def test_a_folder_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        list(Walk(tmp_path / "gone").runs())
    assert list(Walk(tmp_path / "gone").runs_at_the_top()) == []


def test_a_run_without_event_files_is_told(tmp_path: Path) -> None:
    make_run(tmp_path, "a", max_steps=300)
    next((tmp_path / "a" / "Ball").glob("*tfevents*")).unlink()
    walk = Walk(tmp_path)
    assert names(walk) == []
    assert walk.remarks == [("a", NO_EVENTS)]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_are_not_followed_in_circles_nor_out_of_the_folder(tmp_path: Path) -> None:
    make_run(tmp_path / "outside", "secret")
    make_run(tmp_path / "in", "a")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "a" / "Ball" / "events.out.tfevents.5.h.1.0").symlink_to("/etc/passwd")
    walk = Walk(tmp_path / "in")
    runs = [run for run in walk.runs() if run is not None]
    assert [(run.name, len(run.logs)) for run in runs] == [("a", 1)]
    assert all(size < 0 or "Ball" in path for path, size in event_files_below(tmp_path / "in"))


@pytest.mark.skipif(sys.platform == "win32", reason="such files cannot be made there")
def test_what_is_no_file_is_no_event_file(tmp_path: Path) -> None:
    make_run(tmp_path, "a")
    os.mkfifo(tmp_path / "a" / "Ball" / "events.out.tfevents.9.h.9.0")
    (tmp_path / "a" / "Ball" / "events.out.tfevents.8.h.8.0").mkdir()
    runs = [run for run in Walk(tmp_path).runs() if run is not None]
    assert [len(run.logs) for run in runs] == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_no_database_can_hold_are_left_out_and_told(tmp_path: Path) -> None:
    write_events(tmp_path / os.fsdecode(b"run\xff") / "Ball", {REWARD: [1.0]})
    make_run(tmp_path, "good")
    walk = Walk(tmp_path)
    assert names(walk) == ["good"]
    assert walk.left_out == 1


def test_folders_in_folders_are_looked_into_so_deep_and_no_deeper(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(DEEPEST + 5):
        place /= "d"
    write_events(place / "run" / "Ball", {REWARD: [1.0]})
    walk = Walk(tmp_path)
    assert names(walk) == []
    assert walk.left_out == 1


def test_a_folder_with_too_many_files_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_tree, "MOST_ENTRIES", 50)
    place = tmp_path / "a" / "Ball"
    write_events(place, {REWARD: [1.0]})
    for number in range(60):
        (place / f"junk{number}").touch()
    walk = Walk(tmp_path)
    runs = [run for run in walk.runs() if run is not None]
    assert all(run.cut for run in runs)
    assert walk.left_out >= 1
    assert walk.entries < 120


def test_only_so_much_is_looked_at_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_tree, "MOST_OF_ALL", 20)
    for number in range(30):
        make_run(tmp_path / f"p{number:02}", "a")
    walk = Walk(tmp_path)
    assert len(names(walk)) < 30
    assert walk.left_out == 1


def test_event_files_are_found_slowly_too(zoo: Path) -> None:
    found = [path for path, size in event_files_below(zoo) if size >= 0]
    assert len(found) == len(list(zoo.rglob("*tfevents*")))
