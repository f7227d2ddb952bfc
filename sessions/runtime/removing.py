"""Deleting and measuring folders: links are never followed, and nothing is lost by being killed on the way."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sessions.runtime.files import retrying


@dataclass
class Removed:
    """How far a deletion came: bytes that are free again, and whether nothing is left."""

    freed_bytes: int = 0
    done: bool = True


def bytes_in(path: Path) -> int:
    """Return the sizes of all files below a folder together; what cannot be read counts nothing."""
    total = 0
    try:
        entries = list(os.scandir(path))
    except OSError:
        return 0
    for entry in entries:
        with suppress(OSError):
            about = entry.stat(follow_symlinks=False)
            total += bytes_in(Path(entry.path)) if _is_folder(about) else about.st_size
    return total


def remove_tree(path: Path, *, deadline: float, clock: Callable[[], float] = time.monotonic) -> Removed:
    """Delete a folder with all in it, as far as that goes until `deadline`; one that is not there is done.

    A link in it is deleted, what it leads to is not. Raises OSError when something cannot be deleted, or when `path`
    is itself a link.
    """
    removed = Removed()
    try:
        about = path.lstat()
    except FileNotFoundError:
        return removed
    if not _is_folder(about):
        raise OSError(f"{path} is no folder of its own, so it is not deleted")
    _empty(path, removed, deadline, clock)
    if removed.done:
        retrying(path.rmdir)
    return removed


def _empty(folder: Path, removed: Removed, deadline: float, clock: Callable[[], float]) -> None:
    for entry in list(os.scandir(folder)):
        if clock() > deadline:
            removed.done = False
            return
        path, about = Path(entry.path), entry.stat(follow_symlinks=False)
        if _is_folder(about):
            _empty(path, removed, deadline, clock)
            if not removed.done:
                return
            retrying(path.rmdir)
        else:
            _remove_file(path, about)
            removed.freed_bytes += about.st_size if about.st_nlink <= 1 else 0


def _remove_file(path: Path, about: os.stat_result) -> None:
    if not about.st_mode & stat.S_IWUSR and not stat.S_ISLNK(about.st_mode):
        with suppress(OSError):
            path.chmod(stat.S_IWUSR | stat.S_IRUSR)  # Windows deletes no file that is read-only
    remove = path.rmdir if _is_junction(about) else path.unlink
    with suppress(FileNotFoundError):
        retrying(remove)


def _is_folder(about: os.stat_result) -> bool:
    return stat.S_ISDIR(about.st_mode) and not _is_junction(about)


def _is_junction(about: os.stat_result) -> bool:
    """Tell whether this is Windows' other kind of link, which looks like a folder."""
    return getattr(about, "st_reparse_tag", 0) == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)
