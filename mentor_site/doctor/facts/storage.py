"""Facts about MENTOR's folder, the disks and the database; what they mean is in `checks.storage`."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from mentor_site.doctor.checks.storage import Database, Disk, Home
from mentor_site.doctor.known import Known
from sessions.domain.trouble import GONE, Trouble
from sessions.selectors.database import CHECK_SECONDS, file_of_database, file_trouble, identity_of
from sessions.selectors.disk import free_bytes, reserve_bytes
from sessions.selectors.remains import runs_in
from sessions.supervisor.recovering import unknown_runs

FIRST_SECONDS = 0.3
JOURNAL_SECONDS = 1.0
TEMPORARY_BYTES = 256 * 1024 * 1024


def there_is_a_database() -> bool:
    """Tell whether there is a database to ask; SQLite would make an empty one where it finds none."""
    path = file_of_database()
    return path is None or identity_of(path) is not None


def first_trouble() -> Trouble | None:
    """Return what a short look at SQLite's file tells; a new installation has none yet, and that is as it should be."""
    return _trouble(FIRST_SECONDS)


def whole_trouble() -> Trouble | None:
    """Return what a longer look at SQLite's file tells; of a large one only its beginning is looked at."""
    return _trouble(CHECK_SECONDS)


def _trouble(seconds: float) -> Trouble | None:
    path = file_of_database()
    trouble = file_trouble(path, seconds=seconds) if path is not None else None
    return None if trouble is GONE and not runs_in(Path(settings.MENTOR_HOME)) else trouble


def home() -> Home:
    """Return where MENTOR_HOME lies."""
    path = Path(settings.MENTOR_HOME)
    return Home(str(path), file_system_of(path))


def file_system_of(path: Path) -> str:
    """Return the type of the file system, by the longest mount point above `path`."""
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next((mounts[parent] for parent in (path, *path.parents) if parent in mounts), "")


def disks() -> Iterator[Disk]:
    """Yield the disks that are written to: MENTOR's folder, results that are kept elsewhere, temporary files."""
    yield _disk("Disk", Path(settings.MENTOR_HOME), reserve_bytes())
    if (results := settings.MENTOR["MENTOR_RESULTS_DIR"]) is not None:
        yield _disk("Disk of results", results, reserve_bytes())
    yield _disk("Temporary files", Path(tempfile.gettempdir()), TEMPORARY_BYTES)


def _disk(name: str, path: Path, reserve: int) -> Disk:
    files = None
    if sys.platform != "win32":
        with suppress(OSError):
            about = os.statvfs(path)
            files = about.f_favail if about.f_files else None
    return Disk(name, str(path), free_bytes(path), reserve, files)


def unknown_run_count(known: Known) -> int:
    """Return of how many runs the database does not know everything."""
    states = known.attempts
    return len(list(unknown_runs(Path(settings.MENTOR_HOME), known=lambda run_id: states.get(run_id.lower(), {}))))


def database() -> Database:
    """Return how the database is set up; SQLite's file is only read."""
    path = file_of_database()
    if path is None:
        return Database(connection.vendor, journal="wal" if connection.vendor == "sqlite" else "")
    journal = ""
    with suppress(sqlite3.Error), closing(_opened(path)) as file:
        journal = str(file.execute("PRAGMA journal_mode").fetchone()[0])
    return Database("sqlite", journal, _size(path), _size(path.with_name(f"{path.name}-wal")))


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=JOURNAL_SECONDS)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def long_paths_are_on() -> bool:
    """Tell whether Windows takes long paths; other systems do."""
    if sys.platform != "win32":
        return True
    import winreg

    with (
        suppress(OSError),
        winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key,
    ):
        return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    return False
