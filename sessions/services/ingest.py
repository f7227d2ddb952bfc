"""What a session wrote, stored: new console lines and new event records, with the positions they were read up to.

Rows and positions change in one transaction, and a position only moves from where this reader started: whoever else
reads at the same time loses the race and stores nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.db import transaction
from django.db.models import F

from sessions import nudge
from sessions.domain import console
from sessions.domain.config import ConfigError, read_config
from sessions.domain.numbers import finite
from sessions.domain.progress import Pace
from sessions.domain.states import SPEAKING, State
from sessions.metrics.events import Batch, begun, event_files, read_events
from sessions.models import Attempt, BehaviorProgress, EventFile, TrainingSession
from sessions.runtime.rundir import AttemptDirectory
from sessions.services import points
from sessions.services.transitions import SUPERVISOR, move

logger = logging.getLogger(__name__)

CONSOLE_BYTES = 4 * 1024 * 1024
EVENT_BYTES = 4 * 1024 * 1024
LINE_BYTES = 64 * 1024
NAME_CHARACTERS = 255


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

    @property
    def results(self) -> Path:
        """The results folder of the session, where each behavior has a folder."""
        return self.folder or Path(self.attempt.results_dir, self.attempt.session.run_id)

    def step(self) -> bool:
        """Store what is new, at most a few megabytes of each file; return whether there may be more."""
        more_console = self._console()
        return self._events() or more_console

    def drain(self) -> None:
        """Store everything there is."""
        self._sizes.clear()
        while self.step():
            pass

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
        start = self.attempt.console_offset
        block = read_block(path, start, CONSOLE_BYTES)
        whole = whole_lines(block, full=len(block) == CONSOLE_BYTES)
        if not whole:
            return False
        events = [event for line in whole.split(b"\n") if (event := console.parse_line(_text(line))) is not None]
        self._store_console(start, start + len(whole), events)
        full = len(block) == CONSOLE_BYTES
        if full:
            self._sizes.pop(path, None)
        return full

    def _store_console(self, start: int, end: int, events: list[console.ConsoleEvent]) -> None:
        with transaction.atomic():
            moved = Attempt.objects.filter(pk=self.attempt.pk, console_offset=start).update(console_offset=end)
            if not moved:
                raise Overtaken
            self._apply(events)
        self.attempt.console_offset = end

    def _apply(self, events: list[console.ConsoleEvent]) -> None:
        for event in events:
            if isinstance(event, console.Summary):
                self.pace.add(event.behavior, event.elapsed_seconds or 0.0, event.step)
        self._apply_progress(events)
        self._apply_state(events)
        if any(isinstance(event, console.Interrupted) for event in events):
            Attempt.objects.filter(pk=self.attempt.pk).update(interrupted=True)
        if any(isinstance(event, (console.Exported, console.Copied)) for event in events):
            self.saved = True

    def _apply_progress(self, events: Sequence[console.ConsoleEvent]) -> None:
        latest: dict[str, console.Summary] = {}
        for event in events:
            if isinstance(event, console.Summary):
                latest[event.behavior] = with_reward_of(latest.get(event.behavior), event)
        for summary in latest.values():
            store_summary(self.attempt.session_id, summary)
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
        batch = read_events(path, file.offset, limit_bytes=EVENT_BYTES)
        if batch.next_offset == file.offset:
            return False
        self._store_batch(file, batch)
        self._sizes.pop(path, None)  # read on until a look finds nothing more
        return True

    def _register(self, name: str, behavior: str) -> EventFile:
        file, _ = EventFile.objects.get_or_create(attempt=self.attempt, path=name, defaults={"behavior": behavior})
        self._files[name] = file
        return file

    def _files_of_earlier_attempts(self) -> set[str]:
        if self._foreign is None:
            earlier = EventFile.objects.filter(
                attempt__session_id=self.attempt.session_id, attempt__number__lt=self.attempt.number
            )
            self._foreign = set() if self.attempt.force else set(earlier.values_list("path", flat=True))
        return self._foreign

    def _store_batch(self, file: EventFile, batch: Batch) -> None:
        with transaction.atomic():
            moved = EventFile.objects.filter(pk=file.pk, offset=file.offset).update(
                offset=batch.next_offset, skipped=F("skipped") + batch.skipped
            )
            if not moved:
                raise Overtaken
            points.append(self.attempt, file.behavior, batch.points)
            touch(self.attempt.session_id)
        file.offset = batch.next_offset
        if batch.skipped:
            logger.warning("%s: %d damaged or unreadable records were passed over", file.path, batch.skipped)


def read_block(path: Path, offset: int, limit: int) -> bytes:
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


def with_reward_of(earlier: console.Summary | None, summary: console.Summary) -> console.Summary:
    """Return the summary; one without an episode has the reward of the one before, however the console was cut."""
    if earlier is None or summary.mean_reward is not None or summary.group_reward is not None:
        return summary
    return replace(
        summary,
        mean_reward=earlier.mean_reward,
        std_reward=earlier.std_reward,
        group_reward=earlier.group_reward,
    )


def store_summary(session_id: int, summary: console.Summary) -> None:
    """Store a behavior's headline. NaN and infinite rewards are stored as unknown: JSON has no word for them."""
    columns = {"step": summary.step, "elapsed_seconds": summary.elapsed_seconds, "seen": True}
    reward = summary.mean_reward if summary.group_reward is None else summary.group_reward
    if reward is not None:
        columns |= {"mean_reward": finite(reward), "std_reward": finite(summary.std_reward)}
    known = _behavior(session_id, summary.behavior)
    BehaviorProgress.objects.filter(pk=known.pk).update(**columns)


def advance(session_id: int, behavior: str, step: int) -> None:
    """Raise a behavior's step to that of a file it saved; it never goes back."""
    known = _behavior(session_id, behavior)
    BehaviorProgress.objects.filter(pk=known.pk, step__lt=step).update(step=step)
    BehaviorProgress.objects.filter(pk=known.pk).update(seen=True)


def _behavior(session_id: int, name: str) -> BehaviorProgress:
    """Return the row of a behavior; one that the configuration does not name is planned by its default_settings."""
    name = name[:NAME_CHARACTERS]
    plan = {"max_steps": lambda: _planned(session_id, name)}
    return BehaviorProgress.objects.get_or_create(session_id=session_id, name=name, defaults=plan)[0]


def _planned(session_id: int, name: str) -> int | None:
    config = TrainingSession.objects.values_list("config_used", flat=True).get(pk=session_id)
    try:
        plan = read_config(bytes(config)).plan_of(name)
    except ConfigError:  # was right for the version that stored it
        return None
    return plan.max_steps if plan else None


def touch(session_id: int, **columns: object) -> None:
    """Raise the session's version, so that pages know there is something new, and nudge them."""
    TrainingSession.objects.filter(pk=session_id).update(version=F("version") + 1, **columns)
    transaction.on_commit(lambda: nudge.session(session_id))
