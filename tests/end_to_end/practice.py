"""A practice training "ball" that takes a while, and what must be true of it whatever happened to MENTOR."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mentor_site.options import BASE_DIR
from tests.running import RunningMentor, eventually

DEMO = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
# A line often enough to wait for the next one.
CONFIG = DEMO.replace("summary_freq: 1000 ", "summary_freq: 200 ")

# The supervisor may be faster than the answer.
GRANTED = ("queued", "launching", "starting", "running")


def start(mentor: RunningMentor, run_id: str = "ball", *, pace: int = 1000) -> None:
    answer = mentor.ask("POST", "sessions/", body(run_id, pace))
    assert answer.get("state") in GRANTED, answer
    eventually(lambda: mentor.session(run_id)["step"] > 0, what="the first summary")


def body(run_id: str, pace: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "config": CONFIG,
        "trainer": "practice",
        "name": "Kept",
        "env_args": [f"--steps-per-second={pace}"],
    }


def console_of(mentor: RunningMentor) -> Path:
    return mentor.home / "runs/ball/attempts/1/console.log"


def trainer_of(mentor: RunningMentor) -> int:
    return max(process.pid for process in mentor.attempt_processes() if "boot.py" in " ".join(process.cmdline()))


def everything_arrives(mentor: RunningMentor, state: str = "completed") -> None:
    """The training ends well, and MENTOR has every line and every point of it, once."""
    done = mentor.wait_for("ball", "completed", "stopped", "failed", "lost", seconds=120)
    assert done["state"] == state, done["explanation"]
    console = mentor.console("ball")
    assert console.encode() == console_of(mentor).read_bytes()
    series = mentor.ask("GET", "sessions/ball/metrics/?tag=Environment/Cumulative Reward&behavior=Ball")
    steps = series["series"][0]["steps"]
    told = re.findall(r"Ball\. Step: (\d+)\..*", console)
    rewarded = re.findall(r"Ball\. Step: (\d+)\..* Mean Reward", console)
    assert steps == [int(step) for step in rewarded], sorted(set(steps) ^ set(map(int, rewarded)))
    assert int(told[-1]) == 40_000 if state == "completed" else int(told[-1]) <= done["step"]


def goes_on(mentor: RunningMentor) -> None:
    size = console_of(mentor).stat().st_size
    eventually(lambda: console_of(mentor).stat().st_size > size, what="further lines of the trainer")


def stop_mentor(mentor: RunningMentor) -> None:
    assert mentor.process is not None
    mentor.process.terminate()
    mentor.process.wait(40)
