"""Reading an attempt's console: bytes from an offset, whole lines only while it still grows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from sessions.domain.states import ENDED, State
from sessions.errors import Missing
from sessions.models import Attempt, TrainingSession
from sessions.runtime.packing import open_bytes
from sessions.runtime.rundir import RunDirectory

MAX_BYTES = 1024 * 1024
# A line longer than this is handed out in pieces rather than never.
LONGEST_LINE = 64 * 1024


@dataclass(frozen=True)
class ConsolePart:
    """Text from `offset` up to `next_offset` (bytes of console.log); `ended` when nothing more will come."""

    attempt: int
    offset: int
    next_offset: int
    text: str
    ended: bool


def attempt_of(session: TrainingSession, number: int | None = None) -> Attempt | None:
    """Return the attempt of that number, or the latest; raises Missing for a number there is not."""
    attempts = Attempt.objects.filter(session=session)
    if number is None:
        return attempts.order_by("-number").first()
    attempt = attempts.filter(number=number).first()
    if attempt is None:
        raise Missing(f"{session.run_id} has no attempt {number}.")
    return attempt


def console_path(session: TrainingSession, attempt: Attempt) -> Path:
    """Return the path of an attempt's console, which may be compressed: it is opened with `open_bytes`."""
    return RunDirectory(settings.MENTOR_HOME, session.run_id).attempt(attempt.number).console


def read_part(path: Path, after: int, limit: int, *, whole: bool = False) -> tuple[bytes, int]:
    """Return whole lines from byte `after`, at most `limit` bytes, and the offset behind them.

    A last line without its newline is left for the next call unless `whole` says that nothing more will come, or it
    is longer than the limit. The file is read at this call's own position: its reported size may lag on Windows.
    """
    limit = max(1, min(limit, MAX_BYTES))
    try:
        with open_bytes(path) as file:
            file.seek(after)
            block = file.read(limit)
    except OSError:
        return b"", after
    end = block.rfind(b"\n") + 1
    if not end and (len(block) >= min(limit, LONGEST_LINE)):
        end = len(block)
    if whole and len(block) < limit:
        end = len(block)
    return block[:end], after + end


def console_part(session: TrainingSession, *, after: int, limit: int, number: int | None = None) -> ConsolePart:
    """Return a part of an attempt's console as the API hands it out."""
    attempt = attempt_of(session, number)
    if attempt is None:
        return ConsolePart(0, after, after, "", False)
    ended = State(attempt.state) in ENDED
    block, end = read_part(console_path(session, attempt), after, limit, whole=ended)
    # A console that was cut short has no more to give, whatever its size was at the end.
    done = ended and (not block or end >= (attempt.console_size or 0))
    return ConsolePart(attempt.number, after, end, block.decode("utf-8", "replace"), done)


def tail_offset(path: Path, length: int) -> int:
    """Return the offset of the first whole line among the last `length` bytes."""
    try:
        with open_bytes(path) as file:
            size = file.seek(0, 2)
            start = max(0, size - length)
            file.seek(max(0, start - 1))
            block = file.read(length + 1) if start else b""
    except OSError:
        return 0
    return start + max(0, block.find(b"\n"))
