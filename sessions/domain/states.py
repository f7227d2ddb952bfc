"""The states of a session and the changes between them."""

from __future__ import annotations

from enum import Enum

from sessions.errors import IllegalTransition


class State(str, Enum):
    """Where a session stands; the values are the words of pages and API."""

    QUEUED = "queued"
    LAUNCHING = "launching"
    STARTING = "starting"
    WAITING_FOR_EDITOR = "waiting_for_editor"
    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    STOPPED = "stopped"
    PAUSED = "paused"
    FAILED = "failed"
    LOST = "lost"


_ENDINGS = frozenset({State.COMPLETED, State.STOPPED, State.PAUSED, State.FAILED, State.LOST})
_BACK_TO_QUEUE = frozenset({State.QUEUED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.LAUNCHING, State.STOPPED, State.FAILED}),
    State.LAUNCHING: frozenset({State.STARTING, State.STOPPING, State.STOPPED, State.FAILED, State.LOST}),
    State.STARTING: frozenset({State.WAITING_FOR_EDITOR, State.RUNNING, State.STOPPING}) | _ENDINGS,
    State.WAITING_FOR_EDITOR: frozenset({State.RUNNING, State.STOPPING}) | _ENDINGS,
    State.RUNNING: frozenset({State.WAITING_FOR_EDITOR, State.STOPPING}) | _ENDINGS,
    State.STOPPING: _ENDINGS,
    State.COMPLETED: _BACK_TO_QUEUE,
    State.STOPPED: _BACK_TO_QUEUE,
    State.PAUSED: _BACK_TO_QUEUE,
    State.FAILED: _BACK_TO_QUEUE,
    State.LOST: _BACK_TO_QUEUE,
}

ENDED = _ENDINGS
WAITING = frozenset({State.QUEUED})
# A process of the session may exist.
ACTIVE = frozenset(TRANSITIONS) - ENDED - WAITING
# States in which the trainer's own output decides what comes next.
SPEAKING = frozenset({State.STARTING, State.WAITING_FOR_EDITOR, State.RUNNING})

EXPLANATIONS: dict[State, str] = {
    State.QUEUED: "Waits for a free slot.",
    State.LAUNCHING: "The trainer is being started.",
    State.STARTING: "The trainer has started and is loading.",
    State.WAITING_FOR_EDITOR: "The trainer waits for Unity: press Play in the Unity Editor.",
    State.RUNNING: "The trainer is training.",
    State.STOPPING: "Asked to stop; the trainer is saving its model.",
    State.COMPLETED: "Every behavior reached its max_steps.",
    State.STOPPED: "Stopped as asked.",
    State.PAUSED: "Paused; it goes on from its saved model when it is resumed.",
    State.FAILED: "The trainer ended with an error.",
    State.LOST: "The trainer ended without a word.",
}


def require(old: State, new: State) -> None:
    """Raise IllegalTransition unless a session may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransition(f"A {old.value} session cannot become {new.value}.")


def values(states: frozenset[State]) -> list[str]:
    """Return the states' words in the order of their declaration, for queries."""
    return [state.value for state in State if state in states]
