"""What Linux and macOS know about processes: when they started, whose they are, what they were given."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from sessions.runtime.exhaustion import raise_if_exhausted

PROC = Path("/proc")
MACOS_ZOMBIE = 5


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return a name for the time since this machine was started; empty when the system does not tell."""
    try:
        if sys.platform == "darwin":
            return _macos_boot_id()
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _macos_boot_id() -> str:
    import ctypes

    text = ctypes.create_string_buffer(64)
    size = ctypes.c_size_t(64)
    ctypes.CDLL(None).sysctlbyname(b"kern.bootsessionuuid", text, ctypes.byref(size), None, 0)
    return text.value.decode("ascii")


def started_at(pid: int) -> int | None:
    """Return when `pid` started (clock ticks since boot on Linux, µs on macOS); None for the dead."""
    if sys.platform == "darwin":
        return _macos_started_at(pid)
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def _stat(pid: int) -> list[str]:
    """Return /proc/<pid>/stat from its third field (the state) on; empty when there is no such process."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise_if_exhausted(error)
        return []
    return text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets


def _macos_started_at(pid: int) -> int | None:
    import ctypes

    about = (ctypes.c_uint64 * 17)()  # struct proc_bsdinfo: 136 bytes, its start time in the last 16
    filled = ctypes.CDLL(None).proc_pidinfo(pid, 3, ctypes.c_uint64(0), about, 136)
    status = ctypes.cast(about, ctypes.POINTER(ctypes.c_uint32))[1]
    if filled < 136 or status == MACOS_ZOMBIE:
        return None
    return int(about[15] * 1_000_000 + about[16])


def children_of(parent: int) -> list[int]:
    """Return the living children of `parent`; empty where the system has no /proc."""
    return [pid for pid in _pids() if (fields := _stat(pid)) and fields[0] not in "ZX" and int(fields[1]) == parent]


def _pids() -> list[int]:
    try:
        return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    except OSError as error:
        raise_if_exhausted(error)
        return []


def pids_with(entry: str) -> list[int]:
    """Return the processes that were started with `entry` ("NAME=value"), except this one."""
    if sys.platform == "linux":
        found = [pid for pid in _pids() if was_given(pid, entry)]
    else:
        found = _pids_with_by_psutil(entry)
    return [pid for pid in found if pid != os.getpid()]


def was_given(pid: int, entry: str) -> bool:
    """Tell whether `pid` was started with `entry` in its environment."""
    if sys.platform != "linux":
        return pid in _pids_with_by_psutil(entry)
    try:
        return entry.encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError as error:
        raise_if_exhausted(error)
        return False


def _pids_with_by_psutil(entry: str) -> list[int]:
    try:
        import psutil
    except ImportError:
        return _pids_with_by_ps(entry)
    name, _, value = entry.partition("=")
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def _pids_with_by_ps(entry: str) -> list[int]:
    listing = subprocess.run(
        ["/bin/ps", "-A", "-E", "-ww", "-o", "pid=,command="], capture_output=True, check=False, timeout=10
    )
    lines = listing.stdout.decode(errors="replace").splitlines()
    return [int(line.split()[0]) for line in lines if entry in line.split()[1:]]
