"""Noticing that the database has changed, once for all open pages of this process."""

from __future__ import annotations

import math
import sqlite3
import time
from pathlib import Path

from django.conf import settings

LOOK_SECONDS = 0.05
# Databases that cannot tell cheaply whether something changed are simply looked at this often.
BLIND_SECONDS = 0.25


class Pulse:
    """A counter that grows when the database may have changed.

    Nobody looks unless a page asks, so that pages in no hurry cost less than those that are; what one page has
    seen holds for all that ask within LOOK_SECONDS.
    """

    def __init__(self) -> None:
        self._count = 0
        self._watchers = 0
        self._looked = -math.inf
        self._seen: float = 0
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Pulse:
        self._watchers += 1
        if self._watchers == 1:
            self._connection = _open()
            self._seen = _version(self._connection)
        return self

    def __exit__(self, *_: object) -> None:
        self._watchers -= 1
        if self._watchers == 0 and self._connection is not None:
            self._connection.close()
            self._connection = None

    def beat(self) -> int:
        """Return the count; it differs from the last one when something may have changed meanwhile."""
        now = time.monotonic()
        if now - self._looked >= (LOOK_SECONDS if self._connection else BLIND_SECONDS):
            self._looked = now
            version = _version(self._connection)
            self._count += version != self._seen
            self._seen = version
        return self._count


def _open() -> sqlite3.Connection | None:
    """A connection of its own that only asks for SQLite's count of commits; None for other databases."""
    database = settings.DATABASES["default"]
    path = Path(str(database["NAME"]))
    if not str(database["ENGINE"]).endswith("sqlite3") or not path.is_file():
        return None
    return sqlite3.connect(path, timeout=0.05, isolation_level=None)


def _version(connection: sqlite3.Connection | None) -> float:
    """What differs after a commit; NaN, which always differs, where that cannot be told, so that the pages look."""
    try:
        return math.nan if connection is None else int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.Error:
        return math.nan  # busy or replaced


pulse = Pulse()
