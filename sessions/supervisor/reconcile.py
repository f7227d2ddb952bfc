"""What an attempt's directory says must happen next: a pure function of one look at it."""

from __future__ import annotations

from enum import Enum

from sessions.runtime.evidence import Evidence

LAUNCH_SECONDS = 30.0


class Step(Enum):
    """The one thing to do about an attempt after a look."""

    WAIT = "wait"
    FOLLOW = "follow"
    FOLLOW_ALONE = "follow alone"
    CLOSE = "close"
    INFER = "infer"
    VOID = "void"
    FAIL = "fail"


def decide(evidence: Evidence, *, since_launch: float | None) -> Step:
    """Return what to do; `since_launch` is the age in seconds of the launch task's claim, None before it.

    The order matters: an exit record ends everything, a void claim can never start, a claim without any living
    process is an ending nobody recorded, and only then does a launch count as too old.
    """
    if evidence.exit is not None:
        return Step.CLOSE
    if evidence.claim is not None and evidence.claim.void:
        return Step.FAIL
    if evidence.claim is not None:
        return _claimed(evidence)
    if since_launch is not None and since_launch > LAUNCH_SECONDS:
        return Step.VOID
    return Step.WAIT


def _claimed(evidence: Evidence) -> Step:
    if evidence.shim_alive:
        return Step.FOLLOW
    return Step.FOLLOW_ALONE if evidence.trainer_alive else Step.INFER
