"""Making a backup while MENTOR runs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from django.conf import settings
from django.db import connection

from mentor_site.archive import DATABASE, SECRET_KEY, Manifest, Writer, may_be_restored, new_archive
from sessions.selectors.database import applied_migrations, file_of_database

# Of an attempt's files, these are large or mean nothing elsewhere.
LARGE = ("console.log", "console.log.gz")
MEANINGLESS = ("shim.lock", "train.lock", "heartbeat")


@dataclass(frozen=True)
class Made:
    """A backup that was made; `left_out` are files that could not be read or have names that no archive takes."""

    files: int
    size: int
    left_out: tuple[str, ...]


def make_backup(target: Path, *, with_results: bool) -> Made:
    """Write a backup of MENTOR_HOME to `target`, which is there whole at the end or not at all.

    The database is copied first, so that files are never older than what it says of them.
    """
    home = Path(settings.MENTOR_HOME)
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".mentor-backup-") as scratch,
        new_archive(target) as new,
    ):
        database = file_of_database()
        if database is not None:
            copy_database(database, Path(scratch) / DATABASE)
            new.add(Path(scratch) / DATABASE, DATABASE)
        left_out = tuple(_add_files(new, home, with_results=with_results))
        new.finish(_manifest(new, home, with_results=with_results))
    return Made(len(new.entries), target.stat().st_size, left_out)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database by its own means: the state of one moment, also while others write."""
    there = sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=20)
    with contextlib.closing(there) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _add_files(new: Writer, home: Path, *, with_results: bool) -> Iterator[str]:
    for path in _files(home, with_results=with_results):
        name = path.relative_to(home).as_posix()
        if not _can_be_named(name) or not new.add(path, name):
            yield name


def _can_be_named(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return may_be_restored(name)


def _files(home: Path, *, with_results: bool) -> Iterator[Path]:
    yield home / SECRET_KEY
    for run in _entries(home / "runs", folders=True):
        yield from (path for path in _entries(run) if path.name == "session.json")
        for attempt in _entries(run / "attempts", folders=True):
            yield from (path for path in _entries(attempt) if _is_wanted(path.name, with_results=with_results))
        if with_results:
            for part in ("results", "kept", "starts"):
                yield from _tree(run / part)
    if with_results:
        yield from _tree(home / "reports")


def _is_wanted(name: str, *, with_results: bool) -> bool:
    return not name.startswith(".") and name not in MEANINGLESS and (with_results or name not in LARGE)


def _entries(folder: Path, *, folders: bool = False) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if not entry.is_symlink() and (entry.is_dir() if folders else entry.is_file()):
            yield entry


def _tree(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(place, name)).is_file() and not path.is_symlink())


def _manifest(new: Writer, home: Path, *, with_results: bool) -> Manifest:
    return Manifest(
        version=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
        made_at=datetime.now(tz=timezone.utc).isoformat(timespec="seconds"),
        machine=settings.MENTOR_MACHINE,
        home=str(home),
        database=connection.vendor,
        migrations=sorted("/".join(key) for key in applied_migrations()),
        with_results=with_results,
        files=tuple(new.entries),
    )
