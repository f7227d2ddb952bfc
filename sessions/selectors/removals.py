"""What was deleted for good."""

from __future__ import annotations

from sessions.models import Removal
from sessions.selectors.sessions import User

SHOWN = 200


def removals_seen_by(user: User) -> list[Removal]:
    """Return the deletions a user may know of, newest first: all with the permission to view, else the user's own."""
    removals = Removal.objects.all()
    if not user.has_perm("training.view_trainingsession"):
        removals = removals.filter(who=user.get_username())
    return list(removals[:SHOWN])
