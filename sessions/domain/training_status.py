"""What ML-Agents remembers of a training beside its weights: `training_status.json`.

Behaviors and environment parameters share its top level: those with checkpoints or an ELO are behaviors, those with a
lesson number are parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from sessions.domain.hostile_json import mapping, number, read_object, sequence, text, whole

MOST_ENTRIES = 200
MOST_CHECKPOINTS = 500


@dataclass(frozen=True)
class StatusCheckpoint:
    """A checkpoint as it was written down; `created` in seconds since 1970."""

    step: int | None
    reward: float | None
    created: float | None
    path: str
    final: bool


@dataclass(frozen=True)
class StatusBehavior:
    """What is known of one behavior."""

    name: str
    elo: float | None
    checkpoints: list[StatusCheckpoint]


@dataclass(frozen=True)
class TrainingStatus:
    """A whole training_status.json. `lessons` counts from 0, as ML-Agents does."""

    behaviors: list[StatusBehavior]
    lessons: list[tuple[str, int]]
    versions: list[tuple[str, str]]


def read_status(data: bytes) -> TrainingStatus:
    """Return what a training_status.json says, leaving out what is not as it should be; raises Unreadable."""
    tree = read_object(data)
    entries = [(text(name), mapping(one)) for name, one in islice(tree.items(), MOST_ENTRIES) if name != "metadata"]
    return TrainingStatus(
        behaviors=[
            _behavior(name, one) for name, one in entries if {"checkpoints", "final_checkpoint", "elo"} & set(one)
        ],
        lessons=[(name, number_) for name, one in entries if (number_ := whole(one.get("lesson_num"))) is not None],
        versions=[(text(name), text(value)) for name, value in islice(mapping(tree.get("metadata")).items(), 50)],
    )


def _behavior(name: str, raw: Any) -> StatusBehavior:
    listed = [_checkpoint(mapping(one)) for one in sequence(raw.get("checkpoints"))[:MOST_CHECKPOINTS]]
    final = mapping(raw.get("final_checkpoint"))
    return StatusBehavior(name, number(raw.get("elo")), [*listed, *([_checkpoint(final, final=True)] if final else [])])


def _checkpoint(raw: Any, *, final: bool = False) -> StatusCheckpoint:
    return StatusCheckpoint(
        step=whole(raw.get("steps")),
        reward=number(raw.get("reward")),
        created=number(raw.get("creation_time")),
        path=text(raw.get("file_path")),
        final=final,
    )
