"""Runs are found by the names of folders and files alone, in every layout that ML-Agents had, and in others."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.command import RESERVED, RUN_ID, numbered, run_id_like
from sessions.domain.results_layout import (
    EventLog,
    Family,
    File,
    Folder,
    FoundRun,
    alone,
    begun,
    family_of,
    find_runs,
    shown,
    starts,
    writer_of,
)

EVENTS = "events.out.tfevents.{}.{}.0"


def file(path: str) -> File:
    return File(PurePosixPath(path), 100, 10**9)


def folder(path: str, *names: str, folders: tuple[str, ...] = (), writer: str = "host.11", began: int = 1) -> Folder:
    """A folder with these files; "events" stands for an event file."""
    place = PurePosixPath(path)
    whole = [EVENTS.format(began, writer) if name == "events" else name for name in names]
    events = tuple(file(f"{path}/{name}") for name in whole if ".tfevents." in name)
    others = tuple(file(f"{path}/{name}") for name in whole if ".tfevents." not in name)
    return Folder(place, place.name, events, others, folders)


def found(parent: Folder, *children: Folder, family: Family = Family.MLAGENTS, **more: object) -> list[FoundRun]:
    return find_runs(parent, children, lambda _: family, **more)  # type: ignore[arg-type]


def described(runs: list[FoundRun]) -> list[tuple[str, str, list[str], str]]:
    return [(run.name, str(run.results), run.behaviors, run.format) for run in runs]


def test_a_run_of_today_has_a_folder_for_each_behavior() -> None:
    parent = folder("results/a", "configuration.yaml", "Ball.onnx", folders=("Ball", "Striker", "run_logs"))
    logs = folder("results/a/run_logs", "training_status.json")
    runs = found(parent, folder("results/a/Ball", "events"), folder("results/a/Striker", "events"), logs=logs)
    assert described(runs) == [("a", "results/a", ["Ball", "Striker"], "results")]
    assert runs[0].other("training_status.json") is not None


def test_a_run_that_has_not_ended_has_only_its_behaviors() -> None:
    runs = found(folder("results/a", folders=("Ball",)), folder("results/a/Ball", "events", "checkpoint.pt"))
    assert described(runs) == [("a", "results/a", ["Ball"], "results")]


def test_behaviors_of_one_process_are_one_run_and_of_several_are_several() -> None:
    parent = folder("collected", folders=("a", "b"))
    one = found(parent, folder("collected/a", "events"), folder("collected/b", "events"))
    assert [run.name for run in one] == ["collected"]
    two = found(parent, folder("collected/a", "events"), folder("collected/b", "events", writer="host.12"))
    assert [(run.name, run.format) for run in two] == [("a", "events"), ("b", "events")]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("Ball.nn", "Ball-500.nn"), "results-0.19"),
        (("model-500.ckpt.index", "Ball.nn"), "results-0.17"),
        (("Ball.onnx", "Ball-500.onnx"), "results"),
    ],
)
def test_the_models_tell_the_layout(names: tuple[str, ...], told: str) -> None:
    parent = folder("results/a", folders=("Ball", "run_logs"))
    assert found(parent, folder("results/a/Ball", "events", *names))[0].format == told


def test_summaries_of_old_versions_are_put_together_by_their_runs() -> None:
    parent = folder("summaries", "first_run_timers.json", folders=("first_run_Striker", "first_run_Goalie", "b_Ball"))
    children = [folder(f"summaries/{name}", "events") for name in parent.folders]
    runs = found(parent, *children, old_models=("b-0",))
    assert described(runs) == [
        ("first_run", "summaries", ["Goalie", "Striker"], "summaries"),
        ("b", "summaries/b_Ball", ["Ball"], "summaries"),
    ]


def test_without_models_the_last_part_of_an_old_name_is_the_brain() -> None:
    runs = found(folder("summaries", folders=("my_run_Ball",)), folder("summaries/my_run_Ball", "events"))
    assert [(run.name, run.behaviors) for run in runs] == [("my_run", ["Ball"])]


@pytest.mark.parametrize(
    ("family", "name", "behavior"),
    [
        (Family.SB3, "PPO_1", "PPO"),
        (Family.SB3, "mine", "mine"),
        (Family.CLEANRL, "CartPole-v1__ppo__1__1700000000", "CartPole-v1"),
        (Family.CLEANRL, "odd", "odd"),
        (Family.OTHER, "train", "train"),
    ],
)
def test_other_trainers_give_each_run_one_folder(family: Family, name: str, behavior: str) -> None:
    runs = found(folder("logs", folders=(name,)), folder(f"logs/{name}", "events"), family=family)
    assert [(run.name, str(run.results), run.behaviors) for run in runs] == [(name, f"logs/{name}", [behavior])]


def test_a_file_without_a_known_tag_belongs_to_the_run_it_lies_in() -> None:
    parent = folder("results/a", "configuration.yaml", folders=("Ball",))
    assert found(parent, folder("results/a/Ball", "events"), family=Family.OTHER)[0].family is Family.MLAGENTS


@pytest.mark.parametrize(
    ("head", "family"),
    [
        (b"..Environment/Cumulative Reward..", Family.MLAGENTS),
        (b"..charts/episodic_return..", Family.CLEANRL),
        (b"..rollout/ep_rew_mean..", Family.SB3),
        (b"..Environment/X..charts/mine", Family.MLAGENTS),
        (b"loss", Family.OTHER),
        (b"", Family.OTHER),
    ],
)
def test_tags_tell_who_wrote_a_file(head: bytes, family: Family) -> None:
    assert family_of(head) is family


@pytest.mark.parametrize(
    ("name", "at", "writer"),
    [
        ("events.out.tfevents.1700000000.host.11.0", 1_700_000_000, "host.11"),
        ("events.out.tfevents.1700000000.a.b-c.local.11.3", 1_700_000_000, "a.b-c.local.11"),
        ("events.out.tfevents.1700000000.host.11.0.v2", 1_700_000_000, "host.11"),
        ("events.out.tfevents.1540000000.HOST", 1_540_000_000, "HOST"),
        ("events.out.tfevents.nonsense", 0, ""),
        ("events.out.tfevents.99999999999999999999.host.1.0", 0, "host.1"),
    ],
)
def test_the_name_of_an_event_file_tells_when_and_by_whom_it_was_begun(name: str, at: int, writer: str) -> None:
    assert (begun(name), writer_of(name)) == (at, writer)


def logs(*written: tuple[str, int, str]) -> list[EventLog]:
    return [EventLog(file(f"a/{name}/{EVENTS.format(at, writer)}"), name) for name, at, writer in written]


def counted(found: list[list[EventLog]]) -> list[list[tuple[str, int]]]:
    return [sorted((log.behavior, begun(log.file.name)) for log in start) for start in found]


def test_one_process_is_one_start_however_many_behaviors_it_trains() -> None:
    written = logs(("Ball", 9, "host.2"), ("Ball", 1, "host.1"), ("Goal", 2, "host.1"), ("Goal", 9, "host.2"))
    assert counted(starts(written)) == [[("Ball", 1), ("Goal", 2)], [("Ball", 9), ("Goal", 9)]]


def test_in_a_container_every_start_has_the_same_process_number() -> None:
    assert len(starts(logs(("Ball", 1, "host.7"), ("Ball", 50, "host.7"), ("Ball", 90, "host.7")))) == 3


def test_old_names_without_a_process_are_told_apart_by_what_comes_again() -> None:
    old = [EventLog(file(f"s/{at}_{b}/events.out.tfevents.{at}.HOST"), b) for at in (1, 5) for b in ("Ball", "Goal")]
    assert [len(start) for start in starts(old)] == [2, 2]


@given(st.text())
def test_every_name_becomes_a_run_id(name: str) -> None:
    for run_id in (run_id_like(name), numbered(run_id_like(name), 12)):
        assert RUN_ID.fullmatch(run_id)
        assert not RESERVED.fullmatch(run_id)
        assert not run_id.endswith(".")


@pytest.mark.parametrize(
    "name", ["CON", "nul.txt", "COM1", "<script>alert(1)</script>", "../../etc", "läuft gut", "a" * 300]
)
def test_hostile_names_become_harmless(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", run_id_like(name))


@given(st.text())
def test_names_can_be_shown(name: str) -> None:
    assert all(character.isprintable() for character in shown(name))


NAMES = st.sampled_from(["Ball", "run_logs", "summaries", "PPO_1", "x__y__1__2", "a_b", ""])
FILES = st.sampled_from(
    ["events.out.tfevents.1.h.1.0", "events.out.tfevents.2.h.1.1", "a.tfevents.b", "configuration.yaml", "Ball.nn"]
)


@given(st.lists(st.tuples(NAMES, st.lists(FILES, max_size=3)), max_size=4), NAMES, st.sampled_from(list(Family)))
def test_whatever_lies_there_each_event_file_is_in_exactly_one_run(
    children: list[tuple[str, list[str]]], name: str, family: Family
) -> None:
    top = name or "top"
    listed = {child: folder(f"{top}/{child}", *dict.fromkeys(files)) for child, files in children}
    parent = folder(top, "configuration.yaml", folders=tuple(listed))
    runs = find_runs(parent, list(listed.values()), lambda _: family)
    runs += [alone(parent, family)] if parent.events else []
    taken = [log.file.path for run in runs for log in run.logs]
    assert sorted(taken) == sorted(event.path for child in listed.values() for event in child.events)
    for run in runs:
        assert [log for start in starts(run.logs) for log in start]
        assert all(log.file.path.is_relative_to(run.results) for log in run.logs)
