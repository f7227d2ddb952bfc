"""Where the records of much of an event file are, with numpy: stretches that repeat, and single records between them.

A trainer writes the same tags at every summary, so that the lengths of records repeat. Once they have done so for a
while, the file is looked at as a matrix with a summary in each row, and all rows at once are compared with the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sessions.metrics.layouts import Layouts, Slot
from sessions.metrics.records import FRAME_BYTES, HEADER, Lengths

MOST_PERIOD = 64
# So many records in a row must repeat before a stretch is looked for, and so many rows make one.
LEAST_REPEATED, LEAST_ROWS = 24, 8
# Where nothing repeats, the looks become rarer, up to one in so many records.
MOST_PATIENCE = 4096
FIRST_ROWS = 64
LAYOUTS = Layouts()


class Stretch(NamedTuple):
    """Rows of records that repeat, as a matrix of bytes, and where it begins in the data."""

    start: int
    rows: np.ndarray
    slots: list[Slot]
    # Where the row has records that are no scalars.
    others: list[int]

    @property
    def width(self) -> int:
        """How many bytes a row has."""
        return int(self.rows.shape[1])

    @property
    def end(self) -> int:
        """Where the data go on behind it."""
        return self.start + self.width * len(self.rows)

    def places(self, offset: int) -> np.ndarray:
        """Return where the records at an offset in the rows are in the data."""
        first = self.start + offset
        return np.arange(first, first + self.width * len(self.rows), self.width)


@dataclass
class Frames:
    """All whole records: stretches, and the places of the others; the first that is not whole begins at `end`."""

    stretches: list[Stretch] = field(default_factory=list)
    singles: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    end: int = 0


def frames_of(data: bytes) -> Frames:
    """Return where the records of `data` are, whose first byte begins one."""
    found, lengths = Frames(), Lengths()
    most, known = len(data) - FRAME_BYTES, lengths.known
    # The first record is the version's, and repeats nothing.
    position, since, patience = 0, 0, LEAST_REPEATED + 1
    while position <= most:
        length = known.get(data[position : position + HEADER.size])
        if length is None:
            length = lengths.of(data, position)
        if length is None or length > most - position:
            break
        found.singles.append(position)
        found.sizes.append(length)
        position += FRAME_BYTES + length
        if len(found.sizes) - since >= patience:
            stretch = _stretch(data, found, since)
            if stretch is None:
                patience = min(patience + patience // 4, MOST_PATIENCE)
            else:
                found.stretches.append(stretch)
                position, patience = stretch.end, LEAST_REPEATED
            if stretch is not None or patience == MOST_PATIENCE:
                since = len(found.sizes)
    found.end = position
    return found


def _stretch(data: bytes, found: Frames, since: int) -> Stretch | None:
    """Take the records that repeat at the end of those found, and all that repeat them, out of the singles."""
    tail = found.sizes[since:]
    period = _period(tail)
    if period is None:
        return None
    rows = 1
    while tail[-(rows + 1) * period : -rows * period] == tail[-period:]:
        rows += 1
    start, sizes = found.singles[-rows * period], tail[-period:]
    stretch = _from(data, start, sizes, max(rows, LEAST_ROWS))
    if stretch is not None:
        del found.singles[-rows * period :], found.sizes[-rows * period :]
    return stretch


def _period(sizes: list[int]) -> int | None:
    """After how many records the lengths repeat, at the end of the list."""
    for period in range(1, min(MOST_PERIOD, len(sizes) // 2) + 1):
        if sizes[-1] == sizes[-1 - period]:
            tail = sizes[-max(2 * period, LEAST_REPEATED) :]
            if tail[period:] == tail[:-period]:
                return period
    return None


def _from(data: bytes, start: int, sizes: list[int], least: int) -> Stretch | None:
    width = sum(sizes) + FRAME_BYTES * len(sizes)
    rows: np.ndarray = np.ndarray(((len(data) - start) // width, width), np.uint8, data, start, (width, 1))
    offsets = np.cumsum([0, *(FRAME_BYTES + size for size in sizes[:-1])]).tolist()
    same = np.zeros(width, np.uint8)
    for offset in offsets:
        same[offset : offset + HEADER.size] = 0xFF
    if len(rows) < least or alike(rows[:FIRST_ROWS], same) < least:
        return None
    layouts = [(at, LAYOUTS.of(data, start + at, size)) for at, size in zip(offsets, sizes, strict=True)]
    slots = [Slot(at, layout) for at, layout in layouts if layout is not None]
    for slot in slots:
        same[slot.offset : slot.offset + len(slot.layout.same)] = slot.layout.same
    count = alike(rows, same)
    return (
        Stretch(start, rows[:count], slots, [at for at, layout in layouts if layout is None])
        if count >= least
        else None
    )


def alike(rows: np.ndarray, same: np.ndarray) -> int:
    """Return how many rows, from the first on, have the bits of the first where `same` has ones."""
    checked, chunk = 0, FIRST_ROWS
    while checked < len(rows):
        # In growing chunks: what is looked at in vain stays in proportion to what is found.
        differences = rows[checked : checked + chunk] ^ rows[0]
        if (np.bitwise_or.reduce(differences, axis=0) & same).any():
            return checked + int((differences & same).any(axis=1).argmax())
        checked, chunk = checked + chunk, 4 * chunk
    return len(rows)
