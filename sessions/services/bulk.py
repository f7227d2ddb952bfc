"""One thing asked of many sessions: each that allows it gets it, each that does not says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sessions.domain.labels import clean_project, clean_tags
from sessions.errors import InvalidInput, MentorError
from sessions.models import TrainingSession
from sessions.selectors.sessions import User, visible_sessions
from sessions.services import actions, editing

MOST = 1000
SHELVING = ("archive", "unarchive", "trash", "restore")
LABELLING = ("tag", "untag", "project")
BULK_ACTIONS = (*LABELLING, *SHELVING)
# What takes an action back.
OPPOSITES = {"archive": "unarchive", "unarchive": "archive", "trash": "restore", "restore": "trash"}


@dataclass(frozen=True)
class Refused:
    """A session that kept out, and why."""

    run_id: str
    detail: str


@dataclass
class BulkResult:
    """What became of each session that was named."""

    done: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def apply(run_ids: Sequence[str], action: str, value: str = "", *, by: User) -> BulkResult:
    """Do an action of BULK_ACTIONS to the sessions of these run ids; `value` is the tag or the project.

    Raises InvalidInput for an action there is not, a tag that is none, or more than MOST sessions.
    """
    act = _act(action, value, by=by)
    names = list(dict.fromkeys(run_ids))
    if len(names) > MOST:
        raise InvalidInput(f"At most {MOST} sessions at once.", errors={"run_ids": [f"There are {len(names)}."]})
    found = {one.run_id: one for one in visible_sessions(by).filter(run_id__in=names)}
    result = BulkResult()
    for name in names:
        try:
            if name not in found:
                raise InvalidInput(f"There is no session {name}.")
            act(found[name])
            result.done.append(name)
        except MentorError as error:
            result.refused.append(Refused(name, error.detail))
    return result


def _act(action: str, value: str, *, by: User) -> Callable[[TrainingSession], None]:
    if action in SHELVING:
        return lambda session: actions.ask(session, action, by=by)
    if action == "project":
        return lambda session: _edit(session, "project", clean_project(value), by=by)
    if action not in LABELLING:
        raise InvalidInput(f"There is no action {action}.", errors={"action": [f"One of {', '.join(BULK_ACTIONS)}."]})
    tags = clean_tags(value.split(","))
    if not tags:
        raise InvalidInput("A tag is needed.", errors={"value": ["Write a tag."]})
    if action == "tag":
        return lambda session: _edit(session, "tags", [*session.tags, *tags], by=by)
    return lambda session: _edit(session, "tags", [tag for tag in session.tags if tag not in tags], by=by)


def _edit(session: TrainingSession, name: str, value: object, *, by: User) -> None:
    editing.require_permission(by, "training.start_session")
    editing.edit(session, {name: value}, by=by.get_username())
