"""MENTOR's own log, kept beside the database: the last lines of each process, for whoever looks for a cause."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

FOLDER = "logs"
PROCESSES = ("web", "worker", "supervise")
MOST_BYTES = 1024 * 1024
EARLIER = ".earlier"


class KeptLines(logging.Handler):
    """Appends each line to a file that is opened for it alone: the processes of a worker share it, and it may be moved.

    A file that has grown beyond its limit is set aside, in place of the one before. What cannot be written is left out:
    a log is no reason to fail.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self.path = path
        self.most_bytes = most_bytes

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            line = self.format(record).replace("\r", " ") + "\n"
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(line.encode("utf-8", "backslashreplace"))
                grown = file.tell() > self.most_bytes
            if grown:
                self.path.replace(earlier(self.path))


def earlier(path: Path) -> Path:
    """Return where a log goes that has grown beyond its limit."""
    return path.with_name(path.name + EARLIER)


def log_of(home: Path, process: str) -> Path:
    """Return where a process of MENTOR's keeps its log."""
    return home / FOLDER / f"{process}.log"


def handlers(home: Path, arguments: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return the handlers of the process that was started with these arguments: all have their terminal."""
    found: dict[str, dict[str, object]] = {"console": {"class": "logging.StreamHandler", "formatter": "line"}}
    process = arguments[1] if len(arguments) > 1 else ""
    if process in PROCESSES:
        found["kept"] = {"class": "mentor_site.logs.KeptLines", "formatter": "line", "path": log_of(home, process)}
    return found
