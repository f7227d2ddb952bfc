"""The event files of one folder as one run: those of a resume, a restart or a `--force` in their order."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sessions.metrics.codec import Points
from sessions.metrics.collecting import Histogram, Text
from sessions.metrics.events import Batch, event_files, read_events
from sessions.metrics.restarts import Order, counts, cut_of


@dataclass
class Run:
    """What a folder's event files say, restarts applied, as TensorBoard's EventAccumulator has it."""

    points: dict[str, Points] = field(default_factory=dict)
    histograms: list[Histogram] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    skipped: int = 0

    def take(self, batch: Batch) -> None:
        """Add the next batch."""
        if batch.cuts:
            self._cut(batch.cuts)
        for tag, points in batch.points.items():
            self.points[tag] = joined((self.points[tag], points)) if tag in self.points else points
        self.histograms += batch.histograms
        self.texts += batch.texts
        self.skipped += batch.skipped

    def _cut(self, cuts: dict[str | None, int]) -> None:
        kept = {tag: before(points, cut_of(cuts, tag)) for tag, points in self.points.items()}
        self.points = {tag: points for tag, points in kept.items() if points}
        self.histograms = [one for one in self.histograms if counts(cuts, one.tag, one.step)]
        self.texts = [one for one in self.texts if counts(cuts, one.tag, one.step)]


def batches(paths: Iterable[Path], *, limit_bytes: int = 4 * 1024 * 1024) -> Iterator[tuple[Path, Batch]]:
    """Yield what a run's files say from their beginnings, file by file, each batch with its file.

    A batch's cuts are for all batches before it, also those of earlier files.
    """
    order = Order()
    for path in paths:
        batch = read_events(path, 0, limit_bytes=limit_bytes, order=order)
        while batch.next_offset > 0:
            yield path, batch
            order, offset = batch.order, batch.next_offset
            batch = read_events(path, offset, limit_bytes=limit_bytes, order=order)
            if batch.next_offset == offset:
                break


def read_run(folder: Path) -> Run:
    """Return what a folder's event files say, all of it in memory."""
    run = Run()
    for _, batch in batches(event_files(folder)):
        run.take(batch)
    return run


def before(points: Points, step: int | None) -> Points:
    """Return the points whose step is smaller, in their order; all of them for None."""
    if step is None or not any(one >= step for one in points.steps):
        return points
    kept = [index for index, one in enumerate(points.steps) if one < step]
    return Points(
        array("q", [points.steps[index] for index in kept]),
        array("d", [points.wall_times[index] for index in kept]),
        array("d", [points.values[index] for index in kept]),
    )


def joined(parts: Iterable[Points]) -> Points:
    """Return stretches of points as one."""
    steps, wall_times, values = array("q"), array("d"), array("d")
    for part in parts:
        steps.extend(map(int, part.steps))
        wall_times.extend(part.wall_times)
        values.extend(part.values)
    return Points(steps, wall_times, values)
