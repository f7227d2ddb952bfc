"""Sessions that were started for what they tell, and are removed with all they wrote once they have told it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from django.conf import settings

from sessions.domain.command import numbered
from sessions.domain.states import ENDED, State
from sessions.errors import Conflict
from sessions.models import TrainingSession
from sessions.models.session import THROWN_AWAY
from sessions.runtime.rundir import RunDirectory
from sessions.services import stopping


def free_run_id(run_id: str, part: str, used: Iterable[str]) -> str:
    """Return a run id for a part of a session's evaluation or trial that was never `used`, such as ball-1-eval-3."""
    taken = {one.lower() for one in used}
    some = TrainingSession.objects.filter(run_id__icontains=f"-{part}-").values_list("run_id", flat=True)
    taken |= {one.lower() for one in some}
    number = 1
    while (name := numbered(f"{run_id[:50]}-{part}", number)).lower() in taken:
        number += 1
    return name


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
