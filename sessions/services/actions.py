"""What may be asked of a session by name, and who may ask it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sessions.models import TrainingSession
from sessions.selectors.sessions import User
from sessions.services import editing, queue, schedule, stopping


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
    "archive": Action("training.start_session", editing.archive),
    "unarchive": Action("training.start_session", editing.unarchive),
    "trash": Action("training.start_session", editing.trash),
    "restore": Action("training.start_session", editing.restore),
}


def ask(session: TrainingSession, name: str, *, by: User, **details: object) -> None:
    """Do what was asked for. Raises NotAllowed for who may not, Conflict when the session's state forbids it.

    `details` go on to what is done: a resume takes `after`, the run id of a session to wait for.
    """
    action = ACTIONS[name]
    editing.require_permission(by, action.permission, session)
    action.act(session, by=by.get_username(), **details)


def move(session: TrainingSession, index: int, *, by: User) -> None:
    """Move a waiting session in the queue. Raises NotAllowed, or Conflict when it does not wait.

    Whoever moves one changes the turn of all, so that owning it is not enough.
    """
    editing.require_permission(by, "training.start_session")
    queue.move_to(session, index, by=by.get_username())


def set_schedule(session: TrainingSession, *, at: datetime | None, after: str | None, by: User) -> None:
    """Say when a waiting session may start. Raises NotAllowed, and as `schedule.set_schedule` does."""
    editing.require_permission(by, "training.start_session", session)
    schedule.set_schedule(session, at=at, after=after, by=by.get_username())
