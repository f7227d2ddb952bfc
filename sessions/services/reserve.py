"""Stopping a training whose disk is nearly full, while its model can still be saved."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from sessions.domain.states import SPEAKING, State
from sessions.models import Attempt, TrainingSession
from sessions.selectors.disk import reserve_bytes
from sessions.services.stopping import DISK_RESERVE, request_stop
from sessions.services.transitions import move

MB = 1024 * 1024


def stop_for_room(attempt: Attempt, folder: Path, free: int) -> bool:
    """Ask a training to save and end because only `free` bytes are left where `folder` lies.

    Returns False, and changes nothing, for one that does not train, or was asked to end already by anyone.
    """
    with transaction.atomic():
        session = TrainingSession.objects.get(pk=attempt.session_id)
        if session.wanted != "run" or State(session.state) not in SPEAKING:
            return False
        if not move(attempt, State.STOPPING, who=DISK_RESERVE, why=_why(folder, free), expected=SPEAKING):
            return False
        request_stop(session, by=DISK_RESERVE)
    return True


def _why(folder: Path, free: int) -> str:
    return (
        f"Only {free // MB:,} MB are free on the disk of {folder}, less than the reserve of {reserve_bytes() // MB:,} "
        "MB; the trainer is saving its model. Make room, then resume it."
    )
