"""What backup, restore and recover share: MENTOR kept from running, and a place for what is set aside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path

from sessions.errors import Conflict
from sessions.runtime.locks import FileLock, is_held
from sessions.runtime.rundir import AttemptDirectory

LOCKS = ("up.lock", "supervisor.lock")
SQLITE_PARTS = ("", "-wal", "-shm", "-journal")


@contextmanager
def house_to_ourselves(home: Path) -> Iterator[None]:
    """Keep MENTOR from running for this home meanwhile. Raises Conflict when it runs."""
    with ExitStack() as held:
        for name in LOCKS:
            lock = FileLock(home / name)
            if not lock.acquire():
                raise Conflict(f"MENTOR runs for {home}.", hint="Stop it first; trainings go on meanwhile.")
            held.callback(lock.release)
        yield


def living_attempts(home: Path) -> list[str]:
    """Return the attempts in `home` of which a shim or a trainer lives, as run id and number."""
    found = map(AttemptDirectory, sorted((home / "runs").glob("*/attempts/*")))
    return [
        f"{one.path.parent.parent.name}/{one.path.name}"
        for one in found
        if not one.exit.exists() and (is_held(one.shim_lock) or is_held(one.train_lock))
    ]


def new_folder_aside(home: Path, why: str) -> Path:
    """Make and return a folder for what is set aside, such as `set-aside/20260101-120000-restore`."""
    stem = f"{datetime.now(tz=timezone.utc):%Y%m%d-%H%M%S}-{why}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    folder = next(home / "set-aside" / name for name in names if not (home / "set-aside" / name).exists())
    folder.mkdir(mode=0o700, parents=True)
    return folder


def move_aside(path: Path, folder: Path) -> None:
    """Move a file or folder, if it is there, into `folder`, where nothing of its name lies."""
    if os.path.lexists(path):
        path.rename(folder / path.name)


def move_database_aside(database: Path, folder: Path) -> None:
    """Move a SQLite file with its journals into `folder`."""
    for ending in SQLITE_PARTS:
        move_aside(database.with_name(database.name + ending), folder)
