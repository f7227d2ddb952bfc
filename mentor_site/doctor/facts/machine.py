"""Facts about the machine; what they mean is in `checks.machine`."""

from __future__ import annotations

import os
import platform
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings

from mentor_site.doctor.checks.machine import Machine
from mentor_site.doctor.known import Known

LIMIT = Path("/sys/fs/cgroup/memory.max")


def machine() -> Machine:
    """Return what this machine is."""
    memory = psutil.virtual_memory()
    return Machine(
        system=f"{platform.system()} {platform.release()} ({platform.machine()})",
        python=sys.version_info[:3],
        bits=struct.calcsize("P") * 8,
        processors=os.cpu_count() or 1,
        memory=memory.total,
        available=memory.available,
        memory_limit=_memory_limit(),
        descriptors=_descriptors(),
    )


def _memory_limit() -> int | None:
    with suppress(OSError, ValueError):
        return int(LIMIT.read_text(encoding="ascii"))
    return None


def _descriptors() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def seconds_in_the_future(known: Known) -> float:
    """Return how far the latest time that MENTOR wrote lies ahead of the clock; 0 when it does not."""
    ahead = [-known.seen_seconds] if known.seen_seconds is not None else []
    with suppress(OSError):
        ahead.append((Path(settings.MENTOR_HOME) / "supervisor.lock").stat().st_mtime - time.time())
    return max(0.0, *ahead, 0.0)


def variable_names() -> frozenset[str]:
    """Return the names of the environment variables that are not empty."""
    return frozenset(name for name, value in os.environ.items() if value)


def platform_name() -> str:
    """Return the system's name as Python has it, such as linux or win32."""
    return sys.platform
