"""Where a session's files are, which of them are MENTOR's own, and how much room they take."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from sessions.models import Attempt, TrainingSession
from sessions.runtime.locks import is_held
from sessions.runtime.packing import ENDING, EVENTS, HIDDEN_EVENTS
from sessions.runtime.removing import bytes_in
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.files import results_of

# Smaller ones take a block of the disk in any form.
LEAST_BYTES = 4096
CONSOLE = "console.log"
PLAYER_LOG = re.compile(r"Player-\d+\.log")


@dataclass(frozen=True)
class Leaving:
    """What deleting a session takes along: MENTOR's own files always, its user's results folder only when told to.

    `folder` is empty where there is no folder beside MENTOR's own.
    """

    run_id: str
    name: str
    own_bytes: int
    folder: str
    folder_bytes: int


def own_folder(session: TrainingSession) -> Path:
    """Return the session's run directory, all of which is MENTOR's."""
    return RunDirectory(Path(settings.MENTOR_HOME), session.run_id).path


def users_folder(session: TrainingSession) -> Path | None:
    """Return the session's results folder when it lies outside its run directory and is there."""
    results = results_of(session)
    if results is None or results.is_symlink() or not results.is_dir():
        return None
    real, own = Path(os.path.realpath(results)), Path(os.path.realpath(own_folder(session)))
    return None if real.is_relative_to(own) or own.is_relative_to(real) else real


def leaving(session: TrainingSession) -> Leaving:
    """Return what deleting the session takes along, measured now."""
    folder = users_folder(session)
    return Leaving(
        run_id=session.run_id,
        name=session.name or session.run_id,
        own_bytes=bytes_in(own_folder(session)),
        folder=str(folder) if folder else "",
        folder_bytes=bytes_in(folder) if folder else 0,
    )


def is_shared(folder: Path, session: TrainingSession) -> bool:
    """Tell whether another session's results lie in the folder, or it in theirs."""
    others = Attempt.objects.exclude(session=session).exclude(results_dir="").select_related("session")
    places = {Path(os.path.normcase(os.path.realpath(one.results))) for one in others.only(
        "results_dir", "session__run_id", "session__origin"
    )}  # fmt: skip
    mine = Path(os.path.normcase(folder))
    return any(mine.is_relative_to(one) or one.is_relative_to(mine) for one in places)


def lives(session: TrainingSession) -> bool:
    """Tell whether a shim or a trainer of the session is still there, whatever the database says."""
    attempts = RunDirectory(Path(settings.MENTOR_HOME), session.run_id)
    found = (attempts.attempt(number) for number in session.attempts.values_list("number", flat=True))
    return any(is_held(one.shim_lock) or is_held(one.train_lock) for one in found)


def files_to_pack(folder: Path) -> Iterator[Path]:
    """Yield the consoles, Player logs and event files of a run directory that are worth compressing."""
    for path in _files(folder):
        if _is_text_of_a_run(path, folder) and path.stat().st_size >= LEAST_BYTES:
            yield path


def packed_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a run directory that MENTOR has compressed."""
    for path in _files(folder):
        name = path.name.removesuffix(ENDING)
        if path.name != name and (name == CONSOLE or HIDDEN_EVENTS in name or PLAYER_LOG.fullmatch(name)):
            yield path


def _is_text_of_a_run(path: Path, folder: Path) -> bool:
    if path.name == CONSOLE:
        return path.parent.parent == folder / "attempts"
    return f".{EVENTS}." in path.name or bool(PLAYER_LOG.fullmatch(path.name))


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (path for name in sorted(names) if (path := Path(place, name)).is_file() and not path.is_symlink())
