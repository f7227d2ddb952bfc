"""How far one page has read, and the next part of the console for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sessions.selectors.console import read_part

# JSON writes a control character as six bytes, so a frame is at most six times as large.
FRAME_BYTES = 128 * 1024
MAX_MESSAGE = 16 * 1024 + 200_000
MAX_OFFSET = 2**62


@dataclass(frozen=True)
class Follow:
    """What a page says it already has."""

    attempt: int
    log: int
    points: str


@dataclass(frozen=True)
class LogPart:
    """Whole lines of the console: text from byte `offset` up to `cursor`."""

    attempt: int
    offset: int
    cursor: int
    text: str


def read_follow(text: str) -> Follow | None:
    """Return what a page's message says, or None when it is not such a message."""
    try:
        message = json.loads(text) if len(text) <= MAX_MESSAGE else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("type") != "follow":
        return None
    attempt, log, points = message.get("attempt", 0), message.get("log", 0), message.get("points", "")
    if not _count(attempt) or not _count(log) or not isinstance(points, str):
        return None
    return Follow(attempt, log, points)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_OFFSET


class Cursor:
    """The position of one page. A further attempt of the session begins its console at byte 0."""

    def __init__(self, follow: Follow) -> None:
        self.attempt = follow.attempt
        self.offset = follow.log
        self.points = follow.points
        self.version = -1
        self._path: Path | None = None
        self.ended = False

    def watch(self, attempt: int, path: Path | None, *, ended: bool) -> None:
        """Go on with this attempt's console."""
        if attempt != self.attempt:
            self.attempt, self.offset = attempt, 0
        self._path, self.ended = path, ended

    def read(self) -> LogPart | None:
        """Return the next whole lines, or None when there are none yet."""
        if self._path is None:
            return None
        block, end = read_part(self._path, self.offset, FRAME_BYTES, whole=self.ended)
        if not block:
            return None
        part = LogPart(self.attempt, self.offset, end, block.decode("utf-8", "replace"))
        self.offset = end
        return part
