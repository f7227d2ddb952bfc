"""What the files of somebody else's training say is believed as far as it goes, and no further."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.results_facts import TimerFacts, Traces, judge, max_steps_of, read_timers
from sessions.domain.states import State

BALL = {"Ball": 1000}


def traces(**told: object) -> Traces:
    known = {"fresh": False, "ended_well": False, "tells_its_end": True, "steps": {"Ball": 500}, "max_steps": BALL}
    return Traces(**{**known, **told})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"fresh": True}, State.RUNNING),
        ({"fresh": True, "steps": {"Ball": 1000}}, State.RUNNING),  # it is still saving
        ({"fresh": True, "ended_well": True, "steps": {"Ball": 1000}}, State.COMPLETED),
        ({"steps": {"Ball": 1000}}, State.COMPLETED),
        ({"ended_well": True}, State.STOPPED),
        ({"fresh": True, "ended_well": True}, State.STOPPED),
        ({}, State.LOST),
        ({"tells_its_end": False}, State.STOPPED),
        ({"there": False}, State.LOST),
        ({"max_steps": {}, "ended_well": True}, State.STOPPED),
        ({"steps": {}, "max_steps": {}}, State.LOST),
        ({"steps": {"Ball": 1000, "Goal": 1}, "max_steps": {"Ball": 1000, "Goal": 1000}}, State.LOST),
    ],
)
def test_the_state_is_what_the_traces_say(told: dict[str, object], state: State) -> None:
    assert judge(traces(**told))[0] is state


def test_the_sentence_says_how_far_it_came() -> None:
    assert "Ball at 500 of 1,000" in judge(traces())[1]


def test_max_steps_are_read_from_what_mlagents_writes() -> None:
    text = b"behaviors:\n  Ball:\n    max_steps: 5e5\n    unknown_key: 1\nenv_settings:\n  env_path: /x\n  seed: -1\n"
    assert max_steps_of(text) == {"Ball": 500_000}


@pytest.mark.parametrize(
    "text",
    [b"", b"[", b"behaviors: 3", b"behaviors:\n  Ball: 1", b"a: &a [*a]", b"behaviors:\n  B:\n    max_steps: -1"],
)
def test_what_is_no_configuration_tells_nothing(text: bytes) -> None:
    assert max_steps_of(text) == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_no_trouble(data: bytes) -> None:
    max_steps_of(data)
    assert read_timers(data) == TimerFacts()


def test_timers_tell_version_and_command() -> None:
    told = {
        "metadata": {"mlagents_version": "1.1.0", "command_line_arguments": r"C:\py\mlagents-learn a.yaml --run-id=x"}
    }
    assert read_timers(json.dumps(told).encode()) == TimerFacts(
        "1.1.0", (r"C:\py\mlagents-learn", "a.yaml", "--run-id=x")
    )


@pytest.mark.parametrize(
    "told", [[], {"metadata": 3}, {"metadata": {"mlagents_version": [1], "command_line_arguments": {}}}]
)
def test_timers_of_another_shape_tell_nothing(told: object) -> None:
    assert read_timers(json.dumps(told).encode()) == TimerFacts()
