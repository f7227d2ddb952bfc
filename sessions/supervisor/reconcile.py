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
    END_LEFTOVERS = "end leftovers"
    CLOSE = "close"
    INFER = "infer"
    VOID = "void"
    FAIL = "fail"
    LOSE = "lose"


def decide(evidence: Evidence, *, since_launch: float | None, started: bool = False) -> Step:
    """Return what to do about an attempt that is not over.

    `since_launch` is how many seconds ago the launch task took it, None before it did; `started` says that the
    attempt is known to have started, whatever its directory says. The order matters: an exit record ends everything
    once nobody lives any more, a void claim can never start, a claim without any living process is an ending nobody
    recorded, and only then does a launch count as too old.
    """
    if evidence.exit is not None:
        return Step.END_LEFTOVERS if evidence.trainer_alive or evidence.leftovers else Step.CLOSE
    claimed = evidence.claim is not None and not evidence.claim.void
    if claimed or started:
        return _started(evidence, claimed=claimed)
    if evidence.claim is not None:
        return Step.FAIL
    if since_launch is None or since_launch <= LAUNCH_SECONDS:
        return Step.WAIT
    # A claim that is there and says nothing keeps every shim from starting as well as a void one.
    return Step.VOID if evidence.claim_age is None else Step.FAIL


def _started(evidence: Evidence, *, claimed: bool) -> Step:
    if evidence.shim_alive:
        return Step.FOLLOW
    if evidence.trainer_alive:
        return Step.FOLLOW_ALONE
    if evidence.leftovers:
        return Step.END_LEFTOVERS
    # Without its claim, the directory is not what it was: nothing in it is believed.
    return Step.INFER if claimed else Step.LOSE
