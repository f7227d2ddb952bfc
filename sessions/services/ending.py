"""The one place where an attempt that was granted a slot ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from sessions.domain.states import State
from sessions.models import Attempt, PortLease
from sessions.services.transitions import SUPERVISOR, move


def end(
    attempt: Attempt, to: State, *, why: str, expected: Iterable[State], fields: dict[str, Any], follow: bool = True
) -> bool:
    """Bring an attempt to a terminal state, give its ports back and enqueue what follows, all together or not at all.

    Returns whether this caller did it. Without `follow` nothing is enqueued: the session goes on.
    """
    with transaction.atomic():
        if not move(attempt, to, who=SUPERVISOR, why=why, expected=expected, fields=fields):
            return False
        PortLease.objects.filter(attempt=attempt).delete()
        if follow:
            for task in settings.MENTOR_AFTER_SESSION:
                async_task(task, attempt.session_id)
    return True
