"""Noticing that the database has changed, once for all open pages of this process."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

from django.conf import settings

LOOK_SECONDS = 0.05
# Databases that cannot tell cheaply whether something changed are simply looked at this often.
BLIND_SECONDS = 0.25


class Pulse:
    """A counter that grows when the database may have changed; it beats only while somebody waits for it."""

    def __init__(self) -> None:
        self.count = 0
        self._watchers = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Pulse:
        self._watchers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watchers -= 1
        if self._watchers == 0 and self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _beat(self) -> None:
        connection = _open()
        try:
            seen = _version(connection)
            while True:
                await asyncio.sleep(LOOK_SECONDS if connection else BLIND_SECONDS)
                version = _version(connection)
                if connection is None or version != seen:
                    self.count += 1
                    seen = version
        finally:
            if connection is not None:
                connection.close()


def _open() -> sqlite3.Connection | None:
    """A connection of its own that only asks for SQLite's count of commits; None for other databases."""
    database = settings.DATABASES["default"]
    path = Path(str(database["NAME"]))
    if not str(database["ENGINE"]).endswith("sqlite3") or not path.is_file():
        return None
    return sqlite3.connect(path, timeout=0.05, isolation_level=None)


def _version(connection: sqlite3.Connection | None) -> int | float:
    if connection is None:
        return time.monotonic()
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.Error:
        return time.monotonic()  # busy or replaced: let the pages look


pulse = Pulse()
