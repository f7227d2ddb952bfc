"""What the worker runs: each takes an id, ends soon, and may be delivered twice."""

from __future__ import annotations

from sessions.errors import IllegalTransition
from sessions.services import imports, launching


def launch_attempt(attempt_id: int) -> None:
    """Start an attempt, unless another delivery already did."""
    try:
        attempt = launching.claim_launch(attempt_id)
    except IllegalTransition:
        return  # delivered twice, or stopped while it waited
    launching.launch(attempt)


def work_on_import(import_id: int) -> None:
    """Do a slice of an import and enqueue the next, until there is nothing left."""
    if not imports.work(import_id):
        imports.enqueue(import_id)
