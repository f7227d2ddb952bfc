"""The real mlagents-learn under MENTOR, with the Unity stand-in as a build and as the Editor."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sessions.runtime.identity import with_cookie
from sessions.runtime.rundir import AttemptDirectory
from sessions.trainers.standin.launcher import editor_command, make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = [pytest.mark.mlagents, pytest.mark.slow]
needs_a_build = pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only")

EDITOR_PORT = 5004
CONFIG = """\
# written by hand
default_settings:
  trainer_type: ppo
  hyperparameters: {batch_size: 64, buffer_size: 512}
  network_settings: {hidden_units: 16, num_layers: 1}
  summary_freq: 200
  max_steps: 1200
behaviors:
  Ball:
    max_steps: 800
"""


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    # Started as a shell starts things in the background: interrupts are ignored, and stop must save all the same.
    with running_mentor(tmp_path_factory.mktemp("home") / "var", ignore_sigint=True) as running:
        yield running


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("a build"), Path(sys.executable)))


def start(mentor: RunningMentor, run_id: str, **changes: Any) -> None:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "mlagents", "seed": 1, **changes}
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") in GRANTED, answer


def series_here(mentor: RunningMentor, run_id: str, behavior: str) -> dict[str, list[tuple[int, float, float]]]:
    answer = mentor.ask("GET", f"sessions/{run_id}/metrics/?behavior={behavior}")
    columns = ("steps", "wall_times", "values")
    return {one["tag"]: list(zip(*(one[name] for name in columns), strict=True)) for one in answer["series"]}


def series_of_tensorboard(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        tag: [(one.step, one.wall_time, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }


@needs_a_build
def test_a_training_of_two_behaviors_completes_and_reads_as_in_tensorboard(mentor: RunningMentor, build: str) -> None:
    start(mentor, "both", env_path=build, no_graphics=True, env_args=["--behaviors", "Ball,Other"])
    done = mentor.wait_for("both", "completed", "failed", "lost", "stopped")
    assert done["state"] == "completed", done["explanation"]
    assert {one["name"]: one["max_steps"] for one in done["behaviors"]} == {"Ball": 800, "Other": 1200}
    results = mentor.home / "runs/both/results/both"
    for behavior in ("Ball", "Other"):
        theirs = series_of_tensorboard(results / behavior)
        assert len(theirs["Environment/Cumulative Reward"]) >= 3
        assert series_here(mentor, "both", behavior) == theirs
    assert mentor.console("both").encode() == (mentor.home / "runs/both/attempts/1/console.log").read_bytes()
    config = mentor.ask("GET", "sessions/both/config/")
    assert config["given"] == CONFIG


@needs_a_build
def test_stop_saves_a_model_that_loads_and_resume_goes_on_from_it(mentor: RunningMentor, build: str) -> None:
    onnx = pytest.importorskip("onnx")
    long = {"behaviors.Ball.max_steps": 500_000}
    start(mentor, "stopped", env_path=build, no_graphics=True, overrides=long)
    eventually(lambda: mentor.session("stopped")["step"] > 0, what="the first summary")
    mentor.ask("POST", "sessions/stopped/stop/")
    done = mentor.wait_for("stopped", "stopped", "completed", "failed", "lost")
    assert done["state"] == "stopped", done["explanation"]
    saved = next(one for one in done["saved"] if one["final"])
    model = onnx.load_from_string(mentor.ask("GET", f"sessions/stopped/artifacts/{saved['id']}/", raw=True))
    onnx.checker.check_model(model)
    mentor.ask("POST", "sessions/stopped/resume/")
    eventually(lambda: mentor.session("stopped")["step"] > saved["step"], what="steps after those before")
    mentor.ask("POST", "sessions/stopped/stop/")
    done = mentor.wait_for("stopped", "stopped", "completed", "failed", "lost")
    assert [one["state"] for one in done["attempts"]] == ["stopped", "stopped"]


@needs_a_build
def test_a_build_that_never_connects_fails_and_leaves_nothing(mentor: RunningMentor, tmp_path: Path) -> None:
    silent = tmp_path / "Silent.x86_64"
    silent.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    silent.chmod(0o755)
    start(mentor, "silent", env_path=str(silent), no_graphics=True, timeout_wait=2)
    done = mentor.wait_for("silent", "failed", "completed", "lost", "stopped", seconds=180)
    assert done["state"] == "failed", done["explanation"]
    assert "took too long to respond" in done["explanation"]
    assert not processes_of(mentor, "silent")


@needs_a_build
def test_a_build_that_is_killed_is_started_again_by_the_trainer(mentor: RunningMentor, build: str) -> None:
    start(mentor, "killed", env_path=build, no_graphics=True, env_args=["--delay", "10"])
    eventually(lambda: mentor.session("killed")["step"] > 0, seconds=60, what="the first summary")
    unity = [one for one in processes_of(mentor, "killed") if any("unity_standin" in word for word in one.cmdline())]
    unity[0].kill()
    done = mentor.wait_for("killed", "failed", "completed", "lost", "stopped", seconds=180)
    assert done["state"] == "completed", done["explanation"]
    assert not processes_of(mentor, "killed")


def processes_of(mentor: RunningMentor, run_id: str) -> list[psutil.Process]:
    """Everything that carries the cookie of the session's first attempt."""
    spec = AttemptDirectory(mentor.home / "runs" / run_id / "attempts" / "1").read_spec()
    assert spec is not None
    return [psutil.Process(pid) for pid in with_cookie(spec.cookie)]


@pytest.mark.usefixtures("editor_port")
def test_in_editor_mode_it_waits_for_play_and_then_trains(mentor: RunningMentor) -> None:
    if port_is_taken(EDITOR_PORT):
        pytest.skip(f"port {EDITOR_PORT}, the Editor's, is in use on this machine")
    start(mentor, "editor")
    waiting = mentor.wait_for("editor", "waiting_for_editor", "failed", "lost")
    assert waiting["state"] == "waiting_for_editor", waiting["explanation"]
    assert "Play" in waiting["explanation"]
    with subprocess.Popen(editor_command(Path(sys.executable)), stdout=subprocess.DEVNULL) as editor:
        try:
            done = mentor.wait_for("editor", "completed", "failed", "lost", "stopped")
            assert done["state"] == "completed", done["explanation"]
            assert editor.wait(10) == 0
        finally:
            editor.kill()


def port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError:
            return True
        return False
