"""What is started and what is asked of it: drawn from the seed."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessions.trainers.standin.launcher import make_launcher

CONFIG = """\
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters: {{batch_size: 64, buffer_size: 512}}
    network_settings: {{hidden_units: 16, num_layers: 1}}
    summary_freq: 200
    checkpoint_interval: 500
    max_steps: {max_steps}
"""
# Ways to go wrong, each with its switches; a step stands for one before max_steps.
MISBEHAVING: tuple[tuple[str, ...], ...] = (
    ("--crash-at", "STEP"),
    ("--crash-at", "STEP", "--crash-how", "environment"),
    ("--crash-at", "STEP", "--crash-how", "exit"),
    ("--crash-at", "STEP", "--crash-how", "signal", "--crash-code", "11"),
    ("--hang-at", "STEP"),
    ("--exit-at", "STEP"),
    ("--flood", "3000"),
    ("--ignore-interrupt",),
    ("--wait", "2"),
)
UNITY_MISBEHAVING: tuple[tuple[str, ...], ...] = (("--crash-after", "15"), ("--hang-after", "15"), ("--delay", "20"))


@dataclass
class Plan:
    """A session to start, and what is asked of it at which second of its life."""

    body: dict[str, Any]
    wishes: list[tuple[float, str]] = field(default_factory=list)
    # How many more attempts it is given once it has ended before its time.
    resumes: int = 0

    @property
    def run_id(self) -> str:
        return str(self.body["run_id"])


class Planner:
    """Makes plans for one kind of trainer."""

    def __init__(self, trainer: str, chance: random.Random, folder: Path) -> None:
        self.trainer, self.chance = trainer, chance
        self.number = 0
        build = make_launcher(folder / "a build", Path(sys.executable)) if trainer == "mlagents" else None
        self.build = str(build) if build else None

    def plan(self) -> Plan:
        """Return the next session."""
        self.number += 1
        body = {"run_id": f"chaos-{self.number}", "trainer": self.trainer, "seed": self.number}
        body |= self._practice() if self.trainer == "practice" else self._mlagents()
        return Plan(body, self.wishes(), self.chance.choice([0, 0, 1, 1, 2]))

    def _practice(self) -> dict[str, Any]:
        max_steps = self.chance.randrange(600, 4001, 100)
        switches = ["--steps-per-second", str(self.chance.choice([300, 800, 1500, 4000, 0]))]
        if self.chance.random() < 0.35:
            step = str(self.chance.randrange(100, max_steps))
            switches += [step if word == "STEP" else word for word in self.chance.choice(MISBEHAVING)]
        return {"config": CONFIG.format(max_steps=max_steps), "env_args": switches}

    def _mlagents(self) -> dict[str, Any]:
        config = CONFIG.format(max_steps=self.chance.randrange(400, 1601, 200))
        switches = list(self.chance.choice(UNITY_MISBEHAVING)) if self.chance.random() < 0.3 else []
        return {
            "config": config,
            "env_path": self.build,
            "no_graphics": True,
            "timeout_wait": 10,
            "num_envs": self.chance.choice([1, 1, 2]),
            "env_args": switches,
        }

    def wishes(self) -> list[tuple[float, str]]:
        """Return what is asked of an attempt: mostly nothing, else an end, at any stage and in any disorder."""
        at = self.chance.uniform(0, 6 if self.trainer == "practice" else 25)
        soon = at + self.chance.uniform(0, 0.5)
        return self.chance.choice(
            [
                [],
                [],
                [],
                [(at, "stop")],
                [(at, "stop"), (at, "stop"), (soon, "stop")],
                [(at, "stop"), (soon, "kill")],
                [(at, "kill")],
                [(at, "pause")],
                [(at, "pause"), (soon, "stop")],
            ]
        )
