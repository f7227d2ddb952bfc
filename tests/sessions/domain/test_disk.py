"""What the free space of a disk allows."""

from __future__ import annotations

import pytest

from sessions.domain.disk import Room, room_left


@pytest.mark.parametrize(
    ("free", "room"),
    [
        (0, Room.SHORT),
        (99, Room.SHORT),
        (100, Room.LOW),
        (199, Room.LOW),
        (200, Room.ENOUGH),
        (10**15, Room.ENOUGH),
        (None, Room.ENOUGH),
    ],
)
def test_below_the_reserve_is_short_and_below_twice_that_low(free: int | None, room: Room) -> None:
    assert room_left(free, 100) is room
