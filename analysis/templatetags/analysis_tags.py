"""What analysis adds to pages of other rooms."""

from __future__ import annotations

from typing import Any

from django import template

from analysis.rewards import reward_rows
from sessions.models import TrainingSession

register = template.Library()


@register.inclusion_tag("analysis/_reward_summary.html")
def reward_summary(run_id: str) -> dict[str, Any]:
    """Final, best and last rewards of each behavior of a session the page already shows."""
    session = TrainingSession.objects.get(run_id=run_id)
    return {"rows": [row.flat() for row in reward_rows(session)]}
