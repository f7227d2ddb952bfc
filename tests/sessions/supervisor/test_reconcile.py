"""What one look at an attempt's directory leads to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessions.runtime.evidence import Evidence
from sessions.runtime.records import Claim, ExitRecord
from sessions.supervisor.reconcile import LAUNCH_SECONDS, Step, decide

NOTHING = Evidence(
    claim=None,
    exit=None,
    train_exit=None,
    stop_request=None,
    kill_request=None,
    stop_seen=None,
    shim_alive=False,
    trainer_alive=False,
    trainer_started=False,
    boot=None,
    claim_age=None,
    spec_age=None,
    heartbeat_age=None,
)
CLAIMED = replace(NOTHING, claim=Claim(by="shim", void=False))
VOID = replace(NOTHING, claim=Claim(by="reconciler", void=True))
EXIT = ExitRecord(code=0, ended_at=1.0, log_size=0, log_crc32=0)


@pytest.mark.parametrize(
    ("story", "evidence", "since_launch", "step"),
    [
        ("not yet taken by a worker", NOTHING, None, Step.WAIT),
        ("just taken", NOTHING, 1.0, Step.WAIT),
        ("taken long ago and never claimed", NOTHING, LAUNCH_SECONDS + 1, Step.VOID),
        ("may never start", VOID, 99.0, Step.FAIL),
        ("shim and trainer live", replace(CLAIMED, shim_alive=True, trainer_alive=True), 99.0, Step.FOLLOW),
        ("shim lives, trainer not yet", replace(CLAIMED, shim_alive=True), 0.1, Step.FOLLOW),
        ("only the trainer lives", replace(CLAIMED, trainer_alive=True), 99.0, Step.FOLLOW_ALONE),
        ("nobody lives and nobody wrote why", CLAIMED, 99.0, Step.INFER),
        ("the end is recorded", replace(CLAIMED, exit=EXIT), 99.0, Step.CLOSE),
        (
            "the end is recorded while the shim still leaves",
            replace(CLAIMED, exit=EXIT, shim_alive=True),
            99.0,
            Step.CLOSE,
        ),
        ("recorded, and somebody lives", replace(CLAIMED, exit=EXIT, leftovers=(7,)), 99.0, Step.END_LEFTOVERS),
        ("the end is recorded and the trainer lives", replace(CLAIMED, exit=EXIT, trainer_alive=True), 99.0,
         Step.END_LEFTOVERS),
        ("only what the trainer started lives", replace(CLAIMED, leftovers=(7,)), 99.0, Step.END_LEFTOVERS),
        ("a shim that has not claimed yet", replace(NOTHING, shim_alive=True), 1.0, Step.WAIT),
        ("a shim that has not claimed for long", replace(NOTHING, shim_alive=True), 31.0, Step.VOID),
        ("a claim that says nothing, just taken", replace(NOTHING, claim_age=1.0), 1.0, Step.WAIT),
        ("a claim that says nothing, for long", replace(NOTHING, claim_age=31.0), 31.0, Step.FAIL),
    ],
)  # fmt: skip
def test_a_look_leads_to_one_step(story: str, evidence: Evidence, since_launch: float | None, step: Step) -> None:
    assert decide(evidence, since_launch=since_launch) is step


@pytest.mark.parametrize(
    ("story", "evidence", "step"),
    [
        ("its folder is gone and nobody lives", NOTHING, Step.LOSE),
        ("its claim became void", VOID, Step.LOSE),
        ("no folder, but somebody lives", replace(NOTHING, leftovers=(7,), trainer_alive=True), Step.FOLLOW_ALONE),
        ("its claim is gone and its shim lives", replace(NOTHING, shim_alive=True), Step.FOLLOW),
        ("all is well", replace(CLAIMED, shim_alive=True, trainer_alive=True), Step.FOLLOW),
        ("its end is recorded", replace(NOTHING, exit=EXIT), Step.CLOSE),
    ],
)  # fmt: skip
def test_an_attempt_that_has_started_can_only_go_on_or_end(story: str, evidence: Evidence, step: Step) -> None:
    for since_launch in (None, 1.0, 99.0):
        assert decide(evidence, since_launch=since_launch, started=True) is step
