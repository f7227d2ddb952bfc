"""What the files of somebody else's training say: how far it was to go, what wrote it, how it ended."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sessions.domain.configuration.values import as_float
from sessions.domain.states import State
from sessions.domain.yaml_tree import ConfigError, parse

LONGEST_COMMAND = 8192
LARGEST_STEP = 2**62


def max_steps_of(configuration: bytes) -> dict[str, int]:
    """Return max_steps by behavior, as a configuration.yaml of any version tells it; empty when it tells nothing.

    Other than a configuration that is to be started, one that was used is not refused for what is wrong in it.
    """
    told = {name: as_float(settings.get("max_steps")) for name, settings in _behaviors_in(configuration)}
    return {name: int(steps) for name, steps in told.items() if steps is not None and 0 < steps < LARGEST_STEP}


def trainer_types_of(configuration: bytes) -> dict[str, str]:
    """Return trainer_type by behavior, as `max_steps_of` does; at most 50 characters of it."""
    told = {name: settings.get("trainer_type") for name, settings in _behaviors_in(configuration)}
    return {name: kind[:50] for name, kind in told.items() if isinstance(kind, str)}


def _behaviors_in(configuration: bytes) -> list[tuple[str, Mapping[Any, Any]]]:
    try:
        tree = parse(configuration).tree if configuration else None
    except ConfigError:
        return []
    behaviors = tree.get("behaviors") if isinstance(tree, Mapping) else None
    given = behaviors.items() if isinstance(behaviors, Mapping) else ()
    return [(str(name), settings) for name, settings in given if isinstance(settings, Mapping)]


@dataclass(frozen=True)
class TimerFacts:
    """What timers.json tells beside the timers: the version of ML-Agents, and the command line."""

    version: str = ""
    command: tuple[str, ...] = ()


def read_timers(data: bytes) -> TimerFacts:
    """Return what a timers.json tells; nothing when it is none."""
    try:
        metadata = json.loads(data)["metadata"]
        version, command = metadata.get("mlagents_version"), metadata.get("command_line_arguments")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return TimerFacts()
    words = _words(command) if isinstance(command, str) else ()
    return TimerFacts(version[:50] if isinstance(version, str) else "", words)


def _words(command: str) -> tuple[str, ...]:
    command = command[:LONGEST_COMMAND].replace("\0", "")
    try:
        # A path of Windows has backslashes that are no escapes.
        return tuple(shlex.split(command, posix="\\" not in command))
    except ValueError:
        return tuple(command.split())


@dataclass(frozen=True)
class Traces:
    """What can be seen of a training that somebody else started.

    `fresh` says that it wrote something a moment ago, `ended_well` that ML-Agents left what it writes at its end,
    `tells_its_end` that it would have; `there` whether its folder can be seen at all. Steps are by behavior.
    """

    fresh: bool
    ended_well: bool
    tells_its_end: bool
    steps: Mapping[str, int]
    max_steps: Mapping[str, int]
    there: bool = True


def judge(traces: Traces) -> tuple[State, str]:
    """Return the state of such a training, and a sentence that says no more than is known."""
    whole = bool(traces.max_steps) and all(
        traces.steps.get(name, 0) >= goal for name, goal in traces.max_steps.items() if name in traces.steps
    )
    reached = whole and bool(set(traces.steps) & set(traces.max_steps))
    where = _standing(traces)
    if reached and (traces.ended_well or not traces.fresh):
        return State.COMPLETED, "Every behavior reached its max_steps."
    if traces.ended_well:
        return State.STOPPED, f"It saved and ended{where}."
    if traces.fresh:
        return State.RUNNING, "Trains, and was not started by MENTOR: it is only watched."
    if not traces.there:
        return State.LOST, f"Its folder is not there any more; it was last seen{where or ' without a step'}."
    if traces.tells_its_end:
        return State.LOST, f"It has fallen silent{where}, and left nothing of what ML-Agents writes at its end."
    return State.STOPPED, f"Nothing was written to it for a while{where}. Its files do not say how it ended."


def _standing(traces: Traces) -> str:
    told = [
        f"{name} at {step:,}" + (f" of {traces.max_steps[name]:,}" if name in traces.max_steps else "")
        for name, step in sorted(traces.steps.items())[:3]
    ]
    more = f" and {len(traces.steps) - 3} more" if len(traces.steps) > 3 else ""
    return f" ({', '.join(told)}{more})" if told else ""
