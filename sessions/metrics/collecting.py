"""What the records of a stretch of a file say, record by record, gathered by tag."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field

from sessions.metrics.codec import Points
from sessions.metrics.decoding import Distribution, Event, Moments, decode
from sessions.metrics.records import FOOTER_BYTES, FRAME_BYTES, HEADER, Lengths, sound
from sessions.metrics.restarts import EVERY, MODERN, Cuts, Order, version_of

# A batch ends before it would hold more tags: each costs memory here and a row of its own where it is stored.
MOST_TAGS = 10_000


@dataclass(frozen=True, slots=True)
class Histogram:
    """A distribution as TensorBoard shows it: `buckets` holds left edge, right edge and count of each, in a row."""

    tag: str
    step: int
    wall_time: float
    buckets: array[float]
    moments: Moments | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a trainer wrote down, such as its hyperparameters; several strings are joined by newlines."""

    tag: str
    step: int
    wall_time: float
    text: str


@dataclass(frozen=True)
class Taken:
    """What the whole records of a stretch say; the first record that is not whole begins at `end`.

    Points, histograms and texts are without those that a restart in the stretch dropped; `cuts` tells what it dropped
    of those before, as in `restarts.Cuts.lowest`.
    """

    points: dict[str, Points]
    histograms: list[Histogram]
    texts: list[Text]
    cuts: dict[str | None, int]
    order: Order
    skipped: int
    end: int


@dataclass(slots=True)
class Column:
    """The points of one tag, and the places of their records in the stretch."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    wall_times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    places: array[int] = field(default_factory=lambda: array("q"))

    def add(self, place: int, step: int, wall_time: float, value: float) -> None:
        self.steps.append(step)
        self.wall_times.append(wall_time)
        self.values.append(value)
        self.places.append(place)


class Collector:
    """Takes records in their order; what they say is found in `columns`, `histograms`, `texts` and `cuts`."""

    def __init__(self, order: Order) -> None:
        self.columns: dict[str, Column] = {}
        self.cuts = Cuts()
        self.skipped = 0
        self.version, self.last_step = order.version, order.last_step
        self._histograms: list[tuple[int, Histogram]] = []
        self._texts: list[tuple[int, Text]] = []

    @property
    def order(self) -> Order:
        """What the rules for restarted steps must know of what was taken so far."""
        return Order(self.version, self.last_step)

    def take(self, data: bytes, place: int, start: int, end: int) -> Event | None:
        """Take the payload between `start` and `end`; one that is no event is counted, and nothing of it kept."""
        try:
            event = decode(data, start, end)
        except (ValueError, IndexError, struct.error):
            self.skipped += 1
            return None
        self._keep_order(place, event)
        for tag, value in event.values or ():
            if type(value) is float:
                column = self.columns.get(tag)
                if column is None:
                    column = self.columns[tag] = Column()
                column.add(place, event.step, event.wall_time, value)
            elif isinstance(value, str):
                self._texts.append((place, Text(tag, event.step, event.wall_time, value)))
            elif isinstance(value, Distribution):
                self._histograms.append((place, Histogram(tag, event.step, event.wall_time, *value)))
        return event

    def _keep_order(self, place: int, event: Event) -> None:
        if event.version is not None:
            self.version = version_of(event.version)
        if self.version >= MODERN:
            if event.started:
                self.cuts.add(EVERY, place, event.step)
        elif event.step < self.last_step and event.values is not None:
            for tag, _ in event.values:
                # TensorBoard takes an empty tag for all of them.
                self.cuts.add(tag or EVERY, place, event.step)
        else:
            self.last_step = event.step

    def points(self) -> dict[str, Points]:
        """Return the points that no restart dropped."""
        if not self.cuts:
            return {tag: Points(one.steps, one.wall_times, one.values) for tag, one in self.columns.items()}
        found = {}
        for tag, one in self.columns.items():
            kept = [index for index, place in enumerate(one.places) if self.cuts.keep(tag, place, one.steps[index])]
            if kept:
                found[tag] = Points(
                    array("q", [one.steps[index] for index in kept]),
                    array("d", [one.wall_times[index] for index in kept]),
                    array("d", [one.values[index] for index in kept]),
                )
        return found

    def histograms(self) -> list[Histogram]:
        """Return the histograms that no restart dropped."""
        return [one for place, one in self._histograms if self.cuts.keep(one.tag, place, one.step)]

    def texts(self) -> list[Text]:
        """Return the texts that no restart dropped."""
        return [one for place, one in self._texts if self.cuts.keep(one.tag, place, one.step)]


def take_singly(data: bytes, order: Order, *, last: bool) -> Taken:
    """Return what the records of `data` say up to the first that is not whole, or whose length is damaged.

    `last` says that nothing follows in the file.
    """
    collector = Collector(order)
    lengths = Lengths()
    position, most = 0, len(data) - FRAME_BYTES
    while position <= most and len(collector.columns) < MOST_TAGS:
        length = lengths.of(data, position)
        if length is None or length > most - position:
            break
        start, end = position + HEADER.size, position + HEADER.size + length
        if sound(data, start, end):
            collector.take(data, position, start, end)
        elif last and end + FOOTER_BYTES == len(data) and not any(data[end:]):
            # Some file systems make a file longer before they fill it.
            break
        else:
            collector.skipped += 1
        position = end + FOOTER_BYTES
    return Taken(
        collector.points(),
        collector.histograms(),
        collector.texts(),
        collector.cuts.lowest(),
        collector.order,
        collector.skipped,
        position,
    )
