"""Locks that say "I live": the kernel frees them at any death, and no number of a process is needed."""

from __future__ import annotations

import os
from pathlib import Path

from sessions.runtime.system import here

# A POSIX lock is invisible to its own process, and lost as soon as that opens and closes the file once more.
_held_here: dict[str, int] = {}


class FileLock:
    """A lock on a file made for it, to be held for the life of a process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Hold the lock; False when anybody, this process included, holds it already."""
        if _is_held_here(self.path):
            return False
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self.path, flags, 0o600)
        if not here.try_lock(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        _held_here[str(self.path.resolve())] = os.getpid()
        return True

    def release(self) -> None:
        """Give the lock back, if it is held; the file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            _held_here.pop(str(self.path.resolve()), None)


def is_held(path: Path) -> bool:
    """Tell whether any process holds the lock of `path`, without standing in the way of one that wants it."""
    return _is_held_here(path) or here.is_locked(path)


def holder(path: Path) -> int | None:
    """Return the number of the process that holds the lock; None for nobody, and on Windows."""
    if _is_held_here(path):
        return os.getpid()
    return here.lock_holder(path)


def _is_held_here(path: Path) -> bool:
    # A forked child inherits this table, but not the locks.
    return bool(_held_here) and _held_here.get(str(path.resolve())) == os.getpid()
