"""Reading the histograms and texts that were kept of a session."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass

from django.db.models import Count, Max

from sessions.domain.numbers import finite
from sessions.models import Histogram, Text, TrainingSession
from sessions.selectors.series import current_attempts

MOST_TEXTS = 100


@dataclass(frozen=True)
class DistributionShape:
    """A series of histograms there is."""

    behavior: str
    tag: str
    attempt: int
    count: int
    last_step: int


@dataclass(frozen=True)
class HistogramsShape:
    """The histograms of one series: for each step its buckets, as left edge, right edge and count."""

    behavior: str
    tag: str
    attempt: int
    steps: list[int]
    wall_times: list[float | None]
    buckets: list[list[list[float | None]]]


@dataclass(frozen=True)
class TextShape:
    """A text that the trainer wrote down."""

    behavior: str
    tag: str
    attempt: int
    step: int
    wall_time: float | None
    text: str


def distributions_of(session: TrainingSession) -> list[DistributionShape]:
    """Return what series of histograms there are."""
    kept = Histogram.objects.filter(attempt_id__in=current_attempts(session))
    rows = kept.values_list("behavior", "tag", "attempt__number").annotate(count=Count("pk"), last=Max("step"))
    return [DistributionShape(*row) for row in rows.order_by("behavior", "tag", "attempt__number")]


def histograms_of(
    session: TrainingSession, *, tag: str | None = None, behavior: str | None = None
) -> list[HistogramsShape]:
    """Return the histograms of a tag, a behavior or both, by behavior, tag and attempt."""
    asked = {"tag": tag, "behavior": behavior}
    kept = Histogram.objects.filter(attempt_id__in=current_attempts(session))
    kept = kept.filter(**{name: value for name, value in asked.items() if value is not None})
    found: dict[tuple[str, str, int], HistogramsShape] = {}
    for one in kept.select_related("attempt").order_by("behavior", "tag", "attempt__number", "number"):
        key = one.behavior, one.tag, one.attempt.number
        shape = found.setdefault(key, HistogramsShape(*key, [], [], []))
        shape.steps.append(one.step)
        shape.wall_times.append(one.wall_time)
        shape.buckets.append(_buckets(bytes(one.buckets)))
    return list(found.values())


def _buckets(packed: bytes) -> list[list[float | None]]:
    numbers = array("f")
    numbers.frombytes(zlib.decompress(packed))
    return [[finite(one) for one in numbers[start : start + 3]] for start in range(0, len(numbers), 3)]


def texts_of(session: TrainingSession, *, tag: str | None = None, behavior: str | None = None) -> list[TextShape]:
    """Return the latest MOST_TEXTS texts of a session, or of a tag or behavior of it, the newest first."""
    asked = {"tag": tag, "behavior": behavior}
    kept = Text.objects.filter(attempt_id__in=current_attempts(session))
    kept = kept.filter(**{name: value for name, value in asked.items() if value is not None})
    rows = kept.order_by("-attempt__number", "behavior", "tag", "-number").select_related("attempt")[:MOST_TEXTS]
    return [TextShape(one.behavior, one.tag, one.attempt.number, one.step, one.wall_time, one.text) for one in rows]
