"""Adopted folders kept in step: what trains there is read as it grows, and what is new there is given to the worker."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sessions.models import Import, ImportedRun, Machine
from sessions.selectors.results_tree import event_files_below
from sessions.services import growing, imports
from sessions.supervisor.tries import Tries
from sessions.supervisor.watch import is_of_the_database

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
# Where nothing was imported, there is nothing to follow.
IDLE_SECONDS = 5.0
# Of each look, this much at most for what is known to train, and this much for walking through folders.
READ_SECONDS = 0.25
WALK_SECONDS = 0.02
# The pause after a whole walk through a folder, and the longest one, when looks have found nothing for long.
PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
REMIND_SECONDS = 30.0


@dataclass
class Watched:
    """What is remembered of one folder: hashes of the event files with their sizes, as they were last walked past."""

    folder: Path
    seen: set[int] | None = None
    due: float = float("-inf")
    pause: float = PAUSE_SECONDS
    _now: set[int] = field(default_factory=set)
    _walk: Iterator[tuple[str, int]] | None = None

    def step(self, clock: Callable[[], float], until: float, besides: tuple[str, ...] = ()) -> bool | None:
        """Walk on until then; once all is walked past, return whether there was something new, else None.

        What lies in the folders `besides` is no news.

        The first walk after a start counts as news: what happened before it, nobody has seen.
        """
        self._walk = self._walk or event_files_below(self.folder)
        for path, size in self._walk:
            if size >= 0 and not path.startswith(besides):
                self._now.add(hash((path, size)))
            if clock() > until:
                return None
        news = self.seen is None or not self._now <= self.seen
        self.seen, self._now, self._walk = self._now, set(), None
        return news

    def rest(self, now: float, *, news: bool) -> None:
        """Pause until the next walk: shortly while there is news, ever longer while there is none."""
        self.pause = PAUSE_SECONDS if news else min(self.pause * 1.5, LONGEST_PAUSE_SECONDS)
        self.due = now + self.pause


@dataclass
class ImportWatch:
    """Looks after the adopted folders of this machine; all it remembers can be forgotten."""

    machine: Machine
    clock: Callable[[], float] = time.monotonic
    _due: float = float("-inf")
    _remind_due: float = float("-inf")
    _folders: dict[int, Watched] = field(default_factory=dict)
    _turn: int = 0
    _tries: dict[int, Tries] = field(default_factory=dict)

    def tick(self, now: float) -> None:
        """Do a small part of the work when it is time to; `now` is a monotonic time in seconds."""
        if now < self._due:
            return
        watched = imports.watched_runs(self.machine)
        self._due = now + (FOLLOW_SECONDS if watched or self._folders else IDLE_SECONDS)
        self._follow(watched, now)
        if now >= self._remind_due:
            self._remind_due = now + REMIND_SECONDS
            self._refresh()
        self._walk(now, besides=tuple(os.path.join(found.folder, "") for found in watched))  # noqa: PTH118

    def _follow(self, watched: Sequence[ImportedRun], now: float) -> None:
        """Read on what trains, in turns when it is much."""
        until = time.monotonic() + READ_SECONDS
        for offset in range(len(watched)):
            self._follow_one(watched[(self._turn + offset) % len(watched)], now, until)
            if time.monotonic() > until:
                self._turn += offset + 1
                return

    def _follow_one(self, found: ImportedRun, now: float, until: float) -> None:
        tries = self._tries.setdefault(found.pk, Tries())
        if not tries.due(now):
            return
        try:
            growing.follow(found, until=until)
        except Exception as error:
            if is_of_the_database(error):
                raise
            tries.fail(now)
            logger.exception("%s could not be read; it is tried again", found.folder)
        else:
            del self._tries[found.pk]

    def _refresh(self) -> None:
        """Know the folders that are followed, and remind the worker of work that was lost."""
        rows = Import.objects.filter(machine=self.machine)
        followed = dict(rows.filter(follow=True, copy=False).values_list("pk", "folder"))
        self._folders = {pk: self._folders.get(pk) or Watched(Path(folder)) for pk, folder in followed.items()}
        for pk in imports.left_undone(self.machine):
            imports.enqueue(pk)

    def _walk(self, now: float, besides: tuple[str, ...]) -> None:
        due = [(pk, one) for pk, one in self._folders.items() if one.due <= now]
        if not due:
            return
        pk, one = due[self._turn % len(due)]
        self._turn += 1
        news = one.step(self.clock, self.clock() + WALK_SECONDS, besides)
        if news is None:
            return
        one.rest(now, news=news)
        if news:
            imports.look_again(pk)
