"""Reading much of an event file at once, with numpy; the result is that of reading it record by record.

Records of one tag differ in wall time, step and value alone. Those of a stretch that repeats are read as columns; those
between are sorted by length and compared with one of them. What is left is decoded singly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from sessions.metrics.checksums import LEAST, REACH, checksums, masked, windows
from sessions.metrics.codec import Points
from sessions.metrics.collecting import MOST_TAGS, Collector, Taken
from sessions.metrics.frames import LAYOUTS, frames_of
from sessions.metrics.layouts import Layout, columns_of
from sessions.metrics.records import FOOTER_BYTES, FRAME_BYTES, HEADER, sound
from sessions.metrics.restarts import Cuts, Order

# So many records of one length are worth a comparison; at most so many are made, and so many in vain.
LEAST_ALIKE, MOST_LAYOUTS, MOST_VAIN = 16, 64, 8
# From so many bytes on checksums are computed together.
MANY_BYTES, RECORDS_AT_ONCE = 16 * 1024, 1024
LARGEST = np.iinfo(np.int64).max


class Piece(NamedTuple):
    """Points of one tag, and the places of their records."""

    places: np.ndarray
    steps: np.ndarray
    wall_times: np.ndarray
    values: np.ndarray

    def of(self, which: np.ndarray) -> Piece:
        """Return some of the points, by indices or by a mask."""
        return Piece(*(column[which] for column in self))

    def kept(self, tag: str, cuts: Cuts) -> Piece:
        """Return those that no later restart drops; as `Cuts.keep`."""
        if not cuts:
            return self
        restarts, smallest = cuts.of(tag)
        later = np.searchsorted(np.array(restarts, np.int64), self.places, side="right")
        below = np.array([*smallest, LARGEST], np.int64)[later]
        return self.of((later == len(restarts)) | (self.steps < below))

    def points(self) -> Points:
        """Return the points without their places."""
        columns: list[Any] = [self.steps, self.wall_times, self.values]
        return Points(*columns)


class Pieces:
    """Points by tag, in whatever order they are found; records that are not sound are counted."""

    def __init__(self) -> None:
        self.by_tag: dict[str, list[Piece]] = {}
        self.skipped = 0

    def add(self, places: np.ndarray, rows: np.ndarray, layout: Layout) -> None:
        """Add records of one layout."""
        *columns, fine = columns_of(rows, layout)
        piece = Piece(places, *columns)
        if not fine.all():
            self.skipped += int(len(fine) - fine.sum())
            piece = piece.of(fine)
        self.by_tag.setdefault(layout.tag, []).append(piece)

    def add_single(self, collector: Collector) -> None:
        """Add what was decoded singly."""
        for tag, column in collector.columns.items():
            piece = Piece(*map(np.array, (column.places, column.steps, column.wall_times, column.values)))
            self.by_tag.setdefault(tag, []).append(piece)
        self.skipped += collector.skipped

    def points(self, cuts: Cuts) -> dict[str, Points]:
        """Return the points that no restart dropped; the tags in the order in which they first came."""
        whole = {tag: _joined(parts) for tag, parts in self.by_tag.items() if any(len(part.places) for part in parts)}
        kept = {tag: whole[tag].kept(tag, cuts) for tag in sorted(whole, key=lambda tag: int(whole[tag].places[0]))}
        return {tag: piece.points() for tag, piece in kept.items() if len(piece.places)}


def take_at_once(data: bytes, order: Order, *, last: bool) -> Taken | None:
    """Return what the whole records of `data` say, as `collecting.take_singly` does.

    None when that has to be asked: for steps that begin again in a file of before version 2, for more tags than a
    batch may hold, and for a last record that is not filled yet.
    """
    frames = frames_of(data)
    if last and frames.end == len(data) and not any(data[-FOOTER_BYTES:]):
        return None
    pieces, singles = Pieces(), list(frames.singles)
    for stretch in frames.stretches:
        for slot in stretch.slots:
            if slot.layout is None:
                singles += stretch.places(slot).tolist()
            else:
                pieces.add(stretch.places(slot), stretch.rows[:, slot.offset :], slot.layout)
    collector = Collector(order)
    steps = _singly(data, _unlike(data, np.array(sorted(singles), np.int64), pieces), collector)
    if steps is None or len(pieces.by_tag) + len(collector.columns) > MOST_TAGS:
        return None
    after = collector.order if collector.order.modern else _in_order(pieces, steps, collector.order, order.last_step)
    if after is None:
        return None
    pieces.add_single(collector)
    return Taken(
        pieces.points(collector.cuts),
        collector.histograms(),
        collector.texts(),
        collector.cuts.lowest(),
        after,
        pieces.skipped,
        frames.end,
    )


def _unlike(data: bytes, places: np.ndarray, pieces: Pieces) -> np.ndarray:
    """Take out of the records those of which many are alike, and return the places of the others."""
    if len(places) < LEAST_ALIKE:
        return places
    sizes = windows(data, 8)[places].view("<i8")[:, 0]
    by_size = np.argsort(sizes, kind="stable")
    bounds = np.flatnonzero(np.diff(sizes[by_size])) + 1
    rest = [_unlike_of_size(data, places[group], int(sizes[group[0]]), pieces) for group in np.split(by_size, bounds)]
    return np.sort(np.concatenate(rest))


def _unlike_of_size(data: bytes, places: np.ndarray, size: int, pieces: Pieces) -> np.ndarray:
    if len(places) < LEAST_ALIKE or size > REACH:
        return places
    rows = windows(data, FRAME_BYTES + size)[places]
    rest, vain = [places[:0]], 0
    for _ in range(MOST_LAYOUTS):
        layout = LAYOUTS.of(data, int(places[0]), size)
        same = np.zeros(len(places), bool) if layout is None else ~((rows ^ rows[0]) & layout.same).any(axis=1)
        if layout is not None and same.sum() >= LEAST_ALIKE:
            pieces.add(places[same], rows[same], layout)
        else:
            same[0] = True
            rest.append(places[same])
            vain += 1
        places, rows = places[~same], rows[~same]
        if len(places) < LEAST_ALIKE or vain == MOST_VAIN:
            break
    return np.concatenate([*rest, places])


def _singly(data: bytes, places: np.ndarray, collector: Collector) -> list[tuple[int, int]] | None:
    """Take records one by one; return the place and the step of each event that came in a file of before version 2.

    None when the version changes on the way, or there are too many tags.
    """
    steps: list[tuple[int, int]] = []
    modern = collector.order.modern
    for place, size, is_sound in _with_soundness(data, places):
        if not is_sound:
            collector.skipped += 1
            continue
        start = place + HEADER.size
        event = collector.take(data, place, start, start + size)
        if place == 0:
            modern = collector.order.modern
        elif collector.order.modern != modern or len(collector.columns) > MOST_TAGS:
            return None
        if event is not None and not modern:
            steps.append((place, event.step))
    return steps


def _with_soundness(data: bytes, places: np.ndarray) -> Iterator[tuple[int, int, bool]]:
    """Yield the places, the payloads' sizes, and whether their checksums hold."""
    for first in range(0, len(places), RECORDS_AT_ONCE):
        some = places[first : first + RECORDS_AT_ONCE]
        at = some.tolist()
        sizes = [int.from_bytes(data[place : place + 8], "little") for place in at]
        yield from zip(at, sizes, _sound(data, some, sizes), strict=True)


def _sound(data: bytes, places: np.ndarray, sizes: list[int]) -> list[bool]:
    at = places.tolist()
    if sum(sizes) < MANY_BYTES:
        spans = ((place + HEADER.size, place + HEADER.size + size) for place, size in zip(at, sizes, strict=True))
        return [sound(data, *span) for span in spans]
    lengths = np.array(sizes)
    long = np.flatnonzero(lengths >= LEAST)
    starts = places[long] + HEADER.size
    stored = windows(data, FOOTER_BYTES)[starts + lengths[long]].view("<u4")[:, 0]
    fine = np.zeros(len(at), bool)
    fine[long] = masked(checksums(data, starts, lengths[long])) == stored
    for index in np.flatnonzero(lengths < LEAST).tolist():
        start = at[index] + HEADER.size
        fine[index] = sound(data, start, start + sizes[index])
    return list(fine.tolist())


def _in_order(pieces: Pieces, singles: list[tuple[int, int]], after: Order, last_step: int) -> Order | None:
    """What to know of a stretch of before version 2 in which no step is smaller than that before it; else None."""
    found = [piece for parts in pieces.by_tag.values() for piece in parts]
    if not found and not singles:
        return after
    alone = np.array(singles, np.int64).reshape(-1, 2)
    places = np.concatenate([alone[:, 0], *(piece.places for piece in found)])
    steps = np.concatenate([alone[:, 1], *(piece.steps for piece in found)])[np.argsort(places)]
    if steps[0] < last_step or (steps[1:] < steps[:-1]).any():
        return None
    return Order(after.version, int(steps[-1]))


def _joined(parts: list[Piece]) -> Piece:
    """The points of a tag in the order of their records."""
    piece = parts[0] if len(parts) == 1 else Piece(*map(np.concatenate, zip(*parts, strict=True)))
    if (piece.places[1:] < piece.places[:-1]).any():
        return piece.of(np.argsort(piece.places, kind="stable"))
    return piece
