"""The table of states."""

from __future__ import annotations

import pytest

from sessions.domain.states import ACTIVE, ENDED, EXPLANATIONS, TRANSITIONS, WAITING, State, require
from sessions.errors import IllegalTransition


def test_every_state_has_its_changes_and_its_explanation() -> None:
    assert set(TRANSITIONS) == set(EXPLANATIONS) == set(State)


def test_every_state_is_waiting_active_or_ended() -> None:
    assert set(State) == WAITING | ACTIVE | ENDED
    assert len(WAITING) + len(ACTIVE) + len(ENDED) == len(State)


def test_an_ended_session_can_only_be_queued_again() -> None:
    assert all(TRANSITIONS[state] == {State.QUEUED} for state in ENDED)


def test_every_active_state_can_end_as_failed_or_lost() -> None:
    assert all({State.FAILED, State.LOST} <= TRANSITIONS[state] for state in ACTIVE)


def test_what_the_table_does_not_have_is_refused_in_words() -> None:
    require(State.QUEUED, State.LAUNCHING)
    with pytest.raises(IllegalTransition, match="A completed session cannot become running"):
        require(State.COMPLETED, State.RUNNING)
