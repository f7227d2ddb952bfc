"""Ending the trainings together with MENTOR."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from django.conf import settings

from mentor_site.processes import Minder
from sessions.domain.states import ENDED, values
from sessions.errors import Conflict
from sessions.models import TrainingSession
from sessions.services.stopping import request_stop


def stop_trainings(minder: Minder | None, *, say: Callable[[str], None]) -> None:
    """Ask every session that has not ended to stop, and wait until they have, looking after MENTOR."""
    unfinished = TrainingSession.objects.exclude(state__in=values(ENDED)).exclude(origin="imported")
    for session in unfinished:
        say(f"Stopping {session.run_id}; it saves its model first.")
        with contextlib.suppress(Conflict):
            request_stop(session, by="up --stop-trainings")
    deadline = time.monotonic() + settings.MENTOR["MENTOR_STOP_GRACE_SECONDS"] + 30
    while unfinished.exists() and time.monotonic() < deadline:
        if minder is not None:
            minder.mind()
        time.sleep(0.25)
