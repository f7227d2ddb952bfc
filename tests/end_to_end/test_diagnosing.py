"""Trainings of the real mlagents-learn that fail, the causes MENTOR tells, and its fixes applied."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, running_mentor

pytestmark = [pytest.mark.slow, pytest.mark.mlagents]
CONFIG = """\
behaviors:
  %s:
    trainer_type: ppo
    hyperparameters: {batch_size: 32, buffer_size: 128}
    network_settings: {hidden_units: 8, num_layers: 1}
    summary_freq: 100
    max_steps: 400
"""


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home")) as mentor:
        yield mentor


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("a build"), Path(sys.executable)))


def failed(mentor: RunningMentor, build: str, run_id: str, behavior: str = "Ball", **further: Any) -> dict[str, Any]:
    """Start a training that fails, and return its diagnosis."""
    body = {"run_id": run_id, "config": CONFIG % behavior, "trainer": "mlagents", "env_path": build, "seed": 1}
    answer = mentor.ask("POST", "sessions/", {**body, "no_graphics": True, **further})
    assert answer.get("state") in GRANTED, answer
    mentor.wait_for(run_id, "failed", seconds=90)
    diagnosis: dict[str, Any] = mentor.ask("GET", f"sessions/{run_id}/diagnosis/")
    return diagnosis


def test_without_a_gpu_the_remedy_is_the_cpu_and_it_works(mentor: RunningMentor, build: str) -> None:
    diagnosis = failed(mentor, build, "gpu", device="cuda")
    assert diagnosis["id"] == "cuda_not_compiled"
    assert [one["id"] for one in diagnosis["actions"]] == ["cpu"]
    mentor.ask("POST", "sessions/gpu/remedy/", {"id": "cpu"})
    mentor.wait_for("gpu", "completed", seconds=90)


def test_a_behavior_that_the_configuration_does_not_name_is_named(mentor: RunningMentor, build: str) -> None:
    diagnosis = failed(mentor, build, "names", behavior="Bal")
    assert diagnosis["id"] == "behavior_missing"
    assert "Unity announced Ball" in diagnosis["cause"]
    clone = mentor.ask("POST", "sessions/names/clone/", {"config": CONFIG % "Ball"})
    mentor.wait_for(clone["run_id"], "completed", seconds=90)


def test_a_player_that_crashes_is_told_from_one_that_hangs(mentor: RunningMentor, build: str) -> None:
    crashed = failed(mentor, build, "crashed", env_args=["--crash-after=5"])
    assert crashed["id"] in {"env_exit", "env_restart_limit"}
    hung = failed(mentor, build, "hung", env_args=["--hang-after=5"], timeout_wait=5)
    assert hung["id"] == "timeout"
    assert any(fact.startswith("ML-Agents 1.1.0") for fact in hung["facts"])
