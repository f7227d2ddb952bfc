"""What the worker runs: each takes an id, ends soon, and may be delivered twice."""

from __future__ import annotations

from sessions.errors import IllegalTransition
from sessions.services import compaction, launching

# So long at a time: others wait in the same queue.
SLICE_SECONDS = 10.0


def launch_attempt(attempt_id: int) -> None:
    """Start an attempt, unless another delivery already did."""
    try:
        attempt = launching.claim_launch(attempt_id)
    except IllegalTransition:
        return  # delivered twice, or stopped while it waited
    launching.launch(attempt)


def compact_series() -> None:
    """Compress what ended attempts have written, a slice at a time."""
    if not compaction.compact(seconds=SLICE_SECONDS):
        compaction.ask()
