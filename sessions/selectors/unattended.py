"""What the rules of a session are judged by: its attempts, its latest points, its memory, its files."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import datetime

from sessions.domain.resources import MEMORY, OF_THE_ATTEMPT
from sessions.domain.rules import InvalidRules, Rules, read_rules
from sessions.domain.states import State
from sessions.domain.verdicts import Past
from sessions.models import Attempt, Series, SessionEvent, TrainingSession
from sessions.selectors.points import points_between

logger = logging.getLogger(__name__)


def rules_of(session: TrainingSession) -> Rules:
    """Return the session's rules; none when they were stored by a version that knew other ones."""
    try:
        return read_rules(session.rules)
    except InvalidRules as error:
        logger.warning("%s: its rules cannot be used: %s", session.run_id, error.errors)
        return Rules()


def unattended_attempts(session_id: int) -> list[Attempt]:
    """Return the attempts since somebody last started or resumed the session, oldest first."""
    found: list[Attempt] = []
    for attempt in Attempt.objects.filter(session_id=session_id).order_by("-number"):
        found.insert(0, attempt)
        if not attempt.automatic:
            break
    return found


def past_of(session_id: int) -> list[Past]:
    """Return the attempts of the session as the rule of restarts sees them, newest first."""
    return [
        Past(attempt.automatic, _seconds(attempt.started_at, attempt.progressed_at))
        for attempt in reversed(unattended_attempts(session_id))
    ]


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0


def trained_seconds(session_id: int, now: datetime) -> float:
    """Return the seconds in which the session's attempts ran, all together."""
    spans = Attempt.objects.filter(session_id=session_id).values_list("started_at", "ended_at")
    return sum(_seconds(start, end or now) for start, end in spans)


def idle_since(attempt: Attempt) -> datetime | None:
    """Return since when no step of an attempt was seen to grow; waiting for Play does not count."""
    played = (
        SessionEvent.objects.filter(attempt=attempt, from_state=State.WAITING_FOR_EDITOR.value)
        .values_list("at", flat=True)
        .last()
    )
    return max((at for at in (attempt.started_at, attempt.progressed_at, played) if at), default=None)


def points_of(attempts: Sequence[Attempt], tag: str, *, last: int | None = None) -> dict[str, list[tuple[int, float]]]:
    """Return a tag's finite points (step, value) by behavior, those of earlier attempts first.

    With `last`, so many of each series at least, where there are as many.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    series = Series.objects.filter(attempt__in=attempts, tag=tag).exclude(behavior=OF_THE_ATTEMPT)
    for one in series.order_by("behavior", "attempt__number"):
        rows = _rows(one, one.count - last if last else 0)
        found.setdefault(one.behavior, []).extend((step, value) for step, _, value in rows if math.isfinite(value))
    return found


def memory_of(attempt: Attempt, *, since: datetime, seconds: float) -> list[tuple[float, float]]:
    """Return samples (time in seconds, bytes) of an attempt's memory since then; `seconds` is about how long ago."""
    series = Series.objects.filter(attempt=attempt, behavior=OF_THE_ATTEMPT, tag=MEMORY).first()
    if series is None:
        return []
    rows = _rows(series, series.count - int(seconds))  # samples are never taken more often than once a second
    return [(at, value) for _, at, value in rows if at >= since.timestamp() and math.isfinite(value)]


def _rows(series: Series, first: int) -> list[tuple[int, float, float]]:
    """Points of a series from the place `first` on."""
    points = points_between(series, first).lists()
    return list(zip(points.steps, points.wall_times, points.values, strict=True))
