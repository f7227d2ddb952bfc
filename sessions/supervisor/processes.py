"""What the system says of processes: one map of parents for all attempts, details of their own processes only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import psutil

from sessions.domain.resources import ProcessUse


def parents() -> dict[int, int]:
    """Return the parent of every process, in one pass over the system's table."""
    # What psutil's own children() reads; asking process by process would read the whole table each time on Windows.
    found: dict[int, int] = psutil._ppid_map()  # type: ignore[attr-defined]
    return found


def uses(pids: Iterable[int]) -> tuple[ProcessUse, ...]:
    """Return what these processes take now, without those that are gone or a zombie."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error, OSError):
            found.append(_use(psutil.Process(pid)))
    return tuple(found)


def _use(process: psutil.Process) -> ProcessUse:
    with process.oneshot():
        times = process.cpu_times()
        # RSS: pages that processes share count in each. PSS would not, but costs a hundred times as much to ask for.
        memory = process.memory_info().rss
        return ProcessUse(process.pid, process.create_time(), times.user + times.system, memory)
