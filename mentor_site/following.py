"""Following a session in a terminal."""

from __future__ import annotations

import sys
import time
from typing import Protocol

from mentor_site.processes import Minder
from sessions.domain.states import ENDED, State
from sessions.errors import Conflict
from sessions.models import TrainingSession
from sessions.selectors.sessions import session_detail
from sessions.selectors.shapes import SessionDetailShape
from sessions.services.stopping import request_stop

BAR_WIDTH = 30
LOOK_SECONDS = 0.5


class Writer(Protocol):
    """Django's output wrapper, or any file."""

    def write(self, msg: str = ..., /) -> object: ...


def follow(session: TrainingSession, minder: Minder, *, write: Writer) -> State:
    """Show the session's progress until it has ended; Ctrl-C (the minder's stop) asks it to stop and waits on."""
    asked = False
    shown = ""
    while True:
        minder.mind()
        detail = session_detail(TrainingSession.objects.get(pk=session.pk))
        line = progress_line(detail)
        if line != shown:
            write.write(f"\r{line}" if sys.stdout.isatty() else line)
            shown = line
        if State(detail.state) in ENDED:
            write.write(detail.explanation)
            return State(detail.state)
        if minder.stopped and not asked:
            asked = True
            _ask_to_stop(session)
        time.sleep(LOOK_SECONDS)


def _ask_to_stop(session: TrainingSession) -> None:
    try:
        request_stop(session, by="terminal")
    except Conflict:
        return  # it ended in the meantime


def progress_line(detail: SessionDetailShape) -> str:
    """Return one line: state, bar, steps, rewards, time left."""
    share = detail.progress or 0.0
    bar = "#" * int(share * BAR_WIDTH)
    rewards = "  ".join(f"{one.name} {one.mean_reward:.3f}" for one in detail.behaviors if one.mean_reward is not None)
    left = f"  {detail.eta_seconds:.0f} s left" if detail.eta_seconds is not None else ""
    return f"{detail.state:<10} [{bar:<{BAR_WIDTH}}] {share:4.0%}  step {detail.step:,}  {rewards}{left}".rstrip()
