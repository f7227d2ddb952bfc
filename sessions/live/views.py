"""What the live feed asks the database, through the selectors of pages and API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model

from sessions.domain.states import ACTIVE, ENDED, WAITING, State, values
from sessions.models import TrainingSession
from sessions.selectors import console, series, sessions, shapes
from sessions.selectors.health import marks_of, noticed_in
from sessions.selectors.shapes import SessionDetailShape

# In one frame: some 50 bytes each.
MOST_POINTS = 50_000


@dataclass(frozen=True)
class News:
    """What changed of a session since a version."""

    version: int
    session: SessionDetailShape
    series: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    points_cursor: str
    more: bool
    attempt: int
    console: Path | None
    ended: bool


def may_watch(user_pk: int, run_id: str | None) -> bool:
    """Tell whether this user is still active and may see the session (any page at all without one)."""
    user = get_user_model().objects.filter(pk=user_pk, is_active=True).first()
    if user is None:
        return False
    return run_id is None or sessions.visible_sessions(user).filter(run_id=run_id).exists()


def session_since(user_pk: int, run_id: str, version: int, cursor: str) -> News | None:
    """Return the news of a session, or None when there are none; raises Missing when it may not be seen."""
    stored = TrainingSession.objects.filter(run_id=run_id).values_list("version", flat=True).first()
    if stored == version:
        return None
    user = get_user_model().objects.get(pk=user_pk)
    session = sessions.session_named(run_id, user)
    points, points_cursor = series.points_after(session, cursor, most=MOST_POINTS)
    attempt = console.attempt_of(session)
    return News(
        version=session.version,
        session=sessions.session_detail(session),
        series=series.as_json(points),
        marks=marks_of(noticed_in(session)),
        points_cursor=points_cursor,
        more=sum(len(one.steps) for one in points) >= MOST_POINTS,
        attempt=attempt.number if attempt else 0,
        console=console.console_path(session, attempt) if attempt else None,
        ended=State(session.state) in ENDED,
    )


def dashboard_now(user_pk: int) -> list[dict[str, Any]]:
    """Return all that runs or waits, as the dashboard shows it."""
    user = get_user_model().objects.get(pk=user_pk)
    found = sessions.sessions_with_parts(user).filter(state__in=values(ACTIVE | WAITING), trashed_at__isnull=True)
    ordered = found.order_by("-priority", "place", "pk")
    return [shapes.as_plain(sessions.session_shape(session)) for session in ordered]
