"""What this machine has for trainings, asked of the system itself."""

from __future__ import annotations

import os


def cores() -> int:
    """Return how many cores this machine has for MENTOR."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def memory_of_machine() -> tuple[int | None, int | None]:
    """Return the bytes of memory this machine has, and those that are free."""
    import psutil

    try:
        found = psutil.virtual_memory()
    except (OSError, psutil.Error):
        return None, None
    return int(found.total), int(found.available)
