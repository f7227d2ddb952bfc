"""Keeping histograms and texts: a bounded number of each series, evenly spread, the first and the last among them."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from django.db.models import F, Max

from sessions.domain.numbers import finite
from sessions.metrics.collecting import Histogram as WrittenHistogram
from sessions.metrics.collecting import Text as WrittenText
from sessions.models import Histogram, Text
from sessions.services.points import stored_name

MOST_HISTOGRAMS, MOST_TEXTS = 128, 32
# Of one behavior in one attempt; no trainer has a tenth of it.
MOST_SERIES = 100
MOST_BUCKETS = 512
LEVEL = 1

One = TypeVar("One", Histogram, Text)


def keep_histograms(attempt: int, behavior: str, written: Iterable[WrittenHistogram]) -> None:
    """Keep histograms in the order they were written; to be called inside a transaction."""
    found = [
        Histogram(
            attempt_id=attempt,
            behavior=behavior,
            tag=stored_name(one.tag),
            step=one.step,
            wall_time=finite(one.wall_time),
            buckets=zlib.compress(array("f", coarser(one.buckets)).tobytes(), LEVEL),
        )
        for one in written
    ]
    _keep(Histogram, attempt, behavior, found, MOST_HISTOGRAMS)


def keep_texts(attempt: int, behavior: str, written: Iterable[WrittenText]) -> None:
    """Keep texts in the order they were written; to be called inside a transaction."""
    found = [
        Text(
            attempt_id=attempt,
            behavior=behavior,
            tag=stored_name(one.tag),
            step=one.step,
            wall_time=finite(one.wall_time),
            text=one.text.replace("\0", ""),
        )
        for one in written
    ]
    _keep(Text, attempt, behavior, found, MOST_TEXTS)


def forget(attempt: int, behavior: str, cuts: Mapping[str | None, int]) -> None:
    """Delete what a restart took back: under None stands the step for all tags."""
    for model in (Histogram, Text):
        of_behavior = model.objects.filter(attempt_id=attempt, behavior=behavior)
        for tag, step in cuts.items():
            gone = of_behavior.filter(step__gte=step)
            (gone if tag is None else gone.filter(tag=stored_name(tag))).delete()


def coarser(buckets: Sequence[float]) -> Sequence[float]:
    """Return a histogram with at most MOST_BUCKETS buckets: neighbours are put together."""
    together = -(-len(buckets) // 3 // MOST_BUCKETS)
    if together <= 1:
        return buckets
    joined: list[float] = []
    for first in range(0, len(buckets), 3 * together):
        part = buckets[first : first + 3 * together]
        joined += [part[0], part[-2], sum(part[2::3])]
    return joined


def _keep(model: type[One], attempt: int, behavior: str, written: list[One], most: int) -> None:
    if not written:
        return
    kept = model.objects.filter(attempt_id=attempt, behavior=behavior)
    last = dict(kept.values_list("tag").annotate(last=Max("number")))
    by_tag: dict[str, list[One]] = {}
    for one in written:
        if one.tag in last or one.tag in by_tag or len(last.keys() | by_tag.keys()) < MOST_SERIES:
            by_tag.setdefault(one.tag, []).append(one)
    added: list[One] = []
    for tag, ones in by_tag.items():
        first = last.get(tag, -1) + 1
        final = first + len(ones) - 1
        stride = _stride(final, most)
        if first:
            spread = kept.filter(tag=tag).annotate(beside=F("number") % stride)
            spread.exclude(beside=0).delete()
        for number, one in enumerate(ones, start=first):
            one.number = number
            if number % stride == 0 or number == final:
                added.append(one)
    model.objects.bulk_create(added)


def _stride(last: int, most: int) -> int:
    """Every how many numbers one is kept, so that there are at most `most` up to the last: a power of two."""
    stride = 1
    while last // stride >= most:
        stride *= 2
    return stride
