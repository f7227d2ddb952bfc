"""Checkpoints that outlive what the trainer removes, and trainings that start from a chosen one."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.domain.keeping import smoothed
from sessions.trainers.standin.launcher import make_launcher
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow
needs_a_build = pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only")

ENDED = ("completed", "stopped", "failed", "lost")
CONFIG = """\
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters: {{batch_size: 64, buffer_size: 512}}
    network_settings: {{hidden_units: 16, num_layers: 1}}
    max_steps: {max_steps}
    summary_freq: {summary_freq}
    checkpoint_interval: {interval}
    keep_checkpoints: 2
"""
PRACTICE = CONFIG.format(max_steps=24_000, summary_freq=500, interval=2000)
REAL = CONFIG.format(max_steps=3200, summary_freq=125, interval=375)


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("build"), Path(sys.executable)))


def train(mentor: RunningMentor, run_id: str, **body: Any) -> dict[str, Any]:
    answer = mentor.ask("POST", "sessions/", {"run_id": run_id, **body})
    assert answer.get("run_id") == run_id, answer
    done = mentor.wait_for(run_id, *ENDED, seconds=90)
    assert done["state"] == "completed", done["explanation"]
    return done


def practice(mentor: RunningMentor, run_id: str, **changes: Any) -> dict[str, Any]:
    pace = {"env_args": ["--steps-per-second=5000"]}
    return train(mentor, run_id, **{"config": PRACTICE, "trainer": "practice", **pace, **changes})


def real(mentor: RunningMentor, run_id: str, build: str, **changes: Any) -> dict[str, Any]:
    body = {"config": REAL, "trainer": "mlagents", "env_path": build, "no_graphics": True, "seed": 1}
    return train(mentor, run_id, **{**body, **changes})


def listed(mentor: RunningMentor, run_id: str) -> list[dict[str, Any]]:
    found = mentor.ask("GET", f"sessions/{run_id}/checkpoints/")["results"]
    assert isinstance(found, list)
    return found


def exported(mentor: RunningMentor, run_id: str) -> set[int]:
    return {int(step) for step in re.findall(r"Exported .*Ball-(\d+)\.onnx", mentor.console(run_id))}


def the_best_are_kept(mentor: RunningMentor, run_id: str, count: int = 3) -> list[int]:
    """The files of the best checkpoints are there with the digests that are listed; returns their steps, best first."""
    tag = "Environment/Cumulative Reward"
    series = mentor.ask("GET", f"sessions/{run_id}/metrics/?tag={tag}&behavior=Ball")["series"][0]
    scores = {step: smoothed(series["steps"], series["values"], step) for step in exported(mentor, run_id)}
    assert len(scores) >= 8  # of which the trainer has left two
    best = sorted(scores, key=lambda step: (-(scores[step] or 0.0), -step))[:count]
    kept = sorted((mentor.home / "runs" / run_id / "kept").glob("Ball/attempt-1/Ball-*.pt"))
    assert {int(path.stem.partition("-")[2]) for path in kept} == set(best)
    for place, step in enumerate(best, 1):
        files = [one for one in listed(mentor, run_id) if one["step"] == step and not one["final"]]
        assert {one["kind"] for one in files} == {"pt", "onnx"}
        for one in files:
            assert (one["best"], one["condition"], one["kept"]) == (place, "whole", True)
            assert one["smoothed"] == pytest.approx(scores[step])
            content = mentor.ask("GET", f"sessions/{run_id}/artifacts/{one['id']}/", raw=True)
            assert hashlib.sha256(content).hexdigest() == one["sha256"]
    left = {
        int(path.stem.partition("-")[2]) for path in (mentor.home / "runs").glob(f"{run_id}/results/*/Ball/Ball-*.pt")
    }
    assert set(best) - left, "the trainer removed none of the best, so that nothing was proved"
    return best


def state_at(mentor: RunningMentor, run_id: str, step: int) -> dict[str, Any]:
    return next(one for one in listed(mentor, run_id) if (one["step"], one["kind"]) == (step, "pt"))


def goes_back(mentor: RunningMentor, run_id: str, step: int) -> None:
    """A resume from the checkpoint of this step trains on from there, to the end."""
    chosen = state_at(mentor, run_id, step)
    answer = mentor.ask("POST", f"sessions/{run_id}/checkpoints/{chosen['id']}/resume/")
    assert len(answer["attempts"]) == 2, answer
    done = eventually(lambda: ended_twice(mentor, run_id), seconds=90, what="the second end")
    assert done["state"] == "completed", done["explanation"]
    assert f"Resuming training from step {step}." in mentor.console(run_id)
    seams = mentor.ask("GET", f"sessions/{run_id}/metrics/")["seams"]
    assert seams[0]["attempt"] == 2
    assert step < seams[0]["step"] <= step + 1000  # the next summary
    results = mentor.home / "runs" / run_id / "results" / run_id
    assert (results / "Ball/checkpoint.pt.unused-by-attempt-2").is_file()
    laid_ready = mentor.home / "runs" / run_id / "starts/attempt-2/Ball/checkpoint.pt"
    assert hashlib.sha256(laid_ready.read_bytes()).hexdigest() == chosen["sha256"]


def ended_twice(mentor: RunningMentor, run_id: str) -> dict[str, Any] | None:
    session = mentor.session(run_id)
    states = [session["state"], *(one["state"] for one in session["attempts"])]
    return session if len(states) == 3 and set(states) <= set(ENDED) else None


def begins_with(mentor: RunningMentor, run_id: str, session: dict[str, Any]) -> None:
    """The training began with what was laid ready for it, at step 0."""
    console = mentor.console(run_id)
    assert re.search(r"Initializing from .*starts.attempt-1.Ball.checkpoint\.pt", console), console
    assert "Starting training from step 0" in console
    assert session["state"] == "completed"


def test_the_best_of_the_practice_trainer_outlive_its_own_removal(mentor: RunningMentor) -> None:
    practice(mentor, "practised")
    best = the_best_are_kept(mentor, "practised")
    kept = mentor.home / "runs/practised/kept/Ball/attempt-1" / f"Ball-{best[0]}.pt"
    known = mentor.ask("POST", "outside-checkpoints/", {"path": str(kept), "name": "Best ball"})
    assert known["condition"] == "whole", known
    begins_with(mentor, "begun", practice(mentor, "begun", initialize_from="outside:Best ball"))
    goes_back(mentor, "practised", min(best))


def test_a_released_checkpoint_stays_when_nothing_else_is_kept(mentor: RunningMentor) -> None:
    body = {"config": PRACTICE, "trainer": "practice", "env_args": ["--steps-per-second=2000"]}
    mentor.ask("POST", "sessions/", {"run_id": "released", **body, "rules": {"keep_best": 0}})
    first = eventually(lambda: next(iter(listed(mentor, "released")), None), what="the first checkpoint")
    mentor.ask("POST", f"sessions/released/checkpoints/{first['id']}/release/", {"note": "for the fair"})
    mentor.wait_for("released", *ENDED)
    kept = sorted(one.name for one in (mentor.home / "runs/released/kept").rglob("Ball*"))
    stem = f"Ball-{first['step']}"
    assert [name for name in kept if name != "Ball"] == [f"{stem}.onnx", f"{stem}.pt", f"{stem}.released.json"]
    released = [one["released"] for one in listed(mentor, "released") if one["step"] == first["step"]]
    assert {one["note"] for one in released} == {"for the fair"}


@needs_a_build
@pytest.mark.mlagents
def test_the_best_of_mlagents_outlive_its_own_removal_and_can_be_started_from(
    mentor: RunningMentor, build: str
) -> None:
    real(mentor, "trained", build)
    best = the_best_are_kept(mentor, "trained")
    step = min(best)
    short = {"overrides": {"behaviors.Ball.max_steps": 1000}}
    chosen = state_at(mentor, "trained", step)
    begins_with(mentor, "initial", real(mentor, "initial", build, initialize_from=str(chosen["id"]), **short))
    goes_back(mentor, "trained", step)
