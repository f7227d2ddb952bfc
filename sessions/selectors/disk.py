"""How much room the disks have that runs are written to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings

from sessions.domain.disk import Room, room_left


def reserve_bytes() -> int:
    """Return how much is kept free: MENTOR_DISK_RESERVE_MB, in units of 2**20 bytes."""
    return int(settings.MENTOR["MENTOR_DISK_RESERVE_MB"]) * 1024 * 1024


def free_bytes(folder: Path) -> int | None:
    """Return what is free where `folder` lies, or will lie when it is made; None when the system does not tell."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def disk_is_short(folder: Path) -> bool:
    """Tell whether less than the reserve is free where `folder` lies."""
    return room_left(free_bytes(folder), reserve_bytes()) is Room.SHORT


def folder_bytes(folder: Path, *, most: int | None = None) -> int:
    """Return the size of the files below a folder, of at most `most` entries; links are not followed.

    What vanishes meanwhile counts as nothing.
    """
    return sum(islice(_sizes(folder), most))


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the size of every entry below a folder; a folder itself has none."""
    waiting = [str(folder)]
    while waiting:
        for entry in _entries(waiting.pop()):
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                size = 0 if is_folder else entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue  # gone since it was listed
            if is_folder:
                waiting.append(entry.path)
            yield size


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
