from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
DEMO = PROJECT / "sessions" / "trainers" / "demo.yaml"

# A test runner that was started in the background ignores interrupts, and hands that down.
WITH_INTERRUPTS = """\
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
target = sys.argv.pop(1)
sys.argv[0] = target
if target.endswith(".py"):
    runpy.run_path(target, run_name="__main__")
else:
    runpy.run_module(target, run_name="__main__", alter_sys=True)
"""

SMALL = """\
behaviors:
  {names}
"""
BEHAVIOR = """\
{name}:
    trainer_type: ppo
    hyperparameters: {{batch_size: 64, buffer_size: 512, learning_rate: 1.0e-3}}
    network_settings: {{hidden_units: 16, num_layers: 1, normalize: true}}
    max_steps: {max_steps}
    summary_freq: 200
    checkpoint_interval: 500
    keep_checkpoints: 3
"""
SUMMARY = re.compile(r"\[INFO\] (.+)\. Step: (\d+)\. Time Elapsed: [\d.]+ s\. Mean Reward: (-?[\d.]+)\. ")


def small_config(folder: Path, *names: str, max_steps: float = 1000) -> Path:
    """Write a configuration that trains in a moment."""
    path = folder / "config.yaml"
    blocks = (BEHAVIOR.format(name=name, max_steps=int(max_steps)) for name in names or ("Ball",))
    path.write_text(SMALL.format(names="  ".join(blocks)), encoding="utf-8")
    return path


def summaries(console: str, behavior: str = "Ball") -> list[tuple[int, float]]:
    """Return step and mean reward of every summary line of `behavior`."""
    return [(int(step), float(mean)) for name, step, mean in SUMMARY.findall(console) if name == behavior]


class Trainer:
    """A trainer's process in a folder of its own, and all that it has printed."""

    def __init__(self, folder: Path, *command: str, **variables: str) -> None:
        self.folder = folder
        self.log = folder / "console.log"
        argv = [sys.executable, "-c", WITH_INTERRUPTS, *command]
        with self.log.open("ab") as output:
            environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1", **variables}
            self.process = subprocess.Popen(
                argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )

    @property
    def console(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def until(self, condition: Callable[[], Any], *, seconds: float = 20.0) -> None:
        """Wait until `condition` holds; fails with the console when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.console[-3000:]
            time.sleep(0.01)

    def says(self, text: str, *, seconds: float = 20.0) -> Trainer:
        self.until(lambda: text in self.console, seconds=seconds)
        return self

    def interrupt(self) -> Trainer:
        self.process.send_signal(signal.SIGINT)
        return self

    def ended(self, *, seconds: float = 30.0) -> int:
        """Return the exit code once the process has ended."""
        return self.process.wait(timeout=seconds)

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Trainer]]:
    started: list[Trainer] = []

    def begin(*command: str, **variables: str) -> Trainer:
        started.append(Trainer(tmp_path, *command, **variables))
        return started[-1]

    yield begin
    for trainer in started:
        trainer.clean_up()


@pytest.fixture
def practice(start: Callable[..., Trainer]) -> Callable[..., Trainer]:
    """Start the practice trainer, at full speed unless `switches` say otherwise."""

    def begin(config: Path, *options: str, switches: tuple[str, ...] = ()) -> Trainer:
        pace = ("--steps-per-second", "0")
        return start("sessions.trainers.practice", str(config), *options, "--env-args", *pace, *switches)

    return begin
