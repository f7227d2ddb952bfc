"""Which settings are the fastest is measured by real short trainings, and what is proposed is what was fast."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.trainers.standin.launcher import make_launcher
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mlagents,
    pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only"),
]
CONFIG = """\
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters: {batch_size: 64, buffer_size: 192, num_epoch: 1}
    network_settings: {hidden_units: 16, num_layers: 1}
    time_horizon: 4
    summary_freq: 50000
    max_steps: 800
"""
# A step of the environment takes its time without taking any CPU, so that two of them are twice as fast as one. Short
# horizons: experience that comes in few large pieces would make the speed look uneven within so few seconds.
SLOW = ["--delay=60"]


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


def trial(mentor: RunningMentor, key: int) -> dict[str, Any]:
    found: dict[str, Any] = mentor.ask("GET", f"trials/{key}/")
    return found


def over(mentor: RunningMentor, key: int) -> dict[str, Any] | None:
    found = trial(mentor, key)
    gone = not any((mentor.home / "runs" / one["run_id"]).exists() for one in found["runs"] if one["run_id"])
    return found if found["state"] != "running" and gone else None


def test_two_environments_are_proposed_where_a_step_waits_also_when_the_supervisor_is_killed_meanwhile(
    mentor: RunningMentor, tmp_path: Path
) -> None:
    body = {
        "run_id": "slow",
        "config": CONFIG,
        "trainer": "mlagents",
        "env_path": str(make_launcher(tmp_path, Path(sys.executable))),
        "env_args": SLOW,
        "no_graphics": True,
        "time_scale": 100,
        "seed": 1,
        "measure_seconds": 6,
    }
    begun = mentor.ask("POST", "trials/", body)
    assert begun.get("state") == "running", begun
    assert mentor.ask("POST", "trials/", body)["status"] == 409
    eventually(lambda: len(trial(mentor, begun["id"])["runs"]) == 2 or None, seconds=120, what="the second setting")
    for name in ("supervise", "worker"):
        mentor.parts()[name].kill()
    done = eventually(lambda: over(mentor, begun["id"]), seconds=240, what="the end of the trial")
    assert done["state"] == "done", done
    assert [one["num_envs"] for one in done["runs"]] == [1, 2, 1], done
    assert all(one["steps_per_second"] > 0 and one["error"] is not None for one in done["runs"])
    assert done["changes"] == {"num_envs": 2}, done
    assert done["gain"] > 1.3
    assert mentor.ask("GET", "sessions/")["results"] == []
    assert mentor.ask("GET", "sessions/?origin=trial")["results"] == []
    page = mentor.ask("GET", "trials/")["results"]
    assert [one["id"] for one in page] == [begun["id"]]
