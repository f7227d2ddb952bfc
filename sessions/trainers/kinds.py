"""The kinds of trainers MENTOR can run, behind one description each.

All of them take mlagents-learn's command line and write its console, results tree and event files, so that one way
of launching, reading and stopping serves them all; the table says in what they differ.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT_DIR = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Kind:
    """How a kind of trainer is run and what it can do."""

    kind: str
    title: str
    module: str
    # Whether a session with these options, and without a build, waits for Play in the Unity Editor.
    waits_for_play: Callable[[Mapping[str, Any]], bool]
    variables: dict[str, str] = field(default_factory=dict)
    # Whether it can act without learning (--inference), which evaluating a checkpoint needs.
    inference: bool = True


KINDS: dict[str, Kind] = {
    "mlagents": Kind(
        kind="mlagents",
        title="ML-Agents",
        module="mlagents.trainers.learn",
        waits_for_play=lambda options: True,
        variables={
            # A checkpoint is code: refuse pickles when resuming.
            "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
            # Intel's Fortran runtime would otherwise abort on Ctrl-C without saving.
            "FOR_DISABLE_CONSOLE_CTRL_HANDLER": "1",
        },
    ),
    "practice": Kind(
        kind="practice",
        title="Practice trainer",
        module="sessions.trainers.practice.__main__",  # imported whole before it trains
        waits_for_play=lambda options: any(word.split("=")[0] == "--wait" for word in options.get("env_args", ())),
        variables={"PYTHONPATH": str(PROJECT_DIR)},
    ),
    # Stands for whatever trained a session that was not started here; there is nothing to run.
    "imported": Kind(kind="imported", title="Trained elsewhere", module="", waits_for_play=lambda options: False),
}

PRACTICE_INTERPRETER = sys.executable
