"""Sessions that were started for what they tell, and are removed with all they wrote once they have told it."""

from __future__ import annotations

import shutil

from django.conf import settings

from sessions.domain.states import ENDED, State
from sessions.errors import Conflict
from sessions.models import TrainingSession
from sessions.models.session import THROWN_AWAY
from sessions.runtime.rundir import RunDirectory
from sessions.services import stopping


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


def clear(session: TrainingSession) -> None:
    """End and remove what is left of an evaluation or a trial that was removed itself."""
    if State(session.state) in ENDED:
        remove(session)
    elif session.wanted != "kill":
        stopping.request_kill(session, by=f"rule: {session.origin}")
