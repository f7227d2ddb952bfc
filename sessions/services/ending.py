"""The one place where an attempt that was granted a slot ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from sessions.domain.states import State
from sessions.models import Attempt, PortLease
from sessions.services import rules
from sessions.services.transitions import SUPERVISOR, announce_end, move


def end(
    attempt: Attempt,
    to: State,
    *,
    why: str,
    expected: Iterable[State],
    fields: dict[str, Any],
    refused: bool = False,
    follow: bool = True,
) -> bool:
    """Bring an attempt to a terminal state, give its ports back and see to what follows, all together or not at all.

    What follows is a restart by the session's rules (not of what was `refused`), else the tasks after its end. Without
    `follow` it is nothing: the session goes on. Returns whether this caller did it.
    """
    with transaction.atomic():
        if not move(attempt, to, who=SUPERVISOR, why=why, expected=expected, fields=fields):
            return False
        PortLease.objects.filter(attempt=attempt).delete()
        if follow and not rules.follow_end(attempt, refused=refused):
            announce_end(attempt.session_id)
    return True
