"""Adopting folders of results: asked for, worked on in slices that may end at any moment, and looked at again."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain.results_layout import FoundRun
from sessions.domain.states import State
from sessions.errors import InvalidInput, MentorError, NotAllowed
from sessions.models import Import, ImportedRun, Machine
from sessions.runtime.locks import FileLock
from sessions.selectors.results_tree import LONGEST_PATH, MOST_REMARKS, Unreachable, Walk
from sessions.services import adopting, copying, growing
from sessions.services.config_files import browse_roots, local_path
from sessions.services.editing import require_permission

logger = logging.getLogger(__name__)

TASK = "sessions.tasks.work_on_import"
# A launch waits behind a slice, so that slices are short.
SLICE_SECONDS = 3.0
# Work of which there was no sign for this long is given to the worker again: its task was lost.
SILENT_SECONDS = 60.0
# Runs are stored together until so much of them was read: a transaction costs more than what is in it.
BATCH_BYTES = 8 * 1024 * 1024
BATCH_RUNS = 25
SHOW_SECONDS = 0.5
EMPTY = "Nothing in its event files can be read."
OPEN = ("waiting", "working")
COUNTS = ("found", "imported", "grown", "known", "refused", "entries")


def ask(folder: str, *, by: User, copy: bool = False, tags: Iterable[str] = ()) -> Import:
    """Ask for a folder's runs to be adopted, or to be looked at again; the worker does it.

    Raises NotAllowed, or InvalidInput when there is no such folder or it is not open to this user.
    """
    source = prepare(folder, by=by, copy=copy, tags=tags)
    enqueue(source.pk)
    return source


def prepare(folder: str, *, by: User, copy: bool = False, tags: Iterable[str] = ()) -> Import:
    """Store that a folder's runs are to be adopted, without having it done; raises as `ask` does."""
    require_permission(by, "training.start_session")
    path = open_folder(folder, by=by)
    machine, _ = Machine.objects.get_or_create(name=settings.MENTOR_MACHINE)
    given = list(dict.fromkeys(tags))
    with transaction.atomic():
        source, is_new = Import.objects.get_or_create(
            machine=machine, folder=str(path), copy=copy, defaults={"asked_by": by, "tags": given, "follow": not copy}
        )
        if not is_new:
            Import.objects.filter(pk=source.pk).update(tags=given or source.tags, follow=not copy)
            again(source)
        below(path).filter(session=None).delete()  # a person wants them back
    source.refresh_from_db()
    return source


def open_folder(text: str, *, by: User) -> Path:
    """Return a folder of this machine that this user may read; raises InvalidInput."""
    try:
        path = local_path(text.strip())
    except MentorError as error:
        raise _wrong(error.detail, error.hint) from error
    roots = [Path(root).resolve() for root in browse_roots()]
    if not by.has_perm("training.manage_environment") and not any(path.is_relative_to(root) for root in roots):
        raise _wrong("This folder is not open to you.", "MENTOR_FOLDERS names the folders that are.")
    if not path.is_dir():
        raise _wrong(f"There is no folder {path}.")
    if len(str(path)) > LONGEST_PATH:
        raise _wrong("The path of this folder is too long.")
    return path


def _wrong(sentence: str, hint: str = "") -> InvalidInput:
    return InvalidInput(sentence, hint=hint, errors={"folder": [sentence]})


def again(source: Import) -> None:
    """Let a folder be looked at from its beginning; one that is worked on, after that."""
    rows = Import.objects.filter(pk=source.pk)
    if not rows.exclude(state="working").update(state="waiting", cursor=None):
        rows.update(again=True)


def enqueue(source_id: int) -> None:
    """Give the worker a slice of the work."""
    Import.objects.filter(pk=source_id).update(worked_at=timezone.now())
    async_task(TASK, source_id)


def set_follow(source: Import, follow: bool, *, by: User) -> None:
    """Say whether a folder is looked at again by itself; its sessions stay. Raises NotAllowed."""
    require_permission(by, "training.start_session")
    if not (by.has_perm("training.view_trainingsession") or source.asked_by_id == by.pk):
        raise NotAllowed("You may not do this.")
    Import.objects.filter(pk=source.pk).update(follow=follow)


def work(source_id: int, *, seconds: float = SLICE_SECONDS, say: Callable[[Import], None] | None = None) -> bool:
    """Do a slice of the work on a folder; return whether that was all of it, or somebody else does it.

    `say` is told how it stands from time to time.
    """
    lock = lock_of(source_id)
    if not lock.acquire():
        return True
    try:
        source = Import.objects.select_related("asked_by").filter(pk=source_id, state__in=OPEN).first()
        return source is None or Slice(source, time.monotonic() + seconds, say).run()
    finally:
        lock.release()


def lock_of(source_id: int) -> FileLock:
    """Return the lock that whoever works on an import holds; any death frees it."""
    folder = Path(settings.MENTOR_HOME, "imports")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(folder / f"{source_id}.lock")


@dataclass
class Slice:
    """One slice: it goes on where the last one ended, and stores where it ended itself."""

    source: Import
    deadline: float
    say: Callable[[Import], None] | None = None
    walk: Walk = field(init=False)
    _drafts: list[adopting.Draft] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _known: dict[tuple[str, str], tuple[int, str, str | None]] = field(default_factory=dict)
    _shown_at: float = 0.0

    def run(self) -> bool:
        """Work until the time is over or nothing is left; return whether nothing is."""
        source = self.source
        if source.state == "waiting":
            for name in COUNTS:
                setattr(source, name, 0)
            source.cursor, source.remarks, source.begun_at, source.ended_at = None, [], timezone.now(), None
        source.state = "working"
        after = tuple(source.cursor) if source.cursor is not None else None
        self.walk = Walk(Path(source.folder), after=after)
        self._before = (source.entries, source.refused, list(source.remarks))
        self._known = known_runs(Path(source.folder))
        try:
            return self._end() if self._go() else self._pause()
        except Unreachable:
            source.state, source.ended_at = "gone", timezone.now()
            self._save()
            return True

    def _go(self) -> bool:
        """Take the runs one after another; return whether there are no more."""
        for run in self.walk.runs():
            if run is None:
                if self._is_time():
                    return False
                continue
            self.source.found += 1
            try:
                done = self._take(run)
            except (OSError, MentorError, DataError, IntegrityError, ValueError) as error:
                logger.warning("%s: %s could not be imported", self.source.folder, run.results, exc_info=True)
                self._refuse(run, f"It could not be imported: {error}")
                done = True
            if not done:
                self.source.found -= 1
                return False
        self._flush()
        return True

    def _is_time(self) -> bool:
        """After a folder: store what was read when it is enough, or when the time is over, and say how it stands."""
        over = time.monotonic() > self.deadline
        if over or len(self._drafts) >= BATCH_RUNS or self._bytes() >= BATCH_BYTES:
            self._flush()
        if not self._drafts:
            self.source.cursor = list(self.walk.reached)
        if time.monotonic() - self._shown_at > SHOW_SECONDS:
            self._shown_at = time.monotonic()
            self._save()
        return over

    def _bytes(self) -> int:
        return sum(draft.reading.bytes_read for draft in self._drafts)

    def _take(self, run: FoundRun) -> bool:
        """Import a run, bring it up to date, or refuse it; return False when there was no time to finish it."""
        root = Path(self.source.folder)
        key = (str(root / run.results), run.name[: adopting.NAME_CHARACTERS])
        if key in self._known:
            return self._look_again(run, *self._known[key])
        if self._names & {log.file.name for log in run.logs}:
            self._flush()  # perhaps a copy of what was just read
        session = adopting.known_as(run, root)
        if session is not None:
            self.source.known += 1
            adopting.move_to(session, run, root, self.source)
            return True
        return self._import(run, root)

    def _look_again(self, run: FoundRun, pk: int, stamp: str, state: str | None) -> bool:
        if state is None or self.source.copy or (stamp == run.stamp and state != State.RUNNING.value):
            self.source.known += 1
            return True
        found = ImportedRun.objects.select_related("session").filter(pk=pk).first()
        if found is None:
            return True
        done = growing.refresh(growing.Look(found, run, Path(self.source.folder)), until=self.deadline)
        if done:
            changed = stamp != run.stamp
            self.source.grown += changed
            self.source.known += not changed
        return done

    def _import(self, run: FoundRun, root: Path) -> bool:
        origin, name = None, run.name[: adopting.NAME_CHARACTERS]
        if self.source.copy:
            copied = copying.copy_run(run, root, self.source, until=self.deadline)
            if copied is None:
                return False
            origin, (run, root) = root / run.results, copied
        draft = adopting.read_draft(run, root, copied_from=origin)
        if draft.reading.is_empty and not adopting.is_fresh(draft):
            self._refuse(run, EMPTY)
            return True
        self._drafts.append(draft)
        self._names |= {log.file.name for log in run.logs}
        if adopting.is_read(draft.reading):
            return True
        self._flush()
        found = ImportedRun.objects.select_related("session").filter(folder=str(origin or draft.place)).get(name=name)
        return growing.refresh(growing.Look(found, run, root), until=self.deadline)

    def _flush(self) -> None:
        """Store what was read: all of it at once, or, when one of them cannot be stored, each by itself."""
        drafts, self._drafts, self._names = self._drafts, [], set()
        try:
            self._store(drafts)
        except (DataError, IntegrityError):
            for draft in drafts:
                try:
                    self._store([draft])
                except (DataError, IntegrityError) as error:
                    self._refuse(draft.run, f"It could not be stored: {error}")

    def _store(self, drafts: list[adopting.Draft]) -> None:
        if drafts:
            adopting.store(drafts, self.source)
            self.source.imported += len(drafts)

    def _refuse(self, run: FoundRun, why: str) -> None:
        self.source.refused += 1
        self._before = (self._before[0], self._before[1] + 1, self._before[2])
        if len(self._before[2]) < MOST_REMARKS:
            self._before[2].append([run.results.as_posix(), why])

    def _pause(self) -> bool:
        self._flush()
        self._save()
        return False

    def _end(self) -> bool:
        source = self.source
        asked_again = Import.objects.filter(pk=source.pk, again=True).update(again=False)
        source.state, source.cursor = ("waiting" if asked_again else "done"), None
        source.ended_at = timezone.now()
        self._save()
        copying.forget_drafts(source)
        return not asked_again

    def _save(self) -> None:
        """Store how it stands."""
        source = self.source
        source.now_at = PurePosixPath(*self.walk.reached).as_posix() if self.walk.reached else ""
        source.entries = self._before[0] + self.walk.entries
        source.refused = self._before[1] + self.walk.left_out
        told = [*self._before[2], *map(list, self.walk.remarks)]
        source.remarks = [one for place, one in enumerate(told) if one not in told[:place]][:MOST_REMARKS]
        source.worked_at = timezone.now()
        names = (*COUNTS, "state", "cursor", "remarks", "begun_at", "ended_at", "now_at", "worked_at")
        Import.objects.filter(pk=source.pk).update(**{name: getattr(source, name) for name in names})
        if self.say is not None:
            self.say(source)


def below(folder: Path) -> QuerySet[ImportedRun]:
    """Return the runs that were found in a folder, or in one below."""
    inside = os.path.join(folder, "")  # noqa: PTH118 - with the separator at its end
    return ImportedRun.objects.filter(Q(folder=str(folder)) | Q(folder__startswith=inside))


def known_runs(folder: Path) -> dict[tuple[str, str], tuple[int, str, str | None]]:
    """Return the runs of a folder that were adopted: key, stamp and state by place and name.

    Of one that was deleted from the history the state is None; it is not adopted again by itself.
    """
    columns = below(folder).values_list("folder", "name", "pk", "stamp", "session__state")
    return {(place, name): (pk, stamp, state) for place, name, pk, stamp, state in columns.iterator()}


def watched_runs(machine: Machine) -> list[ImportedRun]:
    """Return the adopted runs of this machine that train, as far as is known."""
    training = ImportedRun.objects.filter(session__origin="imported", session__state=State.RUNNING.value)
    return list(training.filter(source__machine=machine).select_related("session"))


def look_again(source_id: int) -> None:
    """Have a followed folder looked at once more, from its beginning."""
    source = Import.objects.filter(pk=source_id, follow=True).first()
    if source is not None:
        again(source)
        enqueue(source_id)


def left_undone(machine: Machine) -> list[int]:
    """Return the imports that wait for somebody to work on them: their task may have been lost."""
    silent = Q(worked_at=None) | Q(worked_at__lt=timezone.now() - timedelta(seconds=SILENT_SECONDS))
    return list(Import.objects.filter(silent, machine=machine, state__in=OPEN).values_list("pk", flat=True))
