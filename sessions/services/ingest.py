"""What a session wrote, stored: new console lines and new event records, with the positions they were read up to.

Rows and positions change in one transaction, and a position only moves from where this reader started: whoever else
reads at the same time loses the race and stores nothing.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sessions.domain import console
from sessions.domain.progress import Pace
from sessions.domain.states import SPEAKING, State
from sessions.metrics.events import begun, event_files, read_events
from sessions.models import Attempt, EventFile
from sessions.runtime.rundir import AttemptDirectory
from sessions.services.alarms import raise_alarm
from sessions.services.event_batches import order_of, store_batch
from sessions.services.progress import advance, store_summary, with_reward_of
from sessions.services.transitions import SUPERVISOR, move, touch

CONSOLE_BYTES = 4 * 1024 * 1024
EVENT_BYTES = 4 * 1024 * 1024
LINE_BYTES = 64 * 1024


class Overtaken(Exception):
    """Another reader moved the position first; what was read is dropped."""


@dataclass
class Ingester:
    """Reads one attempt's console and event files from their stored positions onward."""

    attempt: Attempt
    directory: AttemptDirectory
    pace: Pace = field(default_factory=Pace)
    # Set when the console spoke of a saved model: the files are worth a look.
    saved: bool = False
    # What was begun or saved after this moment (seconds since the epoch) belongs to a later attempt.
    until: float = float("inf")
    # Where the results are, when they were set aside.
    folder: Path | None = None
    _sizes: dict[Path, int] = field(default_factory=dict)
    _files: dict[str, EventFile] = field(default_factory=dict)
    _foreign: set[str] | None = None
    # Nothing more will be written: a last line without its newline is one, too.
    _ended: bool = False
    # What is read was read before: it changes no state any more.
    _again: bool = False

    @property
    def results(self) -> Path:
        """The results folder of the session, where each behavior has a folder."""
        return self.folder or self.attempt.results

    def step(self) -> bool:
        """Store what is new, at most a few megabytes of each file; return whether there may be more."""
        more_console = self._console()
        return self._events() or more_console

    def drain(self, seconds: float = float("inf")) -> bool:
        """Store everything there is, for about `seconds` at most; return whether all of it is stored."""
        deadline = time.monotonic() + seconds
        self.forget_sizes()
        while self.step():
            if time.monotonic() > deadline:
                return False
        return True

    def finish(self, seconds: float = float("inf")) -> bool:
        """Store what an attempt that has ended wrote, its last line too, as `drain` does."""
        self._ended = True
        return self.drain(seconds)

    def read_again(self) -> None:
        """Store the whole console once more, from its beginning; states that it told of are not told again."""
        self._again = True
        self._move_position(0, 0, interrupted=False)
        self.pace = Pace()
        self.finish()

    def forget_sizes(self) -> None:
        """Look into every file again, whether it has grown or not."""
        self._sizes.clear()

    @property
    def position(self) -> tuple[int, int]:
        """How many bytes of the console are stored, and their CRC-32."""
        return self.attempt.console_offset, self.attempt.console_crc32 or 0

    def _grew(self, path: Path) -> bool:
        try:
            size = path.stat().st_size
        except OSError:
            return False
        if self._sizes.get(path) == size:
            return False
        self._sizes[path] = size
        return True

    def _console(self) -> bool:
        path = self.directory.console
        if not self._grew(path):
            return False
        start, crc = self.position
        if self._sizes[path] < start:
            self._go_on_from(self._sizes[path])
            return False
        block = _read_block(path, start, CONSOLE_BYTES)
        full = len(block) == CONSOLE_BYTES
        whole = whole_lines(block, full=full or self._ended)
        if not whole:
            return False
        events = [event for line in whole.split(b"\n") if (event := console.parse_line(_text(line))) is not None]
        self._store_console(start + len(whole), zlib.crc32(whole, crc), events)
        if full or self._ended:
            self._sizes.pop(path, None)
        return full or self._ended

    def _go_on_from(self, size: int) -> None:
        """The console was cut short or replaced: what it told is kept, what it tells from here on is read.

        The checksum says at the end that something is missing; if the console is whole then, it is read again.
        """
        self._move_position(size, 0)
        raise_alarm(self.attempt, "console.log became shorter while it was read; what it told before is kept.")

    def _move_position(self, end: int, crc: int, **columns: object) -> None:
        """Move the stored position from where this reader stands; raises Overtaken when it is not there any more."""
        here = Attempt.objects.filter(pk=self.attempt.pk, console_offset=self.attempt.console_offset)
        if not here.update(console_offset=end, console_crc32=crc, **columns):
            raise Overtaken
        self.attempt.console_offset, self.attempt.console_crc32 = end, crc

    def _store_console(self, end: int, crc: int, events: list[console.ConsoleEvent]) -> None:
        before = self.position
        try:
            with transaction.atomic():
                self._move_position(end, crc)
                self._apply(events)
        except BaseException:
            self.attempt.console_offset, self.attempt.console_crc32 = before
            raise

    def _apply(self, events: list[console.ConsoleEvent]) -> None:
        for event in events:
            if isinstance(event, console.Summary):
                self.pace.add(event.behavior, event.elapsed_seconds or 0.0, event.step)
        self._apply_progress(events)
        if not self._again:
            self._apply_state(events)
        restarts = sum(isinstance(event, console.Restarting) for event in events)
        if restarts and not self._again:
            rows = Attempt.objects.filter(pk=self.attempt.pk)
            rows.update(environment_restarts=F("environment_restarts") + restarts)
        if any(isinstance(event, console.Interrupted) for event in events):
            Attempt.objects.filter(pk=self.attempt.pk).update(interrupted=True)
        if any(isinstance(event, (console.Exported, console.Copied)) for event in events):
            self.saved = True

    def _apply_progress(self, events: Sequence[console.ConsoleEvent]) -> None:
        latest: dict[str, console.Summary] = {}
        for event in events:
            if isinstance(event, console.Summary):
                latest[event.behavior] = with_reward_of(latest.get(event.behavior), event)
        grown = [store_summary(self.attempt.session_id, summary) for summary in latest.values()]
        if any(grown):
            Attempt.objects.filter(pk=self.attempt.pk).update(progressed_at=timezone.now())
        for event in events:
            if isinstance(event, (console.Exported, console.Copied)) and event.behavior and event.step is not None:
                advance(self.attempt.session_id, event.behavior, event.step)
        if latest:
            touch(self.attempt.session_id, steps_per_second=self.pace.steps_per_second)

    def _apply_state(self, events: Iterable[console.ConsoleEvent]) -> None:
        wanted = None
        for event in events:
            if isinstance(event, console.EditorWait):
                wanted = State.WAITING_FOR_EDITOR
            elif isinstance(event, (console.Connected, console.NewBehavior, console.Summary)):
                wanted = State.RUNNING
        current = State(Attempt.objects.values_list("state", flat=True).get(pk=self.attempt.pk))
        if wanted is not None and current is State.LAUNCHING:
            # It speaks, so it has started: a supervisor that was away sees both at once.
            current = self._started(current)
        if wanted is not None and current in SPEAKING and wanted is not current:
            self.attempt.state = current.value
            move(self.attempt, wanted, who=SUPERVISOR)

    def _started(self, current: State) -> State:
        self.attempt.state = current.value
        return State.STARTING if move(self.attempt, State.STARTING, who=SUPERVISOR) else current

    def _events(self) -> bool:
        more = False
        for folder in self._behavior_folders():
            for path in event_files(folder):
                if begun(path) <= self.until and self._grew(path):
                    more = self._event_file(path, folder.name) or more
        return more

    def _behavior_folders(self) -> list[Path]:
        try:
            return sorted(entry for entry in self.results.iterdir() if entry.is_dir() and entry.name != "run_logs")
        except OSError:
            return []

    def _event_file(self, path: Path, behavior: str) -> bool:
        name = path.relative_to(self.results).as_posix()
        if name in self._files_of_earlier_attempts():
            return False
        file = self._files.get(name) or self._register(name, behavior)
        batch = read_events(path, file.offset, limit_bytes=EVENT_BYTES, order=order_of(file))
        if batch.next_offset == file.offset:
            return False
        if not store_batch(file, batch, session_id=self.attempt.session_id):
            raise Overtaken
        self._sizes.pop(path, None)  # read on until a look finds nothing more
        return True

    def _register(self, name: str, behavior: str) -> EventFile:
        of_attempt = EventFile.objects.filter(attempt=self.attempt)
        before = of_attempt.filter(behavior=behavior, path__lt=name).order_by("path").last()
        told = {} if before is None else {"version": before.version, "last_step": before.last_step}
        columns = {"behavior": behavior, "name": name.rpartition("/")[2][:255], **told}
        file, _ = of_attempt.get_or_create(attempt=self.attempt, path=name, defaults=columns)
        self._files[name] = file
        return file

    def _files_of_earlier_attempts(self) -> set[str]:
        if self._foreign is None:
            earlier = EventFile.objects.filter(
                attempt__session_id=self.attempt.session_id, attempt__number__lt=self.attempt.number
            )
            self._foreign = set() if self.attempt.force else set(earlier.values_list("path", flat=True))
        return self._foreign


def _read_block(path: Path, offset: int, limit: int) -> bytes:
    """Return up to `limit` bytes of a file from `offset`, read at its own position; empty when it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(limit)
    except OSError:
        return b""


def whole_lines(block: bytes, *, full: bool) -> bytes:
    """Return the part of `block` up to its last newline; all of it when it is full and holds no newline at all."""
    end = block.rfind(b"\n") + 1
    return block[:end] if end or not full else block


def _text(line: bytes) -> str:
    return line[:LINE_BYTES].decode("utf-8", "replace").rstrip("\r").replace("\0", "")
