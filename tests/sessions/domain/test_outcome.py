"""How endings are told apart: one table of what was seen and what it means."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.outcome import Ending, Outcome, classify
from sessions.domain.states import ENDED, State

HALF = Ending(
    code=0,
    stop_requested=False,
    killed=False,
    kill_asked=False,
    grace_seconds=180.0,
    inferred=False,
    interrupted=False,
    steps={"Ball": 12_034},
    max_steps={"Ball": 40_000},
    saved=[],
    failure=None,
    same_boot=True,
    started=True,
)
WHOLE = replace(HALF, steps={"Ball": 40_012}, saved=["Ball.onnx at step 40,012"])
SAVED = ["Ball.onnx at step 12,034"]
TIMEOUT = "UnityTimeOutException: The Unity environment took too long to respond."


@pytest.mark.parametrize(
    ("ending", "state", "words"),
    [
        (WHOLE, "completed", ["Every behavior", "Ball.onnx was saved at step 40,012."]),
        (replace(WHOLE, stop_requested=True), "completed", ["Every behavior"]),
        (replace(WHOLE, steps={"Ball": 40_012, "Goal": 5}, max_steps={"Ball": 40_000, "Goal": 5}), "completed", []),
        (replace(WHOLE, max_steps={"Ball": 40_000, "Never": 9}), "completed", []),
        (replace(WHOLE, max_steps={}), "completed", []),
        (
            replace(WHOLE, saved=["A.onnx at step 1", "B.onnx at step 2"]),
            "completed",
            ["A.onnx at step 1 and B.onnx at step 2 were saved."],
        ),
        (
            replace(WHOLE, steps={"Ball": 40_012, "Goal": 4}, max_steps={"Ball": 40_000, "Goal": 5}),
            "failed",
            ["Goal at 4 of 5"],
        ),
        (replace(WHOLE, interrupted=True, stop_requested=True), "stopped", ["Stopped as asked"]),
        (
            replace(HALF, stop_requested=True, saved=SAVED),
            "stopped",
            ["Stopped as asked; Ball.onnx was saved at step 12,034."],
        ),
        (replace(HALF, stop_requested=True, interrupted=True), "stopped", ["Stopped as asked; nothing new was saved."]),
        (replace(HALF, stop_requested=True, code=75, steps={}), "stopped", ["before training began"]),
        *((replace(HALF, stop_requested=True, code=code), "stopped", ["as asked"]) for code in (-2, 130, 0xC000013A)),
        (replace(HALF, stop_requested=True, code=None, saved=SAVED), "stopped", ["Ball.onnx was saved"]),
        (replace(HALF, stop_requested=True, code=None), "lost", ["without leaving an exit code"]),
        (replace(HALF, stop_requested=True, code=1, failure=TIMEOUT), "failed", ["took too long"]),
        (replace(HALF, killed=True, code=-9), "stopped", ["by force", "Nothing new was saved."]),
        (replace(HALF, killed=True, code=None), "stopped", ["Ended at once, by force. Nothing"]),
        (
            replace(HALF, killed=True, kill_asked=True, stop_requested=True, code=-9),
            "stopped",
            ["Ended at once, by force, while it was stopping."],
        ),
        (
            replace(HALF, killed=True, stop_requested=True, code=-9),
            "stopped",
            ["It had not stopped within 180 s, and was ended by force."],
        ),
        (
            replace(HALF, killed=True, stop_requested=True, grace_seconds=None, code=-9),
            "stopped",
            ["It had not stopped, and was ended by force."],
        ),
        (replace(HALF, killed=True, code=-9, saved=SAVED), "stopped", ["Ball.onnx was saved at step 12,034."]),
        (HALF, "failed", ["closed the connection", "Ball at 12,034 of 40,000", "Nothing new was saved."]),
        (replace(HALF, interrupted=True, saved=SAVED), "failed", ["closed the connection", "Ball.onnx was saved"]),
        (replace(HALF, interrupted=True, max_steps={}), "failed", ["(Ball at 12,034)"]),
        (replace(HALF, steps={}), "failed", ["before it trained a step"]),
        (
            replace(HALF, code=1, failure=TIMEOUT, advice="Press Play."),
            "failed",
            ["exit code 1", f"{TIMEOUT} Press Play."],
        ),
        (
            replace(HALF, code=1, failure="ValueError: no dot", saved=SAVED),
            "failed",
            ["ValueError: no dot. Ball.onnx was saved"],
        ),
        (replace(HALF, code=1), "failed", ["its console says no more."]),
        (
            replace(HALF, code=2, failure="unrecognized arguments: --x"),
            "failed",
            ["exit code 2", "unrecognized arguments"],
        ),
        (replace(HALF, code=-9), "failed", ["memory runs out"]),
        (replace(HALF, code=-11, saved=SAVED), "failed", ["segmentation fault", "Ball.onnx was saved"]),
        (replace(HALF, code=0xC0000005), "failed", ["access violation"]),
        (replace(HALF, code=-2), "failed", ["interrupted, and not by MENTOR"]),
        (replace(HALF, code=None, inferred=True), "lost", ["Resume it from its last checkpoint."]),
        (replace(HALF, code=None, failure="OSError: disk"), "lost", ["Its last error was OSError: disk."]),
        (replace(HALF, code=None, same_boot=False), "lost", ["machine was restarted"]),
        (
            replace(HALF, code=None, same_boot=False, stop_requested=True, saved=SAVED),
            "lost",
            ["machine was restarted"],
        ),
        (replace(HALF, code=None, started=False, steps={}), "failed", ["could not be started"]),
        (replace(WHOLE, inferred=True), "completed", []),
    ],
)
def test_an_ending_is_told_apart(ending: Ending, state: str, words: list[str]) -> None:
    outcome = classify(ending)
    assert outcome.state == state
    assert [part for part in words if part not in outcome.explanation] == []


NAMES = st.sampled_from(["Ball", "Goal", "Ворота 2"])
ENDINGS = st.builds(
    Ending,
    code=st.none() | st.sampled_from([0, 1, 2, 75, -2, -9, 0xC000013A]) | st.integers(-64, 2**32 - 1),
    stop_requested=st.booleans(),
    killed=st.booleans(),
    inferred=st.booleans(),
    interrupted=st.booleans(),
    steps=st.dictionaries(NAMES, st.integers(0, 10), max_size=3),
    max_steps=st.dictionaries(NAMES, st.integers(1, 10), max_size=3),
    saved=st.lists(st.sampled_from(["Ball.onnx", "Ball.onnx at step 5"]), max_size=2),
    failure=st.none() | st.text(min_size=1, max_size=30),
    same_boot=st.booleans(),
    started=st.booleans(),
)


@given(ENDINGS)
def test_every_ending_has_a_terminal_state_and_a_sentence(ending: Ending) -> None:
    outcome = classify(ending)
    assert State(outcome.state) in ENDED
    assert outcome.explanation.endswith((".", "!", "?", "…"))


@given(ENDINGS)
def test_completed_means_that_all_that_appeared_reached_its_goal(ending: Ending) -> None:
    if classify(ending).state == "completed":
        assert ending.code == 0
        assert ending.steps
        assert all(step >= ending.max_steps.get(name, 0) for name, step in ending.steps.items())


@given(ENDINGS)
def test_stopped_is_only_what_somebody_asked_for(ending: Ending) -> None:
    if classify(ending).state == "stopped":
        assert ending.stop_requested or ending.killed


def test_an_error_after_the_model_was_saved_does_not_make_a_stop_a_failure() -> None:
    saved = ["Ball.onnx at step 12,034"]
    left = replace(
        HALF, code=1, stop_requested=True, interrupted=True, failure="EOFError: Ran out of input", saved=saved
    )
    assert classify(left) == Outcome(
        "stopped",
        "Stopped as asked; Ball.onnx was saved at step 12,034. On its way out it ended with code 1: "
        "EOFError: Ran out of input.",
    )
    assert classify(replace(left, saved=[])).state == "failed"
    assert classify(replace(left, interrupted=False)).state == "failed"
