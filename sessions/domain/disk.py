"""How much room is left on a disk, judged by the reserve that is kept free."""

from __future__ import annotations

from enum import Enum


class Room(str, Enum):
    """What the free space of a disk allows; the values are the words of the API."""

    ENOUGH = "enough"
    LOW = "low"
    SHORT = "short"


def room_left(free: int | None, reserve: int) -> Room:
    """Judge the free bytes of a disk: short below the reserve, low below twice that; what is unknown is enough."""
    if free is None or free >= 2 * reserve:
        return Room.ENOUGH
    return Room.LOW if free >= reserve else Room.SHORT
