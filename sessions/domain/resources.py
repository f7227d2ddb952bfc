"""What a training takes of its machine: the tree of its processes, and what two looks at it say together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# The behavior of series that are the whole attempt's; no trained policy has an empty name.
OF_THE_ATTEMPT = ""
CPU = "Resources/CPU"  # percent of one core
TRAINER_CPU = "Resources/Trainer CPU"  # the same of the trainer's own process alone
MEMORY = "Resources/Memory"  # bytes of RSS
PROCESSES = "Resources/Processes"  # how many
GPU = "Resources/GPU"  # percent of one GPU
GPU_MEMORY = "Resources/GPU memory"  # bytes
DISK = "Resources/Disk"  # bytes of results and console
TAGS = (CPU, TRAINER_CPU, MEMORY, GPU, GPU_MEMORY, DISK, PROCESSES)

SAMPLE_SECONDS = 5.0
LONGEST_SECONDS = 60.0
POINTS_PER_AGE = 720


def seconds_between(age: float) -> float:
    """Return how long after a sample the next one is due in a training of this age, both in seconds.

    5 s in the first hour, then a 720th of the age, a minute from 12 hours on: 2,500 points after 12 hours, and
    1,440 more every day.
    """
    return min(LONGEST_SECONDS, max(SAMPLE_SECONDS, age / POINTS_PER_AGE))


@dataclass(frozen=True)
class ProcessUse:
    """One process at one moment: its CPU time so far in seconds, its resident memory in bytes.

    A number alone is given away again; with the time of its start it is not.
    """

    pid: int
    started: float
    cpu_seconds: float
    memory: int


@dataclass(frozen=True)
class Look:
    """The processes of one attempt at one moment of a monotonic clock, in seconds."""

    at: float
    processes: tuple[ProcessUse, ...]


def children_by_parent(parents: Mapping[int, int]) -> dict[int, list[int]]:
    """Turn the parent of each process into the children of each."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    return children


def descendants(children: Mapping[int, list[int]], roots: Iterable[int]) -> set[int]:
    """Return the roots and all that descend from them; a circle, which reused numbers can feign, ends it."""
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return found


def cpu_percent(before: Look, now: Look) -> float | None:
    """Return the CPU time between two looks in percent of one core; None when no time has passed.

    A process that ended in between takes its time with it, and one that was born counts from its birth, so the
    result is never negative.
    """
    passed = now.at - before.at
    if passed <= 0:
        return None
    spent = {(one.pid, one.started): one.cpu_seconds for one in before.processes}
    used = sum(max(0.0, one.cpu_seconds - spent.get((one.pid, one.started), 0.0)) for one in now.processes)
    return 100.0 * used / passed


def readings(before: Look | None, now: Look, *, trainer: int | None = None) -> dict[str, float]:
    """Return what a look at the processes says, by tag; without an earlier look there is no CPU yet.

    `trainer` is the process that learns, by its number: beside it are the environments and what speaks with them.
    """
    values = {MEMORY: float(sum(one.memory for one in now.processes)), PROCESSES: float(len(now.processes))}
    if before is None:
        return values
    parts = {CPU: cpu_percent(before, now), TRAINER_CPU: cpu_percent(before, _alone(now, trainer))}
    if not _alone(now, trainer).processes:
        del parts[TRAINER_CPU]
    return {**{tag: percent for tag, percent in parts.items() if percent is not None}, **values}


def _alone(look: Look, pid: int | None) -> Look:
    return Look(look.at, tuple(one for one in look.processes if one.pid == pid))
