"""A training that somebody starts in a terminal, seen by a MENTOR that was told of its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mentor_site.options import BASE_DIR
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow
CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
STEPS_PER_SECOND = 4000


def train_by_hand(place: Path, run_id: str) -> subprocess.Popen[bytes]:
    """Start the practice trainer as a person would: nothing of MENTOR's is beside it."""
    config = place / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "sessions.trainers.practice", str(config), f"--run-id={run_id}"),
            *(f"--results-dir={place / 'results'}", "--env-args", f"--steps-per-second={STEPS_PER_SECOND}"),
        ],
        cwd=BASE_DIR,
        env={**os.environ, "PYTHONPATH": str(BASE_DIR)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def rewards(mentor: RunningMentor, run_id: str) -> list[int]:
    answer = mentor.ask("GET", f"sessions/{run_id}/metrics/?tag=Environment/Cumulative Reward")
    return [step for series in answer["series"] for step in series["steps"]]


def test_a_training_by_hand_is_found_followed_and_seen_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with running_mentor(tmp_path / "var") as mentor:
        assert mentor.ask("POST", "imports/", {"folder": str(tmp_path / "results")})["folder"]
        with train_by_hand(tmp_path, "by-hand") as trainer:
            try:
                found = eventually(
                    lambda: mentor.ask("GET", "sessions/?text=by-hand")["results"] or None,
                    seconds=60,
                    what="the training",
                )
                assert (found[0]["state"], found[0]["origin"]) == ("running", "imported")
                eventually(lambda: len(rewards(mentor, "by-hand")) > 5, what="points while it trains")
                assert mentor.ask("GET", "sessions/by-hand/")["state"] == "running"
                trainer.wait(90)
            finally:
                trainer.kill()
        done = mentor.wait_for("by-hand", "completed", "stopped", "lost")
        assert (done["state"], done["explanation"]) == ("completed", "Every behavior reached its max_steps.")
        assert rewards(mentor, "by-hand") == [1000 * number for number in range(1, 41)]
        assert mentor.ask("GET", "sessions/by-hand/checkpoints/")["results"]
