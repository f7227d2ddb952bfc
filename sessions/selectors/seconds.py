"""How long a session had trained at a point: its wall time without the pauses between attempts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Max, Min, Q

from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.models import Series, TrainingSession
from sessions.selectors.series import PointsShape, current_attempts


def zeros_of(*sessions: TrainingSession) -> dict[int, float]:
    """Return for each attempt, by key, the wall time from which its seconds of training are counted.

    An attempt goes on counting where the one before it left off; the first point of all is at 0.
    """
    series = Series.objects.filter(attempt_id__in=current_attempts(*sessions), count__gt=0)
    spans = series.values("attempt_id", "attempt__session_id", "attempt__number", of_all=Q(behavior=OF_THE_ATTEMPT))
    rows = spans.annotate(begin=Min("first_time"), end=Max("last_time"))
    # What the trained policies wrote says when an attempt trained; of one that wrote nothing, its resources do.
    ordered = rows.order_by("attempt__session_id", "attempt__number", "-of_all")
    return _zeros({(row["attempt__session_id"], row["attempt_id"]): (row["begin"], row["end"]) for row in ordered})


def _zeros(spans: dict[tuple[int, int], tuple[float, float]]) -> dict[int, float]:
    zeros: dict[int, float] = {}
    passed: dict[int, float] = {}
    for (session, attempt), (begin, end) in spans.items():
        zeros[attempt] = begin - passed.get(session, 0.0)
        passed[session] = passed.get(session, 0.0) + max(0.0, end - begin)
    return zeros


def seconds_of(wall_times: Iterable[float], zero: float) -> list[float]:
    """Return wall times as seconds of training."""
    return [moment - zero for moment in wall_times]


def with_seconds(session: TrainingSession, shapes: list[PointsShape]) -> list[dict[str, Any]]:
    """Return points of a session as plain dictionaries, with their seconds of training."""
    by_attempt = dict(session.attempts.values_list("number", "pk"))
    zeros = zeros_of(session)
    return [{**vars(one), "seconds": seconds_of(one.wall_times, zeros[by_attempt[one.attempt]])} for one in shapes]
