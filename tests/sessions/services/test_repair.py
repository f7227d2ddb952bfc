"""Before a resume, what a crash left is mended on disk: every change is an event, and nothing is deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from sessions import tasks
from sessions.domain.states import State
from sessions.errors import Conflict
from sessions.metrics.events import Point
from sessions.models import Attempt, Machine, SessionEvent, TrainingSession
from sessions.runtime.rundir import AttemptDirectory
from sessions.services import artifacts, editing, launching, points
from sessions.trainers.checkpoints import Condition, blank, condition
from tests.factories import make_machine, make_session
from tests.sessions.attempts import OnDisk
from tests.sessions.services.queueing import granted
from tests.sessions.trainers.test_checkpoints import torch_like

pytestmark = pytest.mark.usefixtures("launches", "spawned")

CONFIG = b"""\
behaviors:
  Ball: {trainer_type: ppo}
  Wall: {trainer_type: ppo}
environment_parameters:
  height:
    curriculum:
      - {name: low, value: 1.0, completion_criteria: {measure: progress, behavior: Ball, threshold: 0.1}}
      - {name: high, value: 2.0}
  mass: 3.0
"""
OLD, NEW = torch_like(b"old" * 50), torch_like(b"new" * 50)


@pytest.fixture
def ended(ada: User) -> OnDisk:
    """A session of two behaviors that saved twice and then ended."""
    written = OnDisk(make_session(owner=ada, state=State.FAILED, config=CONFIG))
    for behavior in ("Ball", "Wall"):
        for step, data in ((500, OLD), (1000, NEW)):
            written.save(f"{behavior}/{behavior}-{step}.pt", data)
            written.save(f"{behavior}/{behavior}-{step}.onnx", b"model")
        written.save(f"{behavior}/checkpoint.pt", NEW)
    written.save("run_logs/training_status.json", json.dumps({"metadata": {}}).encode())
    return written


def resumed(written: OnDisk, spawned: list[AttemptDirectory]) -> Attempt:
    """The attempt of a resume, after its launch."""
    editing.resume(written.session, by="ada")
    attempt = granted(written.session, make_machine())
    spawned.clear()
    tasks.launch_attempt(attempt.pk)
    attempt.refresh_from_db()
    assert [directory.path for directory in spawned] == [launching.directory_of(attempt).path], attempt.failure
    return attempt


def told(attempt: Attempt) -> list[str]:
    """What the launch did to the files, as the history says it."""
    events = SessionEvent.objects.filter(attempt=attempt, from_state="launching", to_state="launching")
    return list(events.values_list("why", flat=True))


def files(written: OnDisk, behavior: str = "Ball") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (written.results / behavior).iterdir()}


def test_whole_results_are_resumed_as_they_are_with_a_copy_of_what_they_begin_from(
    ended: OnDisk, spawned: list[AttemptDirectory]
) -> None:
    before = files(ended)
    attempt = resumed(ended, spawned)
    assert "--resume" in attempt.command
    assert told(attempt) == []
    assert files(ended) == {**before, "checkpoint.pt.before-attempt-2": NEW}


def test_the_copy_is_of_the_last_resume_alone(ended: OnDisk, spawned: list[AttemptDirectory]) -> None:
    for _ in range(2):
        attempt = resumed(ended, spawned)
        launching.fail_launch(attempt, "no shim")
    copies = [name for name in files(ended) if "before-attempt" in name]
    assert copies == ["checkpoint.pt.before-attempt-3"]


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(NEW[:99]), Path.unlink], ids=["truncated", "missing"])
def test_the_newest_whole_checkpoint_takes_the_place_of_a_harmed_one(
    ended: OnDisk, spawned: list[AttemptDirectory], harm: Any
) -> None:
    path = ended.results / "Ball" / "checkpoint.pt"
    harm(path)
    there = path.exists()
    (ended.results / "Ball" / "Ball-1000.pt").write_bytes(b"cut by a full disk")
    attempt = resumed(ended, spawned)
    left = files(ended)
    assert left["checkpoint.pt"] == left["Ball-500.pt"] == OLD
    assert left["Ball-1000.pt"] == b"cut by a full disk"
    assert left.get("checkpoint.pt.unused-by-attempt-2") == (NEW[:99] if there else None)
    assert files(ended, "Wall")["checkpoint.pt"] == NEW
    how = "broken. It is kept as checkpoint.pt.unused-by-attempt-2." if there else "missing."
    assert told(attempt) == [f"Ball goes on from Ball-500.pt: checkpoint.pt was {how}"]


def test_a_behavior_that_saved_nothing_gets_a_blank_checkpoint_beside_one_that_goes_on(
    ended: OnDisk, spawned: list[AttemptDirectory]
) -> None:
    for path in (ended.results / "Wall").iterdir():
        path.unlink()
    attempt = resumed(ended, spawned)
    assert files(ended, "Wall") == {
        "checkpoint.pt": blank(),
        "checkpoint.pt.before-attempt-2": blank(),
    }
    assert told(attempt) == ["Wall begins at step 0: it has saved nothing so far."]
    launching.fail_launch(attempt, "no shim")
    assert told(resumed(ended, spawned)) == [], "it is told once"


def test_a_name_that_leads_elsewhere_gets_no_checkpoint(ended: OnDisk, spawned: list[AttemptDirectory]) -> None:
    hostile = b"behaviors: {Ball: {}, '..': {}, '../../x': {}, '.': {}, 'a\\b': {}}"
    TrainingSession.objects.filter(pk=ended.session.pk).update(config_used=hostile)
    before = {path for path in ended.results.parents[1].rglob("*") if "attempts" not in path.parts}
    assert told(resumed(ended, spawned)) == []
    after = {path for path in ended.results.parents[1].rglob("*") if "attempts" not in path.parts}
    assert {path.name for path in after - before} == {"checkpoint.pt.before-attempt-2"}


def test_results_without_any_checkpoint_are_set_aside_and_the_training_begins_anew(
    ada: User, spawned: list[AttemptDirectory]
) -> None:
    written = OnDisk(make_session(owner=ada, state=State.STOPPED))
    written.save("run_logs/Player-0.log", b"Unity")
    written.session.behaviors.update(step=300, seen=True)
    attempt = resumed(written, spawned)
    aside = written.results.with_name(f"{written.session.run_id}.before-attempt-2")
    assert (aside / "run_logs" / "Player-0.log").read_bytes() == b"Unity"
    assert not written.results.exists()
    assert (attempt.resume, "--resume" in attempt.command, "--force" in attempt.command) == (False, False, False)
    spec = spawned[0].read_spec()
    assert spec is not None
    assert "--resume" not in spec.argv
    assert told(attempt) == [
        f"Nothing was saved. The training begins anew. What was there is kept in {aside.name}."
    ]  # fmt: skip
    assert set(written.session.behaviors.values_list("step", "seen")) == {(0, False)}


def test_results_of_which_nothing_can_be_read_are_set_aside_whole(
    ended: OnDisk, spawned: list[AttemptDirectory]
) -> None:
    for path in ended.results.glob("*/*.pt"):
        path.write_bytes(b"zeros")
    attempt = resumed(ended, spawned)
    aside = ended.results.with_name(f"{ended.results.name}.before-attempt-2")
    assert (aside / "Wall" / "Wall-500.pt").read_bytes() == b"zeros"
    assert told(attempt)[0].startswith("No checkpoint of Ball and Wall can be read. The training begins anew.")


def test_a_session_whose_results_were_never_made_begins_anew(ada: User, spawned: list[AttemptDirectory]) -> None:
    written = OnDisk(make_session(owner=ada, state=State.PAUSED))
    attempt = resumed(written, spawned)
    assert "--resume" not in attempt.command
    assert told(attempt) == ["Nothing was saved. The training begins anew."]


def test_checkpoints_that_were_there_and_are_gone_are_not_replaced_by_a_new_training(
    ended: OnDisk, spawned: list[AttemptDirectory]
) -> None:
    artifacts.store(ended.attempt, ended.results, hashed=False)
    away = ended.results.with_name("on another disk")
    ended.results.rename(away)
    with pytest.raises(Conflict, match="no longer there"):
        editing.resume(ended.session, by="ada")
    away.rename(ended.results)
    assert "--resume" in resumed(ended, spawned).command


def test_what_an_older_ml_agents_saved_is_left_to_it(ada: User, spawned: list[AttemptDirectory]) -> None:
    written = OnDisk(make_session(owner=ada, state=State.STOPPED))
    written.save("Ball/model-500.ckpt.index", b"TensorFlow's")
    attempt = resumed(written, spawned)
    assert "--resume" in attempt.command
    assert files(written) == {"model-500.ckpt.index": b"TensorFlow's"}


# training_status.json


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"Ball": {}}', b"\xff\xfe", b"[" * 100_000])
def test_a_status_that_ml_agents_could_not_read_is_rebuilt_from_files_and_curves(
    ended: OnDisk, spawned: list[AttemptDirectory], content: bytes | None
) -> None:
    path = ended.results / "run_logs" / "training_status.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for tag, value in {"Environment/Lesson Number/height": 1.0, "Environment/Lesson Number/mass": 0.0}.items():
        points.append(ended.attempt, "Ball", [Point(tag, 900, 1e9, value)])
    points.append(ended.attempt, "Ball", [Point("Self-play/ELO", 900, 1e9, 1234.5)])
    attempt = resumed(ended, spawned)
    status = json.loads(path.read_bytes())
    ball = ended.results / "Ball"
    listed = [(one["steps"], one["file_path"], one["auxillary_file_paths"]) for one in status["Ball"]["checkpoints"]]
    assert listed == [(n, str(ball / f"Ball-{n}.onnx"), [str(ball / f"Ball-{n}.pt")]) for n in (500, 1000)]
    assert status["height"] == {"lesson_num": 1}
    assert (status["Ball"]["elo"], "mass" in status) == (1234.5, False)
    state = "missing" if content is None else "unreadable"
    assert told(attempt)[0].startswith(
        f"training_status.json was {state}. Rebuilt: the checkpoints from the files, "
        "the lessons from the curves, the ELO ratings from the curves."
    )
    aside = path.with_name("training_status.json.unused-by-attempt-2")
    assert (aside.read_bytes() if aside.exists() else None) == content


def test_what_cannot_be_rebuilt_is_said(ended: OnDisk, spawned: list[AttemptDirectory]) -> None:
    (ended.results / "run_logs" / "training_status.json").unlink()
    points.append(ended.attempt, "Ball", [Point("Environment/Lesson Number/height", 900, 1e9, 7.0)])
    assert told(resumed(ended, spawned)) == [
        "training_status.json was missing. Rebuilt: the checkpoints from the files."
        " Lessons and ELO ratings, if there were any, begin anew."
    ]


# Another network


def test_after_a_resume_with_another_network_the_next_goes_on_from_what_was_there_before(
    ended: OnDisk, spawned: list[AttemptDirectory]
) -> None:
    failed = resumed(ended, spawned)
    ended.save("Ball/checkpoint.pt", torch_like(b"untrained"))  # as ML-Agents does before it fails
    failure = "RuntimeError: The size of tensor a (16) must match the size of tensor b (32) at dimension 0"
    Attempt.objects.filter(pk=failed.pk).update(state="failed", failure=failure, started_at=failed.launched_at)
    TrainingSession.objects.filter(pk=ended.session.pk).update(state="failed")
    attempt = resumed(ended, spawned)
    assert files(ended)["checkpoint.pt"] == NEW
    assert files(ended)["checkpoint.pt.unused-by-attempt-3"] == torch_like(b"untrained")
    assert told(attempt)[0].startswith("Ball goes on from checkpoint.pt.before-attempt-2: the last attempt had another")


# What cannot be done


def test_results_that_cannot_be_changed_end_the_launch_with_the_reason(
    ended: OnDisk, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ended.results / "Ball" / "checkpoint.pt").write_bytes(b"")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    editing.resume(ended.session, by="ada")
    attempt = granted(ended.session, machine)
    monkeypatch.setattr(Path, "rename", refuse)
    tasks.launch_attempt(attempt.pk)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.failure) == ("failed", "checkpoint.pt could not be set aside: Permission denied.")
    assert condition(ended.results / "Ball" / "Ball-1000.pt") is Condition.WHOLE
