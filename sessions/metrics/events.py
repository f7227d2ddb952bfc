"""Reading TensorBoard's event files: resumable, in bounded memory, never ahead of what is whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from sessions.domain.numbers import natural
from sessions.metrics.codec import Points
from sessions.metrics.collecting import Histogram, Taken, Text, take_singly
from sessions.metrics.records import FRAME_BYTES, MOST_MESSAGE, MOST_PAYLOAD, Lengths, next_record
from sessions.metrics.restarts import MODERN, Order

# How far behind damage a whole record is looked for.
SEARCH_BYTES = 4 * 1024 * 1024
# From how many bytes on numpy is worth its while; to import it first takes a tenth of a second and 25 MB.
NUMPY_BYTES, IMPORTED_NUMPY_BYTES = 256 * 1024, 16 * 1024


@dataclass(frozen=True)
class Point:
    """A scalar as TensorBoard reads it: float32 values widened to float."""

    tag: str
    step: int
    wall_time: float
    value: float


@dataclass(frozen=True)
class Batch:
    """What was read: points by tag in file order, the offset behind the last whole record, damaged records passed over.

    `cuts` are restarts: of what was read before this batch, points of a tag with this step or a larger one no longer
    count; under None stands the step for all tags. The batch's own points are cut already. `order` is handed to the
    next call.
    """

    points: dict[str, Points]
    next_offset: int
    skipped: int = 0
    histograms: Sequence[Histogram] = ()
    texts: Sequence[Text] = ()
    cuts: dict[str | None, int] = field(default_factory=dict)
    order: Order = field(default_factory=Order)


def event_files(folder: Path) -> list[Path]:
    """Return a folder's event files in the order TensorBoard reads them, by name: that tells when they were begun."""
    try:
        return sorted(path for path in folder.iterdir() if _is_event_file(path.name) and path.is_file())
    except OSError:
        return []


def _is_event_file(name: str) -> bool:
    return "tfevents" in name and not name.endswith(".profile-empty")


def begun(path: Path) -> int:
    """Return when an event file was begun, in seconds since the epoch; 0 when its name does not say."""
    stamp = path.name.partition(".tfevents.")[2].split(".")[0]
    return natural(stamp, most_digits=19) or 0


def read_events(path: Path, offset: int, *, limit_bytes: int = 4 * 1024 * 1024, order: Order | None = None) -> Batch:
    """Return what is written from byte `offset` on, about `limit_bytes` of it; nothing more when `next_offset` stays.

    `order` is that of the batch before: of the same file, or of the run's file before it. Without it, a file that is
    read from its beginning is the run's first, and one that is read on is of version 2, as all are that trainers write.

    A record that is not whole yet is left for the next call. A damaged one (its checksum is wrong, it is no event, it
    is larger than 16 MB or has more than 10,000 values) is passed over and counted. Where the length of a record is
    damaged, reading goes on with the next record that is whole with both its checksums, as soon as there is one
    within 4 MB; what lies between counts as one.

    Memory: about eight times `limit_bytes` at the worst, twice as much as is read when it is all scalars. 4 MB are
    best for thousands of files, too: larger batches are no faster. A batch ends early when it has 10,000 tags.
    """
    order = order or Order(MODERN if offset else 0.0)
    try:
        with path.open("rb") as file:
            return _read(file, offset, limit_bytes, order)
    except OSError:
        return Batch({}, offset, order=order)


def _read(file: BufferedReader, offset: int, limit: int, order: Order) -> Batch:
    file.seek(offset)
    data = file.read(max(limit, FRAME_BYTES))
    if len(data) < FRAME_BYTES:
        return Batch({}, offset, order=order)
    length = Lengths().of(data, 0)
    if length is None or length > MOST_MESSAGE:
        return _behind_damage(file, offset, data, order)
    whole = FRAME_BYTES + length
    if length > MOST_PAYLOAD:
        return (
            Batch({}, offset + whole, 1, order=order)
            if whole <= _size(file) - offset
            else Batch({}, offset, order=order)
        )
    if whole > len(data):
        data += file.read(whole - len(data))
    taken = _take(data, order, last=len(data) < limit)
    return Batch(
        taken.points,
        offset + taken.end,
        taken.skipped,
        taken.histograms,
        taken.texts,
        taken.cuts,
        taken.order,
    )


def _size(file: BufferedReader) -> int:
    return file.seek(0, 2)


def _behind_damage(file: BufferedReader, offset: int, data: bytes, order: Order) -> Batch:
    """Go on with the next whole record; when there is none, this may be the end of a file that is being written."""
    if len(data) < SEARCH_BYTES:
        data += file.read(SEARCH_BYTES - len(data))
    found = next_record(data)
    return Batch({}, offset, order=order) if found is None else Batch({}, offset + found, 1, order=order)


def _take(data: bytes, order: Order, *, last: bool) -> Taken:
    if len(data) >= (IMPORTED_NUMPY_BYTES if "numpy" in sys.modules else NUMPY_BYTES):
        from sessions.metrics.vectors import take_at_once

        taken = take_at_once(data, order, last=last)
        if taken is not None:
            return taken
    return take_singly(data, order, last=last)
