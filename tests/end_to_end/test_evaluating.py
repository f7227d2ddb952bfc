"""A checkpoint acts and learns nothing: its episodes are counted, its files stay as they were, its copy is removed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow
CONFIG = """\
default_settings:
  trainer_type: ppo
  hyperparameters: {batch_size: 64, buffer_size: 512}
  network_settings: {hidden_units: 16, num_layers: 1}
  summary_freq: 200
  max_steps: 800
  checkpoint_interval: 300
behaviors:
  Ball: {}
"""
OVER = ("completed", "stopped", "failed", "lost")
FAST = ["--steps-per-second=0"]


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    slots = {"MENTOR_MAX_PARALLEL": "2"}
    with running_mentor(tmp_path_factory.mktemp("home") / "var", variables=slots, ignore_sigint=True) as running:
        yield running


def trained(mentor: RunningMentor, run_id: str, **changes: Any) -> dict[str, Any]:
    """A training that has ended, and its oldest checkpoint."""
    body = {"run_id": run_id, "config": CONFIG, "trainer": "practice", "seed": 1, **changes}
    answer = mentor.ask("POST", "sessions/", body)
    assert "run_id" in answer, answer
    done = mentor.wait_for(run_id, *OVER)
    assert done["state"] == "completed", done["explanation"]
    listed = mentor.ask("GET", f"sessions/{run_id}/checkpoints/")["results"]
    chosen: dict[str, Any] = min(listed, key=lambda one: (one["step"], one["kind"]))
    return chosen


def evaluated(mentor: RunningMentor, run_id: str, key: int, **asked: Any) -> dict[str, Any]:
    answer = mentor.ask("POST", f"sessions/{run_id}/checkpoints/{key}/evaluate/", asked)
    assert answer.get("state") in GRANTED, answer
    return outcome(mentor, run_id, key, answer["id"])


def outcome(mentor: RunningMentor, run_id: str, key: int, which: int) -> dict[str, Any]:
    """The evaluation once it is over and nothing of its throw-away copies is left."""

    def over() -> dict[str, Any] | None:
        listed = mentor.ask("GET", f"sessions/{run_id}/checkpoints/{key}/evaluations/")["results"]
        found: dict[str, Any] = next(one for one in listed if one["id"] == which)
        gone = not any((mentor.home / "runs" / one["run_id"]).exists() for one in found["seeds"])
        return found if found["state"] in ("done", "failed") and gone else None

    return eventually(over, seconds=80, what="the end of the evaluation and the removal of its copies")


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_practice_checkpoint_is_evaluated_with_each_seed_and_the_same_again(mentor: RunningMentor) -> None:
    checkpoint = trained(mentor, "ball", env_args=FAST)
    before = digests(mentor.home / "runs/ball")
    first = evaluated(mentor, "ball", checkpoint["id"], seeds=[1, 2], episodes=30)
    assert first["state"] == "done", first
    assert [one["seed"] for one in first["seeds"]] == [1, 2]
    assert all(one["reward"]["episodes"] >= 30 for one in first["seeds"])
    assert first["reward"]["episodes"] == sum(one["reward"]["episodes"] for one in first["seeds"])
    assert first["reward"]["minimum"] <= first["reward"]["mean"] <= first["reward"]["maximum"]
    assert (first["step"], first["asked_by"]) == (checkpoint["step"], "admin")
    second = evaluated(mentor, "ball", checkpoint["id"], seeds=[1, 2], episodes=30)
    assert second["reward"] == first["reward"]
    kept = digests(mentor.home / "runs/ball")
    assert {name: one for name, one in kept.items() if name != "session.json"} == {
        name: one for name, one in before.items() if name != "session.json"
    }
    assert [one["run_id"] for one in mentor.ask("GET", "sessions/")["results"]] == ["ball"]
    assert mentor.ask("GET", "sessions/?origin=evaluation")["results"] == []


def test_a_supervisor_and_a_worker_that_are_killed_neither_lose_nor_double_an_evaluation(
    mentor: RunningMentor,
) -> None:
    # Slow enough to be met while it acts.
    checkpoint = trained(mentor, "hard", env_args=["--steps-per-second=1000"])
    body = {"seeds": [5, 6], "episodes": 100}
    asked = mentor.ask("POST", f"sessions/hard/checkpoints/{checkpoint['id']}/evaluate/", body)
    acting = asked["seeds"][0]["run_id"]
    eventually(lambda: mentor.session(acting).get("state") == "running", what="the first episodes")
    parts = mentor.parts()
    for name in ("supervise", "worker"):
        parts[name].kill()
    done = outcome(mentor, "hard", checkpoint["id"], asked["id"])
    assert done["state"] == "done", done
    assert all(one["reward"]["episodes"] >= 100 for one in done["seeds"])
    assert len(mentor.ask("GET", f"sessions/hard/checkpoints/{checkpoint['id']}/evaluations/")["results"]) == 1


def test_a_training_that_crashes_while_it_acts_says_why(mentor: RunningMentor) -> None:
    checkpoint = trained(mentor, "crash", env_args=[*FAST, "--crash-at=2000"])
    failed = evaluated(mentor, "crash", checkpoint["id"], seeds=[1], episodes=10_000)
    assert failed["state"] == "failed"
    assert "asked to crash" in failed["reason"]
    assert "of 10,000 episodes were played" in failed["reason"]


@pytest.mark.mlagents
@pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only")
def test_a_checkpoint_of_mlagents_is_evaluated_and_stays_byte_for_byte(mentor: RunningMentor, tmp_path: Path) -> None:
    build = str(make_launcher(tmp_path, Path(sys.executable)))
    checkpoint = trained(mentor, "real", trainer="mlagents", env_path=build, no_graphics=True)
    results = mentor.home / "runs/real/results/real"
    before = digests(results)
    done = evaluated(mentor, "real", checkpoint["id"], seeds=[7], episodes=30)
    assert done["state"] == "done", done
    assert 30 <= done["reward"]["episodes"] < 90
    assert done["reward"]["std"] > 0
    assert done["sha256"] == before[f"Ball/Ball-{checkpoint['step']}.pt"]
    assert digests(results) == before
    model = next(one for one in mentor.ask("GET", "sessions/real/artifacts/")["results"] if one["kind"] == "onnx")
    address = f"sessions/real/artifacts/{model['id']}/model/"
    told = eventually(lambda: ready(mentor.ask("GET", address)), what="a look into the model")
    assert told["constants"]["continuous_action_output_shape"] == [2.0]


def ready(model: dict[str, Any]) -> dict[str, Any] | None:
    return model if model["state"] == "ready" else None
