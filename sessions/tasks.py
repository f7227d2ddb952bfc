"""What the worker runs: each takes an id, ends soon, and may be delivered twice."""

from __future__ import annotations

from sessions.errors import IllegalTransition
from sessions.services import inspections, launching


def launch_attempt(attempt_id: int) -> None:
    """Start an attempt, unless another delivery already did."""
    try:
        attempt = launching.claim_launch(attempt_id)
    except IllegalTransition:
        return  # delivered twice, or stopped while it waited
    launching.launch(attempt)


def inspect_models(session_id: int) -> None:
    """Look into the models of a session that somebody asked about."""
    inspections.inspect_waiting(session_id)
