"""A second name for a file that somebody else may remove, or a copy of it where there can be no second name."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from sessions.runtime.files import NEW_FILE, retrying
from sessions.runtime.system import here

SLICE_BYTES = 4 << 20


def same_content(one: os.stat_result, other: os.stat_result) -> bool:
    """Tell whether two files have the same size and time of change, as a copy has."""
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def link(source: Path, target: Path) -> bool:
    """Give `source` the second name `target`, replacing what is there; False where the file system has no such thing.

    Raises FileNotFoundError when `source` is gone.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft_of(target)
    try:
        os.link(source, draft)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, no links there, or too many of this file
        return False
    try:
        retrying(lambda: draft.replace(target))
    finally:
        with suppress(OSError):  # to rename a name to another of the same file does nothing
            draft.unlink()
    return True


def part(path: Path) -> bool:
    """Make `path` a file of its own when it shares its content with other names; return whether it did.

    What is written to it then changes no other. The time of change stays.
    """
    if path.stat().st_nlink < 2:
        return False
    Copying(path, path).finish()
    return True


def forget_drafts(folder: Path, *, older_than_seconds: float = 3600.0) -> None:
    """Remove what copies that were killed left below a folder."""
    for path in folder.rglob(".*.part"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > older_than_seconds:
                path.unlink()


class Copying:
    """A copy that is made in slices; `target` is there whole at the end, or not at all."""

    def __init__(self, source: Path, target: Path) -> None:
        """Raises OSError when either cannot be opened; the source may be removed from then on."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._target = target
        self._source = source
        self._reading = source.open("rb")
        self._before = os.fstat(self._reading.fileno())
        self._draft = _draft_of(target)
        try:
            self._writing = os.fdopen(os.open(self._draft, NEW_FILE, 0o600), "wb")
        except OSError:
            self._reading.close()
            raise

    def go_on(self, deadline: float) -> bool:
        """Copy until it is done, then return True, or until `deadline`, a monotonic time.

        A source that was written to meanwhile is copied once more from its beginning. Raises OSError; `abandon` then.
        """
        while block := self._reading.read(SLICE_BYTES):
            self._writing.write(block)
            if time.monotonic() > deadline:
                return False
        if not same_content(self._before, os.fstat(self._reading.fileno())):
            self._begin_again()
            return False
        self._publish()
        return True

    def finish(self) -> None:
        """Copy to the end."""
        try:
            while not self.go_on(float("inf")):
                pass
        except OSError:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Give the copy up, leaving nothing."""
        self._reading.close()
        with suppress(OSError):
            self._writing.close()
        with suppress(OSError):
            self._draft.unlink()

    def _begin_again(self) -> None:
        self._before = os.fstat(self._reading.fileno())
        self._reading.seek(0)
        self._writing.seek(0)
        self._writing.truncate()

    def _publish(self) -> None:
        self._writing.flush()
        os.fsync(self._writing.fileno())
        self._writing.close()
        self._reading.close()
        os.utime(self._draft, ns=(self._before.st_atime_ns, self._before.st_mtime_ns))
        with suppress(OSError):
            shutil.copymode(self._source, self._draft)
        retrying(lambda: self._draft.replace(self._target))
        here.sync_folder(self._target.parent)


def _draft_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
