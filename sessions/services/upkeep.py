"""What MENTOR does for itself when nobody asks: files of archived and deleted sessions, sizes, retention."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from django.conf import settings

from sessions.domain.states import State
from sessions.models import TrainingSession
from sessions.runtime.locks import FileLock
from sessions.runtime.removing import remove_tree
from sessions.services import chores, deletion, packing, retention
from sessions.services.transitions import record

logger = logging.getLogger(__name__)

# A launch may wait behind a slice.
SLICE_SECONDS = 4.0
SESSIONS_AT_ONCE = 200
WORK: dict[str, Callable[..., bool]] = {
    "pack": packing.pack_session,
    "unpack": packing.unpack_session,
    "delete": deletion.remove_session,
    "delete_all": deletion.remove_session,
}


def is_due() -> bool:
    """Tell whether there is something to do now."""
    return chores.due().exists() or retention.is_due()


def work(*, seconds: float = SLICE_SECONDS) -> bool:
    """Do a slice of what is due; return whether all of it is done. One process does it at a time."""
    deadline = monotonic() + seconds
    with _alone() as alone:
        if not alone:
            return True
        for session in chores.due()[:SESSIONS_AT_ONCE]:
            if not _done(session, deadline) or monotonic() > deadline:
                break  # the first is always tried, so that every slice gets on
        else:
            _sweep(deadline)
            retention.run_if_due(deadline=deadline)
    return not is_due()


@contextmanager
def _alone() -> Iterator[bool]:
    lock = FileLock(Path(settings.MENTOR_HOME) / "upkeep.lock")
    alone = lock.acquire()
    try:
        yield alone
    finally:
        if alone:
            lock.release()


def _done(session: TrainingSession, deadline: float) -> bool:
    """Do a session's chore; one that cannot be done is tried again later, and keeps no other from its turn."""
    try:
        return WORK[session.chore](session, deadline=deadline)
    except OSError as error:
        logger.warning("%s: its files could not be dealt with (%s); it is tried again", session.run_id, error)
        if session.chore_after is None:
            state = State(session.state)
            why = f"Its files could not be dealt with: {error}. It is tried again."
            record(session.pk, None, state, state, who=packing.WHO, why=why)
        chores.postpone(session)
        return True


def _sweep(deadline: float) -> None:
    """Delete what is left of run directories whose sessions are gone already."""
    try:
        left = list(deletion.removed_folder().iterdir())
    except OSError:
        return
    for folder in left:
        key = folder.name.partition("-")[0]
        if not (key.isdecimal() and TrainingSession.objects.filter(pk=int(key)).exists()):
            try:
                remove_tree(folder, deadline=deadline)
            except OSError as error:
                logger.warning("%s cannot be deleted (%s)", folder, error)
