"""How the database stands: whether it is there, whole, and of a schema that this code knows."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.db import DataError, Error, IntegrityError, NotSupportedError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from sessions.domain.trouble import (
    AHEAD,
    BEHIND,
    DAMAGED,
    FOREIGN,
    GONE,
    READ_ONLY,
    DatabaseUnusable,
    Trouble,
    explain,
)

SCHEMA_SECONDS = 5.0
CHECK_SECONDS = 5.0
SHORT_CHECK_SECONDS = 1.0
STEPS_BETWEEN_LOOKS = 10_000

Identity = tuple[int, int]


def file_of_database() -> Path | None:
    """Return the file of the SQLite database; None for one in memory, and for another kind."""
    name = str(connection.settings_dict["NAME"])
    return None if connection.vendor != "sqlite" or name.startswith(("file:", ":memory:")) else Path(name)


def identity_of(path: Path) -> Identity | None:
    """Return which file is at `path`; None when there is none, or an empty one that somebody's look has made."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino) if stat.st_size else None


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this code, as they were when it was first asked: an upgrade replaces the files."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def applied_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations that the database has had, of the apps that this code has."""
    apps = {app for app, _ in known_migrations()}
    return frozenset(key for key in MigrationRecorder(connection).applied_migrations() if key[0] in apps)


def schema_trouble() -> Trouble | None:
    """Return what is wrong with the database's schema. Raises Django's database errors."""
    applied = applied_migrations()
    if applied - known_migrations():
        return AHEAD
    return BEHIND if known_migrations() - applied else None


def is_trouble(error: BaseException) -> bool:
    """Tell whether an error comes from the database's state, and not from what was asked of it."""
    if isinstance(error, ProgrammingError):
        return explain(str(error)) is BEHIND
    return isinstance(error, Error) and not isinstance(error, (IntegrityError, DataError, NotSupportedError))


def explained(error: BaseException) -> DatabaseUnusable:
    """Return what a database error means, as an error a person may see."""
    if isinstance(error, DatabaseUnusable):
        return error
    return DatabaseUnusable(_refined(explain(str(error))))


def _refined(trouble: Trouble) -> Trouble:
    """Look at the file, if there is one: SQLite makes an empty one where it finds none, and then misses the tables."""
    path = file_of_database()
    if path is None:
        return trouble
    if identity_of(path) is None:
        return GONE
    if trouble is GONE:  # it is there, and may not be opened
        return READ_ONLY
    return (file_trouble(path, seconds=SHORT_CHECK_SECONDS) or trouble) if trouble is BEHIND else trouble


@dataclass
class Guard:
    """Keeps a process that writes from a database that is gone, was replaced, or has a schema it does not know."""

    clock: Callable[[], float] = time.monotonic
    _identity: Identity | None = None
    _schema_at: float = field(default=float("-inf"))

    def look(self) -> None:
        """Raise DatabaseUnusable unless the database may be written; open it anew where it was replaced."""
        path = file_of_database()
        if path is not None:
            self._look_at_file(path)
        now = self.clock()
        if now - self._schema_at < SCHEMA_SECONDS:
            return
        if (trouble := schema_trouble()) is not None:
            raise DatabaseUnusable(_refined(trouble))
        self._schema_at = now

    def _look_at_file(self, path: Path) -> None:
        identity = identity_of(path)
        if identity is None:
            raise DatabaseUnusable(GONE)
        if identity != self._identity:
            connection.close()
            self.forget()
            self._identity = identity

    def forget(self) -> None:
        """Look at everything again."""
        self._schema_at = float("-inf")


def file_trouble(path: Path, *, seconds: float = CHECK_SECONDS) -> Trouble | None:
    """Return what is wrong with the SQLite file at `path`, looked at for at most `seconds`."""
    if identity_of(path) is None:
        return GONE
    try:
        with _opened(path, seconds) as file:
            answer = file.execute("PRAGMA quick_check(1)").fetchone()[0]
            tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        if "interrupted" in str(error):  # too large to be read in that time; nothing wrong was found until then
            return None
        trouble = explain(str(error))
        return READ_ONLY if trouble is GONE else trouble
    if answer != "ok":
        return DAMAGED
    if not tables:
        return GONE
    return None if MigrationRecorder.Migration._meta.db_table in tables else FOREIGN


@contextlib.contextmanager
def _opened(path: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    deadline = time.monotonic() + seconds
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=seconds)) as file:
        file.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS_BETWEEN_LOOKS)
        yield file


def database_trouble() -> Trouble | None:
    """Return what keeps the database from being used by this code, or None."""
    path = file_of_database()
    if path is not None and (trouble := file_trouble(path)) is not None:
        return trouble
    try:
        return schema_trouble()
    except Error as error:
        return explained(error).trouble
