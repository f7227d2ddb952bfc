"""What a trainer wrote down in words, on the session page."""

from __future__ import annotations

from typing import Any

from django import template

from sessions.models import TrainingSession
from sessions.selectors.distributions import TextShape, texts_of

register = template.Library()


@register.inclusion_tag("sessions/_session_texts.html")
def latest_texts(run_id: str) -> dict[str, Any]:
    """The latest text of each behavior and tag of a session the page already shows."""
    found: dict[tuple[str, str], TextShape] = {}
    for one in texts_of(TrainingSession.objects.get(run_id=run_id)):
        found.setdefault((one.behavior, one.tag), one)
    return {"texts": list(found.values())}
