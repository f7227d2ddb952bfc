"""Trainings of the real mlagents-learn that fail under MENTOR, and the buttons that make them work."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = [pytest.mark.slow, pytest.mark.mlagents]
if sys.platform != "linux":
    pytest.skip("the trainer's Python is changed as only Linux allows", allow_module_level=True)

from tests.end_to_end.provocations import CONFIGURATIONS  # noqa: E402
from tests.end_to_end.provoking import CONFIG, LONG, at_export  # noqa: E402

# Runs what lies beside it under the name of a run, in that run's first attempt only: what was broken is then mended.
ONCE = """\
import pathlib, sys
for word in sys.orig_argv:
    parts = pathlib.Path(word).parts
    if "attempts" in parts and parts[parts.index("attempts") + 1] == "1":
        broken = pathlib.Path(__file__).with_name(parts[parts.index("attempts") - 1] + ".txt")
        if broken.is_file():
            exec(broken.read_text())
        break
"""
# Another program takes the trainer's port between MENTOR's look and its own.
TAKE_PORT = """\
import socket
taken = socket.socket()
taken.bind(("localhost", next(int(one.partition("=")[2]) for one in sys.orig_argv if one.startswith("--base-port="))))
taken.listen()
"""
CRASH = at_export("import ctypes; ctypes.string_at(0)")["sitecustomize.py"]
NO_PACKAGE = """\
class Missing:
    def find_spec(self, name, path, target=None):
        if name == "pkg_resources":
            raise ModuleNotFoundError("No module named 'pkg_resources'")
sys.meta_path.insert(0, Missing())
"""
OFTEN = CONFIG.replace("max_steps: 400", "max_steps: 2400\n    checkpoint_interval: 400")
# What is asked for, what it fails by, and the button that helps.
SESSIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "gpu": ({"device": "cuda"}, "cuda_not_compiled", "cpu"),
    "package": ({}, "pkg_resources_missing", "again"),
    "port": ({}, "port_in_use", "port"),
    "crash": ({}, "segfault", "resume"),
    "slow": ({"env_args": ["--misbehave=slow-start=6"], "timeout_wait": 2}, "timeout", "patience"),
    "display": ({"env_args": ["--misbehave=needs-no-graphics"], "no_graphics": False}, "env_exit", "no_graphics"),
    "name": ({"config": CONFIG.replace("Ball", "bal")}, "behavior_missing", "rename"),
    "images": ({"env_args": ["--misbehave=image=8", "--agents=4"]}, "obs_too_small", "small_images"),
    "diverged": ({"config": OFTEN, "env_args": ["--misbehave=huge-rewards=120"]}, "nan_action", "earlier"),
}
BROKEN = {"package": NO_PACKAGE, "port": TAKE_PORT, "crash": CRASH}
ENDS = ("failed", "completed", "stopped", "lost")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("a build"), Path(sys.executable)))


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory, build: str) -> Iterator[RunningMentor]:
    """With all the sessions above begun."""
    folder = tmp_path_factory.mktemp("shadow")
    (folder / "sitecustomize.py").write_text(ONCE, encoding="utf-8")
    for run_id, code in BROKEN.items():
        (folder / f"{run_id}.txt").write_text(code, encoding="utf-8")
    with running_mentor(tmp_path_factory.mktemp("home"), variables={"PYTHONPATH": str(folder)}) as mentor:
        for run_id, (asked, _, _) in SESSIONS.items():
            begin(mentor, build, run_id, **asked)
        yield mentor


def begin(mentor: RunningMentor, build: str, run_id: str, **further: Any) -> None:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "mlagents", "env_path": build, "seed": 1}
    answer = mentor.ask("POST", "sessions/", {**body, "no_graphics": True, **further})
    assert answer.get("state") in GRANTED, answer


@pytest.mark.parametrize("run_id", SESSIONS)
def test_a_failure_is_explained_and_its_button_makes_it_work(mentor: RunningMentor, run_id: str) -> None:
    _, cause, remedy = SESSIONS[run_id]
    ended = mentor.wait_for(run_id, *ENDS, seconds=240)
    assert ended["state"] == "failed", mentor.console(run_id)
    diagnosis = mentor.ask("GET", f"sessions/{run_id}/diagnosis/")
    assert diagnosis["id"] == cause, diagnosis
    if run_id == "display":
        unitys_log_speaks(diagnosis)
    if run_id == "name":
        assert "Unity announced Ball" in diagnosis["cause"]
    assert remedy in [one["id"] for one in diagnosis["actions"]], diagnosis
    answer = mentor.ask("POST", f"sessions/{run_id}/remedy/", {"id": remedy})
    assert len(answer["attempts"]) == 2, answer
    again = mentor.wait_for(run_id, *ENDS, seconds=240)
    assert len(again["attempts"]) == 2
    assert again["state"] == "completed", f"{again['explanation']}\n{mentor.console(run_id)}"


def unitys_log_speaks(diagnosis: dict[str, Any]) -> None:
    assert diagnosis["cause"].startswith("Unity found no display")
    assert diagnosis["actions"][0]["id"] == "no_graphics"
    assert any(one["source"].startswith("Player-") for one in diagnosis["evidence"])


def test_a_trainer_that_the_system_kills_is_told_with_its_memory(mentor: RunningMentor, build: str) -> None:
    begin(mentor, build, "killed", config=LONG, num_envs=2)
    eventually(lambda: mentor.session("killed")["resources"]["memory_bytes"], seconds=240, what="a look at its memory")
    for process in mentor.attempt_processes():
        if "boot.py" in " ".join(process.cmdline()) and "/killed/" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGKILL)
    mentor.wait_for("killed", "failed")
    diagnosis = mentor.ask("GET", "sessions/killed/diagnosis/")
    assert diagnosis["id"] == "killed", diagnosis
    assert any(fact.startswith("exit code -9 (a kill from outside") for fact in diagnosis["facts"])
    assert any("GB of memory, at most" in fact for fact in diagnosis["facts"])
    assert [one["id"] for one in diagnosis["actions"]] == ["one_environment", "resume", "edit"]


@pytest.mark.parametrize("name", sorted(set(CONFIGURATIONS) - {"mark"}))
def test_what_mlagents_learn_would_refuse_is_refused_before_the_start(
    mentor: RunningMentor, build: str, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "c.yaml"
    config = CONFIGURATIONS[name].config
    path.write_bytes(config if isinstance(config, bytes) else config.encode())
    body = {"run_id": "never", "config_path": str(path), "trainer": "mlagents", "env_path": build}
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("status") == 400, answer
    assert answer["detail"].endswith((".", "?"))
    assert not mentor.attempt_processes() or "never" not in str(mentor.attempt_processes())


def test_options_that_it_would_refuse_are_refused_with_their_field(mentor: RunningMentor, build: str) -> None:
    for field, value in {"device": "gpu", "num_envs": 0, "seed": -5, "timeout_wait": 0, "resume": True}.items():
        body = {"run_id": "never", "config": CONFIG, "trainer": "mlagents", "env_path": build, field: value}
        answer = mentor.ask("POST", "sessions/", body)
        assert answer["status"] == 400, answer
        assert field in answer["errors"], answer
