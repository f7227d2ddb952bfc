"""Sessions that were started for what they tell, and are removed with all they wrote once they have told it."""

from __future__ import annotations

import shutil

from django.conf import settings

from sessions.errors import Conflict
from sessions.models import TrainingSession
from sessions.models.session import THROWN_AWAY
from sessions.runtime.rundir import RunDirectory


def remove(session: TrainingSession) -> bool:
    """Remove a session that was started to be thrown away, files first; return whether all of it is gone."""
    if session.origin not in THROWN_AWAY:
        raise Conflict(f"{session.run_id} was not started to be thrown away.")
    folder = RunDirectory(settings.MENTOR_HOME, session.run_id).path
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        return False
    session.delete()
    return True
