"""The courses of a session's behaviors, and what is wrong with them now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from sessions.domain.config import ConfigError, read_config
from sessions.domain.health import Course, Finding, Point, findings, is_judged
from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.domain.states import ACTIVE, State
from sessions.models import BehaviorProgress, Series, TrainingSession
from sessions.selectors.points import points_between
from sessions.selectors.series import current_attempts

# What came before has no say in how a training goes now.
MOST_POINTS = 2000


def findings_of(session: TrainingSession) -> list[Finding]:
    """Return what is wrong with a session that trains; nothing of one that does not."""
    if State(session.state) not in ACTIVE:
        return []
    return [finding for course in courses_of(session) for finding in findings(course)]


def courses_of(session: TrainingSession) -> list[Course]:
    """Return each behavior's curves since the session last began anew; a later attempt wins from its first step."""
    curves: dict[str, dict[str, list[Point]]] = {}
    for one in judged_series(session):
        curve = curves.setdefault(one.behavior, {}).setdefault(one.tag, [])
        found = points_between(one, max(0, one.count - MOST_POINTS)).lists()
        points = list(zip(found.steps, found.wall_times, found.values, strict=True))
        if points:
            del curve[bisect_left(curve, points[0][:1]) :]
            curve += points
    goals = dict(BehaviorProgress.objects.filter(session=session).values_list("name", "max_steps"))
    attempt = session.attempts.order_by("-number").first()
    restarts = attempt.environment_restarts if attempt else 0
    lessons = _lessons(session)
    return [Course(name, curves[name], goals.get(name), lessons, restarts) for name in sorted(curves)]


def judged_series(session: TrainingSession) -> list[Series]:
    """Return the series that health is judged by, oldest attempt first."""
    series = Series.objects.filter(attempt_id__in=current_attempts(session)).exclude(behavior=OF_THE_ATTEMPT)
    return [one for one in series.order_by("attempt__number", "behavior", "tag") if is_judged(one.tag)]


def _lessons(session: TrainingSession) -> Mapping[str, int]:
    """How many lessons each curriculum of the configuration has."""
    try:
        tree = read_config(bytes(session.config_used)).tree.get("environment_parameters") or {}
    except ConfigError:
        return {}
    given = {name: one.get("curriculum") for name, one in tree.items() if isinstance(one, dict)}
    return {name: len(lessons) for name, lessons in given.items() if isinstance(lessons, list)}
