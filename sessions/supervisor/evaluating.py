"""Evaluations under way: their episodes are counted, their sessions stopped in time, and removed once counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sessions.domain.evaluation import Rewards
from sessions.metrics.events import event_files, read_events
from sessions.metrics.rewards import rewards_of
from sessions.models import Attempt, EvaluationRun
from sessions.runtime.rundir import AttemptDirectory
from sessions.selectors.evaluations import orphans, unfinished_runs
from sessions.services import counting, throwing_away
from sessions.services.launching import directory_of

LOOK_SECONDS = 1.0
IDLE_SECONDS = 5.0
# How often what is left of deleted evaluations is looked for, among all sessions there are.
ORPHANS_SECONDS = 60.0
# How far into the console the trainer tells what it took over of a checkpoint.
CONSOLE_BYTES = 1024 * 1024
NOT_TAKEN_OVER = b"Failed to load for module Policy."


@dataclass
class Reader:
    """What one trainer wrote of its episodes, read on from where it was left; all of it can be read again."""

    results: Path
    directory: AttemptDirectory
    seen: dict[tuple[str, str], list[Rewards]] = field(default_factory=lambda: defaultdict(list))
    _offsets: dict[Path, int] = field(default_factory=dict)

    def read(self, behaviors: Iterable[str]) -> None:
        """Read everything there is by now."""
        for behavior in behaviors:
            for path in event_files(self.results / behavior):
                self._read(path, behavior)

    def _read(self, path: Path, behavior: str) -> None:
        offset = -1
        while offset != self._offsets.get(path, 0):
            offset = self._offsets.get(path, 0)
            batch = read_events(path, offset)
            self._offsets[path] = batch.next_offset
            for kind, rewards in rewards_of(batch):
                self.seen[behavior, kind].append(rewards)

    @property
    def untrained(self) -> bool:
        """Whether the trainer said that it could not take the checkpoint over."""
        try:
            with self.directory.console.open("rb") as file:
                return NOT_TAKEN_OVER in file.read(CONSOLE_BYTES)
        except OSError:
            return False


@dataclass
class EvaluationWatch:
    """Brings the evaluations of this MENTOR on, every second while there are any."""

    _readers: dict[int, Reader] = field(default_factory=dict)
    _due: float = float("-inf")
    _orphans_due: float = float("-inf")

    def tick(self, now: float, _: Iterable[Attempt] = ()) -> None:
        """Look at every evaluation that is not over; `now` is a monotonic clock in seconds."""
        if now < self._due:
            return
        runs = unfinished_runs()
        self._due = now + (LOOK_SECONDS if runs else IDLE_SECONDS)
        self._readers = {run.pk: self._readers[run.pk] for run in runs if run.pk in self._readers}
        for run in runs:
            self._look(run)
        if now >= self._orphans_due:
            self._orphans_due = now + ORPHANS_SECONDS
            for session in orphans():
                throwing_away.clear(session)

    def _look(self, run: EvaluationRun) -> None:
        if run.state not in counting.UNFINISHED:
            counting.clear(run)
            return
        reader = self._reader(run)
        if reader is None:
            counting.look(run, {}, untrained=False)
            return
        reader.read(run.evaluation.behaviors)
        counting.look(run, reader.seen, untrained=reader.untrained)

    def _reader(self, run: EvaluationRun) -> Reader | None:
        """The reader of the session's latest attempt, once there is anything to read."""
        attempt = Attempt.objects.filter(session=run.session_id).select_related("session").order_by("-number").first()
        if attempt is None or attempt.launched_at is None:
            return None
        reader = self._readers.get(run.pk)
        if reader is None or reader.directory.path != directory_of(attempt).path:
            reader = self._readers[run.pk] = Reader(attempt.results, directory_of(attempt))
        return reader
