"""Reading all event files of a run at once, in bounded memory: what is too much is left for later, or left out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sessions.domain.results_layout import EventLog
from sessions.metrics.codec import Points
from sessions.metrics.collecting import Histogram, Text
from sessions.metrics.events import Batch, read_events
from sessions.metrics.restarts import Order, counts, cut_of
from sessions.metrics.runs import before

# How much of a run's files is read before anything of it is stored; the rest is read as if it had grown meanwhile.
MOST_BYTES = 16 * 1024 * 1024
BATCH_BYTES = 4 * 1024 * 1024
# A run with more series than this has them in its files, and not in the history.
MOST_SERIES = 1000
# Who has so many further series in one batch has no end of them: the rest of the file is not worth its time.
HOPELESS_SERIES = 5_000
HEAD_BYTES = 256

# The start of the run (from 0), the behavior and the tag of a series.
Key = tuple[int, str, str]
Part = tuple[int, str]


@dataclass
class LogReading:
    """An event file, the start it belongs to, and how far it was read."""

    log: EventLog
    start: int
    head: str
    offset: int = 0
    skipped: int = 0
    order: Order = field(default_factory=Order)


@dataclass
class RunReading:
    """What was read of a run. `rounds` are to be appended one after another; `left_out` counts series."""

    logs: list[LogReading] = field(default_factory=list)
    rounds: list[dict[Key, Points]] = field(default_factory=list)
    histograms: dict[Part, list[Histogram]] = field(default_factory=dict)
    texts: dict[Part, list[Text]] = field(default_factory=dict)
    left_out: int = 0
    bytes_read: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether no file had a single whole record."""
        return not any(one.offset for one in self.logs)

    @property
    def starts(self) -> int:
        return 1 + max((one.start for one in self.logs), default=0)


def read_run(root: Path, starts: Sequence[Sequence[EventLog]]) -> RunReading:
    """Return the beginning of the event files of a run, about MOST_BYTES of it, and at most MOST_SERIES series."""
    reading = RunReading()
    limit = Limit()
    orders: dict[Part, Order] = {}
    for number, start in enumerate(starts):
        for log in start:
            one = LogReading(log, number, fingerprint(root / log.file.path))
            reading.logs.append(one)
            if reading.bytes_read < MOST_BYTES:
                _read_log(root, one, reading, limit, orders.get((number, log.behavior)))
                orders[number, log.behavior] = one.order
    reading.left_out = limit.left_out
    return reading


def _read_log(root: Path, one: LogReading, reading: RunReading, limit: Limit, order: Order | None) -> None:
    part = (one.start, one.log.behavior)
    while reading.bytes_read < MOST_BYTES:
        batch = read_events(root / one.log.file.path, one.offset, limit_bytes=BATCH_BYTES, order=order)
        if batch.next_offset == one.offset:
            return
        _cut(reading, part, batch)
        reading.bytes_read += batch.next_offset - one.offset
        one.offset, one.order = batch.next_offset, batch.order
        one.skipped += batch.skipped
        order = batch.order
        reading.histograms.setdefault(part, []).extend(batch.histograms)
        reading.texts.setdefault(part, []).extend(batch.texts)
        kept = limit.within(part, batch.points)
        added: dict[Key, Points] = {(*part, tag): new for tag, new in kept.items()}
        if added:
            _add(reading.rounds, added)
        if limit.is_hopeless:
            one.offset = max(one.offset, one.log.file.size)
            return


def _add(rounds: list[dict[Key, Points]], added: dict[Key, Points]) -> None:
    """Append to the last round, unless it has points of the same series already."""
    if rounds and not rounds[-1].keys() & added.keys():
        rounds[-1].update(added)
    else:
        rounds.append(added)


def _cut(reading: RunReading, part: Part, batch: Batch) -> None:
    """Forget what a restart took back."""
    if not batch.cuts:
        return
    for added in reading.rounds:
        for key in [key for key in added if key[:2] == part]:
            added[key] = before(added[key], cut_of(batch.cuts, key[2]))
    histograms, texts = reading.histograms.get(part, []), reading.texts.get(part, [])
    reading.histograms[part] = [one for one in histograms if counts(batch.cuts, one.tag, one.step)]
    reading.texts[part] = [one for one in texts if counts(batch.cuts, one.tag, one.step)]


@dataclass
class Limit:
    """Lets through the points of the first MOST_SERIES series and counts the others."""

    known: set[tuple[object, str]] = field(default_factory=set)
    left_out: int = 0
    is_hopeless: bool = False

    def within(self, of: object, points: Mapping[str, Points]) -> dict[str, Points]:
        """Return the points of the series that are known, and of new ones as long as there is room; by tag."""
        kept = {}
        before = self.left_out
        for tag, new in points.items():
            if (of, tag) not in self.known:
                if len(self.known) >= MOST_SERIES:
                    self.left_out += 1
                    continue
                self.known.add((of, tag))
            kept[tag] = new
        self.is_hopeless = self.left_out - before >= HOPELESS_SERIES
        return kept


def fingerprint(path: Path, length: int = HEAD_BYTES) -> str:
    """Return the length and the SHA-256 of a file's first bytes; empty when it has none or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(length)
    except OSError:
        return ""
    return f"{len(head)}:{hashlib.sha256(head).hexdigest()}" if head else ""


def is_the_same(path: Path, head: str) -> bool:
    """Tell whether a file begins with the bytes of this fingerprint."""
    length, _, _ = head.partition(":")
    return fingerprint(path, int(length)) == head
