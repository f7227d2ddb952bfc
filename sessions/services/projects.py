"""Projects: a name that sessions share. There are as many as are in use, and no rows of their own."""

from __future__ import annotations

from django.db import transaction

from sessions.domain.labels import clean_project
from sessions.errors import InvalidInput, Missing
from sessions.selectors.sessions import User, visible_sessions
from sessions.services import editing


def rename(name: str, to: str, *, by: User) -> int:
    """Give a project another name and return how many sessions moved.

    A name that is in use merges the two, an empty one dissolves the project. Each session has an event of it.
    Raises NotAllowed, Missing when no session the user may see is in it, InvalidInput when nothing would change.
    """
    editing.require_permission(by, "training.start_session")
    to = clean_project(to)
    if to == name:
        raise InvalidInput("That is its name already.", errors={"to": ["Write another name."]})
    found = visible_sessions(by).filter(project=name).exclude(project="")
    with transaction.atomic():
        moved = [editing.edit(session, {"project": to}, by=by.get_username()) for session in found]
    if not moved:
        raise Missing(f"There is no project {name}.")
    return len(moved)
