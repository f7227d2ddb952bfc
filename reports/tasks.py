"""What the worker runs for reports."""

from __future__ import annotations

from reports import services
from sessions.models import TrainingSession


def build_report(session_id: int) -> None:
    """Build the report of a session that has ended."""
    session = TrainingSession.objects.select_related("trainer", "environment", "owner").filter(pk=session_id).first()
    if session is not None:
        services.build(session)
