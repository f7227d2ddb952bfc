"""How much room the disks have that runs are written to."""

from __future__ import annotations

import shutil
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
