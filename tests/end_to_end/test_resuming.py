"""Pause, crash and resume with the real mlagents-learn: whatever was left on disk, the training goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sessions.runtime.identity import with_cookie
from sessions.runtime.rundir import AttemptDirectory, RunDirectory
from sessions.trainers.checkpoints import Condition, condition
from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = [
    pytest.mark.mlagents,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only"),
]

CONFIG = """\
default_settings:
  trainer_type: ppo
  hyperparameters: {batch_size: 64, buffer_size: 256}
  network_settings: {hidden_units: 16, num_layers: 1}
  summary_freq: 200
  checkpoint_interval: 400
  keep_checkpoints: 20
  max_steps: %d
behaviors:
  Ball: {}
"""
ENDS = ("completed", "stopped", "paused", "failed", "lost")


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("build"), Path(sys.executable)))


@pytest.fixture(scope="module")
def begin(mentor: RunningMentor, build: str) -> Callable[..., None]:
    def start(run_id: str, max_steps: int, behaviors: str = "Ball", **changes: Any) -> None:
        env_args = ["--behaviors", behaviors]
        body = {"run_id": run_id, "config": CONFIG % max_steps, "trainer": "mlagents", "env_path": build, "seed": 1}
        answer = mentor.ask("POST", "sessions/", {**body, "no_graphics": True, "env_args": env_args, **changes})
        assert answer.get("state") in GRANTED, answer

    return start


def ended(mentor: RunningMentor, run_id: str, state: str, *, seconds: float = 60.0) -> dict[str, Any]:
    done = mentor.wait_for(run_id, *ENDS, seconds=seconds)
    assert done["state"] == state, f"{done['explanation']}\n{mentor.console(run_id)[-3000:]}"
    return done


def results_of(mentor: RunningMentor, run_id: str) -> Path:
    return RunDirectory(mentor.home, run_id).results / run_id


def attempt_of(mentor: RunningMentor, run_id: str, number: int) -> AttemptDirectory:
    return RunDirectory(mentor.home, run_id).attempt(number)


def told(mentor: RunningMentor, run_id: str) -> str:
    return "\n".join(event["why"] for event in mentor.ask("GET", f"sessions/{run_id}/events/")["results"])


def steps_of(mentor: RunningMentor, run_id: str) -> dict[int, list[int]]:
    """The steps of the reward's points by attempt."""
    answer = mentor.ask("GET", f"sessions/{run_id}/metrics/?tag=Environment/Cumulative Reward")
    return {one["attempt"]: one["steps"] for one in answer["series"]}


def resume(mentor: RunningMentor, run_id: str, max_steps: int) -> None:
    """Resume with a further goal."""
    body = {"run_id": run_id, "config": CONFIG % max_steps, "trainer": "mlagents", "resume": True, "no_graphics": True}
    known = mentor.session(run_id)
    env_path = next(word.removeprefix("--env=") for word in known["command"] if word.startswith("--env="))
    answer = mentor.ask("POST", "sessions/", {**body, "env_path": env_path, "env_args": known["options"]["env_args"]})
    assert answer.get("state") in GRANTED, answer


@pytest.fixture(scope="module")
def harmed(begin: Callable[..., None]) -> str:
    """A session whose files are harmed after each of its attempts."""
    begin("harmed", 600)
    return "harmed"


def truncate(results: Path) -> None:
    checkpoint = results / "Ball" / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])


def lose(results: Path) -> None:
    (results / "Ball" / "checkpoint.pt").unlink()


def forget(results: Path) -> None:
    (results / "run_logs" / "training_status.json").unlink()


def garble(results: Path) -> None:
    status = results / "run_logs" / "training_status.json"
    status.write_bytes(status.read_bytes()[:40])


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (truncate, "Ball goes on from Ball-%d.pt: checkpoint.pt was broken."),
        (lose, "Ball goes on from Ball-%d.pt: checkpoint.pt was missing."),
        (forget, "training_status.json was missing. Rebuilt: the checkpoints from the files."),
        (garble, "training_status.json was unreadable. Rebuilt: the checkpoints from the files."),
    ],
    ids=["truncated checkpoint", "no checkpoint", "no status", "corrupt status"],
)
def test_a_training_with_harmed_files_is_resumed_and_completes(
    mentor: RunningMentor, harmed: str, harm: Callable[[Path], None], sentence: str
) -> None:
    before = ended(mentor, harmed, "completed")
    step = before["saved"][0]["step"]
    harm(results_of(mentor, harmed))
    resume(mentor, harmed, step + 800)
    done = ended(mentor, harmed, "completed")
    assert len(done["attempts"]) == len(before["attempts"]) + 1
    assert (sentence % step if "%" in sentence else sentence) in told(mentor, harmed)
    assert f"Resuming training from step {step}." in mentor.console(harmed)
    assert "Training status file not found" not in mentor.console(harmed)
    assert done["step"] >= step + 800
    status = json.loads((results_of(mentor, harmed) / "run_logs" / "training_status.json").read_text(encoding="utf-8"))
    steps = [one["steps"] for one in status["Ball"]["checkpoints"]]
    assert step in steps, "what was saved before is still known"
    assert max(steps) >= step + 800


def test_a_training_that_was_killed_from_outside_goes_on_from_its_last_checkpoint(
    mentor: RunningMentor, begin: Callable[..., None]
) -> None:
    begin("killed", 100_000)
    eventually(lambda: any(results_of(mentor, "killed").glob("Ball/Ball-*.onnx")), what="a checkpoint")
    eventually(lambda: mentor.session("killed")["step"] >= 800, what="steps beyond it")
    trainer = attempt_of(mentor, "killed", 1).read_trainer()
    assert trainer is not None
    psutil.Process(trainer.pid).kill()
    failed = ended(mentor, "killed", "failed")
    assert "a kill from outside" in failed["explanation"]
    resume(mentor, "killed", 3000)
    ended(mentor, "killed", "completed")
    assert "Resuming training from step" in mentor.console("killed")
    assert "Resuming training from step 0" not in mentor.console("killed")
    steps = steps_of(mentor, "killed")
    assert steps[2][0] <= steps[1][-1] + 400, "it goes on where it was"


def test_a_training_that_left_only_logs_begins_anew_and_completes(
    mentor: RunningMentor, begin: Callable[..., None]
) -> None:
    begin("logs", 600)
    eventually((results_of(mentor, "logs") / "run_logs").is_dir, what="its folder")
    mentor.ask("POST", "sessions/logs/kill/")
    ended(mentor, "logs", "stopped")
    assert not list(results_of(mentor, "logs").glob("*/*.pt"))
    mentor.ask("POST", "sessions/logs/resume/")
    ended(mentor, "logs", "completed")
    assert "Nothing was saved. The training begins anew." in told(mentor, "logs")
    assert (results_of(mentor, "logs").parent / "logs.before-attempt-2" / "run_logs").is_dir()
    assert [one["state"] for one in mentor.session("logs")["attempts"]] == ["stopped", "completed"]


def test_a_behavior_that_never_appeared_joins_a_training_that_goes_on(
    mentor: RunningMentor, begin: Callable[..., None], build: str
) -> None:
    begin("joined", 600)
    ended(mentor, "joined", "completed")
    config = CONFIG % 1400 + "  Wall: {}\n"
    body = {"run_id": "joined", "config": config, "trainer": "mlagents", "resume": True, "env_path": build}
    mentor.ask("POST", "sessions/", {**body, "no_graphics": True, "env_args": ["--behaviors", "Ball,Wall"]})
    done = ended(mentor, "joined", "completed")
    assert {one["name"] for one in done["behaviors"] if one["step"] >= 1400} == {"Ball", "Wall"}
    assert "Wall begins at step 0: it has saved nothing so far." in told(mentor, "joined")


def test_another_network_is_refused_in_words_and_the_one_before_is_put_back(
    mentor: RunningMentor, begin: Callable[..., None], build: str
) -> None:
    begin("foreign", 600)
    first = ended(mentor, "foreign", "completed")
    config = (CONFIG % 2400).replace("hidden_units: 16", "hidden_units: 32")
    body = {"run_id": "foreign", "config": config, "trainer": "mlagents", "resume": True, "env_path": build}
    mentor.ask("POST", "sessions/", {**body, "no_graphics": True, "env_args": ["--behaviors", "Ball"]})
    refused = ended(mentor, "foreign", "failed")
    assert "Resume with the settings and observations it had" in refused["explanation"]
    resume(mentor, "foreign", 1400)
    ended(mentor, "foreign", "completed")
    assert "the last attempt had another network" in told(mentor, "foreign")
    assert f"Resuming training from step {first['saved'][0]['step']}." in mentor.console("foreign")
    assert "Failed to load" not in mentor.console("foreign")


def test_a_paused_training_frees_what_it_held_and_goes_on_from_its_step(
    mentor: RunningMentor, begin: Callable[..., None]
) -> None:
    begin("paused", 500_000)
    eventually(lambda: mentor.session("paused")["step"] > 0, what="the first summary")
    spec = attempt_of(mentor, "paused", 1).read_spec()
    assert spec is not None
    assert mentor.ask("POST", "sessions/paused/pause/")["state"] in {"running", "stopping"}
    done = ended(mentor, "paused", "paused")
    assert done["explanation"].startswith("Paused; Ball.onnx was saved at step ")
    assert with_cookie(spec.cookie) == []
    assert condition(results_of(mentor, "paused") / "Ball" / "checkpoint.pt") is Condition.WHOLE
    assert mentor.ask("GET", "system/")["busy_slots"] == 0
    step = next(one["step"] for one in done["saved"] if one["final"])
    mentor.ask("POST", "sessions/paused/resume/")
    eventually(lambda: 2 in steps_of(mentor, "paused"), what="a summary of the second attempt")
    assert f"Resuming training from step {step}." in mentor.console("paused")
    mentor.ask("POST", "sessions/paused/stop/")
    ended(mentor, "paused", "stopped")
    steps = steps_of(mentor, "paused")
    assert sorted(steps) == [1, 2]
    assert min(steps[2]) > step - 200
