"""What analysis adds to pages of other rooms."""

from __future__ import annotations

from typing import Any

from django import template

from analysis.drawing import bars, polyline
from analysis.history import histories
from analysis.rewards import reward_rows
from sessions.models import TrainingSession

register = template.Library()


@register.inclusion_tag("analysis/_reward_summary.html")
def reward_summary(run_id: str) -> dict[str, Any]:
    """Final, best and last rewards of each behavior of a session the page already shows."""
    session = TrainingSession.objects.get(run_id=run_id)
    return {"rows": [row.flat() for row in reward_rows(session)]}


@register.inclusion_tag("analysis/_learning.html")
def learning(run_id: str) -> dict[str, Any]:
    """Win rates, ELO and lessons of a session the page already shows; nothing where there are none."""
    found = histories(TrainingSession.objects.get(run_id=run_id)).values()
    return {
        "skills": [
            {"behavior": one.behavior, "elo": one.elo, "rates": [_drawn(rate) for rate in one.win_rates]}
            for one in found
            if one.elo or one.win_rates
        ],
        "courses": [{"course": course, "bars": bars(course)} for one in found for course in one.courses],
    }


def _drawn(rate: Any) -> dict[str, Any]:
    return {"rate": rate, "line": polyline(rate.steps, rate.values), "last_step": rate.steps[-1]}
