"""What may be asked of a session by name, and who may ask it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sessions.models import TrainingSession
from sessions.selectors.sessions import User
from sessions.services import editing, queue, stopping


@dataclass(frozen=True)
class Action:
    """`act(session, by=username)` does it; `permission` is what the asking user needs."""

    permission: str
    act: Callable[..., object]


ACTIONS = {
    "stop": Action("training.stop_session", stopping.request_stop),
    "pause": Action("training.stop_session", stopping.request_pause),
    "kill": Action("training.stop_session", stopping.request_kill),
    "resume": Action("training.start_session", editing.resume),
    "hold": Action("training.stop_session", queue.hold),
    "release": Action("training.stop_session", queue.release),
    "trash": Action("training.start_session", editing.trash),
    "restore": Action("training.start_session", editing.restore),
}


def ask(session: TrainingSession, name: str, *, by: User) -> None:
    """Do what was asked for. Raises NotAllowed for who may not, Conflict when the session's state forbids it."""
    action = ACTIONS[name]
    editing.require_permission(by, action.permission, session)
    action.act(session, by=by.get_username())
