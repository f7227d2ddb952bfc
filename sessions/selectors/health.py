"""The courses of a session's behaviors, what is wrong with them now, and what was."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from sessions.domain.config import ConfigError, read_config
from sessions.domain.health import Course, Finding, Point, findings, is_judged
from sessions.domain.keeping import Candidate, ranked
from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.domain.states import ACTIVE, State
from sessions.models import Artifact, Attempt, BehaviorProgress, HealthFinding, Series, TrainingSession
from sessions.selectors.points import points_between
from sessions.selectors.scores import keeping_of
from sessions.selectors.series import current_attempts, taken_over

# What came before has no say in how a training goes now.
MOST_POINTS = 2000


def findings_of(session: TrainingSession) -> list[Finding]:
    """Return what is wrong with a session that trains; nothing of one that does not."""
    if State(session.state) not in ACTIVE:
        return []
    return [finding for course in courses_of(session) for finding in findings(course)]


def courses_of(session: TrainingSession) -> list[Course]:
    """Return each behavior's curves since the session last began anew; a later attempt wins from its first step."""
    attempt = session.attempts.order_by("-number").first()
    curves: dict[str, dict[str, list[Point]]] = {}
    begun: dict[str, float] = {}
    for one in judged_series(session):
        curve = curves.setdefault(one.behavior, {}).setdefault(one.tag, [])
        found = points_between(one, max(0, one.count - MOST_POINTS)).lists()
        points = list(zip(found.steps, found.wall_times, found.values, strict=True))
        if points:
            del curve[taken_over([step for step, _, _ in curve], points[0][0]) :]
            curve += points
        if points and attempt is not None and one.attempt_id == attempt.pk:
            begun[one.behavior] = min(points[0][1], begun.get(one.behavior, math.inf))
    goals = dict(BehaviorProgress.objects.filter(session=session).values_list("name", "max_steps"))
    restarts = attempt.environment_restarts if attempt else 0
    lessons = _lessons(session)
    return [
        Course(name, curves[name], goals.get(name), lessons, restarts, begun.get(name, math.inf))
        for name in sorted(curves)
    ]


def judged_series(session: TrainingSession) -> list[Series]:
    """Return the series that health is judged by, oldest attempt first."""
    series = Series.objects.filter(attempt_id__in=current_attempts(session)).exclude(behavior=OF_THE_ATTEMPT)
    return [one for one in series.order_by("attempt__number", "behavior", "tag") if is_judged(one.tag)]


def noticed_in(session: TrainingSession) -> list[HealthFinding]:
    """Return all that was noticed since the session last began anew, the first first."""
    rows = HealthFinding.objects.filter(attempt_id__in=current_attempts(session))
    return list(rows.select_related("attempt"))


def marks_of(noticed: Iterable[HealthFinding]) -> list[dict[str, Any]]:
    """Return where charts are marked: behavior, tag, step, time (seconds since 1970) and title of what was noticed."""
    return [
        {"behavior": one.behavior, "tag": one.tag, "step": one.step, "time": one.at, "title": one.title}
        for one in noticed
    ]


def first_steps(attempt: Attempt) -> dict[str, int]:
    """Return by behavior the step from which something was found to be wrong in an attempt."""
    steps: dict[str, int] = {}
    for one in HealthFinding.objects.filter(attempt=attempt):
        steps[one.behavior] = min(one.step, steps.get(one.behavior, one.step))
    return steps


def checkpoints_before(attempt: Attempt, behavior: str, step: int) -> list[Artifact]:
    """Return a file of each checkpoint of a behavior that was saved before a step, the best first."""
    session = attempt.session
    rows = Artifact.objects.filter(
        behavior=behavior, step__lt=step, attempt_id__in=current_attempts(session), kind="pt", present=True, final=False
    )
    by_key: dict[Hashable, Artifact] = {
        (one.step, one.attempt_id): one for one in rows.select_related("attempt", "session__trainer")
    }
    candidates = [Candidate(key, behavior, one.step or 0, one.score) for key, one in by_key.items()]
    return [by_key[one.key] for one in ranked(candidates, keeping_of(session)[2])]


def _lessons(session: TrainingSession) -> Mapping[str, int]:
    """How many lessons each curriculum of the configuration has."""
    try:
        tree = read_config(bytes(session.config_used)).tree.get("environment_parameters") or {}
    except ConfigError:
        return {}
    given = {name: one.get("curriculum") for name, one in tree.items() if isinstance(one, dict)}
    return {name: len(lessons) for name, lessons in given.items() if isinstance(lessons, list)}
