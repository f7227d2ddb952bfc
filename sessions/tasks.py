"""What the worker runs: each takes an id, ends soon, and may be delivered twice."""

from __future__ import annotations

from sessions.errors import IllegalTransition
from sessions.services import launching
from sessions.services import upkeep as upkeeping


def launch_attempt(attempt_id: int) -> None:
    """Start an attempt, unless another delivery already did."""
    try:
        attempt = launching.claim_launch(attempt_id)
    except IllegalTransition:
        return  # delivered twice, or stopped while it waited
    launching.launch(attempt)


def upkeep() -> None:
    """Do a slice of what MENTOR does for itself; the supervisor asks again while there is more."""
    upkeeping.work()
