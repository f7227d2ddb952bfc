"""Walking folders of results: in bounded memory, without following a link, going on where the last walk ended."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sessions.domain.results_layout import (
    CONFIGURATION,
    MODELS,
    RUN_LOGS,
    Family,
    File,
    Folder,
    FoundRun,
    alone,
    family_of,
    find_runs,
    is_event_file,
    is_summaries,
    matters,
    may_be_a_run,
)

DEEPEST = 24
MOST_ENTRIES = 100_000
MOST_FILES = 4_000
MOST_EVENT_FILES = 500
MOST_SUMMARIES = 5_000
MOST_OF_ALL = 2_000_000
MOST_REMARKS = 100
LONGEST_PATH = 1000
HEAD_BYTES = 64 * 1024
HEADS = 3
# What Windows calls a link between folders that is no symbolic link.
JUNCTION = 0xA0000003
TOO_DEEP = "It has folders in folders deeper than are looked into."
TOO_MANY = "It has more files than are looked into; those that are left out are not in the history."
TOO_LONG = "Its path is too long to be kept."
NOT_UTF8 = "Its name cannot be kept: it is not UTF-8."
NO_EVENTS = "A run without an event file: there is nothing to show of it."


class Unreachable(OSError):
    """The folder that is to be walked is not there, or cannot be read."""


@dataclass
class Walk:
    """One walk through a folder, in the order of names; `after` is the folder at which an earlier one ended.

    `entries` counts what was looked at, `reached` is the last folder that was done with, and `remarks` are folders of
    which something was left out, each with the reason. With `family`, no file is opened to find out who wrote it.
    """

    root: Path
    after: tuple[str, ...] | None = None
    family: Family | None = None
    entries: int = 0
    reached: tuple[str, ...] = ()
    remarks: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0

    def runs_at_the_top(self) -> list[FoundRun]:
        """Return the runs of the folder itself, without those in folders below; none when it is not there."""
        try:
            return [run for run in itertools.takewhile(lambda one: one is not None, self.runs()) if run is not None]
        except Unreachable:
            return []

    def runs(self) -> Iterator[FoundRun | None]:
        """Yield each run, and None after each folder, so that a caller can end the walk there.

        Raises Unreachable when the folder is not there.
        """
        top = self._listing(PurePosixPath(), self.root.name)
        if top is None:
            raise Unreachable(f"{self.root} is not there, or cannot be read.")
        yield from self._below(top, taken=False)

    def _below(self, folder: Folder, *, taken: bool) -> Iterator[FoundRun | None]:
        """The runs in a folder and below; `taken` says that its own event files are part of a run above."""
        collects = may_be_a_run(folder) or is_summaries(folder)
        parts = folder.path.parts
        if self.after is None or parts > self.after:
            if folder.events and not taken:
                yield alone(folder, self._family(folder))
            if collects:
                yield from self._of(folder)
            self.reached = parts
            yield None
        for name in self._names_ahead(folder):
            if self.entries >= MOST_OF_ALL:
                self.remark(folder.path, TOO_MANY)
                return
            child = self._listing(folder.path / name, name)
            if child is not None:
                yield from self._below(child, taken=collects)

    def _names_ahead(self, folder: Folder) -> list[str]:
        if len(folder.path.parts) >= DEEPEST:
            if folder.folders:
                self.remark(folder.path, TOO_DEEP)
            return []
        level = len(folder.path.parts)
        on_the_way = self.after is not None and len(self.after) > level and self.after[:level] == folder.path.parts
        first = self.after[level] if self.after is not None and on_the_way else ""
        return [name for name in folder.folders if name >= first and name != RUN_LOGS]

    def _of(self, folder: Folder) -> list[FoundRun]:
        """The runs whose event files are in the folders of this one."""
        listed = (self._listing(folder.path / name, name) for name in folder.folders[:MOST_SUMMARIES])
        children = [one for one in listed if one is not None and one.events]
        if not children:
            if CONFIGURATION in folder.names and not folder.events:
                self.remark(folder.path, NO_EVENTS)
            return []
        logs = self._listing(folder.path / RUN_LOGS, RUN_LOGS) if RUN_LOGS in folder.folders else None
        models = self._models_beside(folder) if is_summaries(folder) else ()
        return find_runs(folder, children, self._family, logs=logs, old_models=models)

    def _family(self, folder: Folder) -> Family:
        return self.family or peek(self.root, folder)

    def _models_beside(self, folder: Folder) -> tuple[str, ...]:
        path = Path(self.root / folder.path).parent / MODELS
        found = None if path.is_symlink() else listing(path, PurePosixPath(), MODELS, self)
        return found.folders if found else ()

    def _listing(self, path: PurePosixPath, name: str) -> Folder | None:
        return listing(self.root / path, path, name, self)

    def remark(self, path: PurePosixPath, why: str) -> None:
        """Note that something of a folder was left out."""
        one = (path.as_posix(), why)
        if one in self.remarks:
            return  # a folder is listed with the one above it, and by itself
        self.left_out += 1
        if len(self.remarks) < MOST_REMARKS:
            self.remarks.append(one)


def listing(place: Path, path: PurePosixPath, name: str, walk: Walk) -> Folder | None:
    """Return what of a folder can matter to a run; links are left out. None when it cannot be read."""
    events: list[File] = []
    others: list[File] = []
    folders: list[str] = []
    cut = False
    try:
        with os.scandir(place) as entries:
            for count, entry in enumerate(entries):
                walk.entries += 1
                if count >= MOST_ENTRIES:
                    cut = True
                    break
                _sort_in(entry, path, events, others, folders, walk)
    except OSError:
        return None
    if cut or len(events) > MOST_EVENT_FILES or len(others) > MOST_FILES:
        cut = True
        walk.remark(path, TOO_MANY)
    events = sorted(events, key=lambda file: file.path)[:MOST_EVENT_FILES]
    others = sorted(others, key=lambda file: file.path)[:MOST_FILES]
    return Folder(path, name, tuple(events), tuple(others), tuple(sorted(folders)), cut)


def _sort_in(
    entry: os.DirEntry[str],
    path: PurePosixPath,
    events: list[File],
    others: list[File],
    folders: list[str],
    walk: Walk,
) -> None:
    wanted = events if is_event_file(entry.name) else others if matters(entry.name) else None
    try:
        if entry.is_symlink():
            return
        if entry.is_dir(follow_symlinks=False):
            if not _is_junction(entry) and _can_be_kept(entry, path, walk):
                folders.append(entry.name)
        elif wanted is not None and entry.is_file(follow_symlinks=False) and _can_be_kept(entry, path, walk):
            seen = entry.stat(follow_symlinks=False)
            if seen.st_size or wanted is others:
                wanted.append(File(path / entry.name, seen.st_size, seen.st_mtime_ns))
    except OSError:
        return  # gone since it was listed


def _is_junction(entry: os.DirEntry[str]) -> bool:
    if sys.platform != "win32":
        return False
    return entry.stat(follow_symlinks=False).st_reparse_tag == JUNCTION


def _can_be_kept(entry: os.DirEntry[str], path: PurePosixPath, walk: Walk) -> bool:
    """Tell whether the database can hold this path."""
    if len(entry.path) > LONGEST_PATH:
        walk.remark(path, TOO_LONG)
        return False
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        walk.remark(path, NOT_UTF8)
        return False
    return True


def event_files_below(root: Path) -> Iterator[tuple[str, int]]:
    """Yield path and size of the event files below a folder, and each folder with size -1; no link is followed.

    For whoever walks slowly through much: between two of them it may wait as long as it likes.
    """
    waiting, seen = [(str(root), 0)], 0
    while waiting and seen < MOST_OF_ALL:
        place, depth = waiting.pop()
        yield place, -1
        try:
            with os.scandir(place) as entries:
                found = list(itertools.islice(entries, MOST_ENTRIES))
        except OSError:
            continue
        seen += len(found)
        for entry in found:
            try:
                if entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if depth < DEEPEST and not _is_junction(entry):
                        waiting.append((entry.path, depth + 1))
                elif is_event_file(entry.name):
                    yield entry.path, entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue  # gone since it was listed


def peek(root: Path, folder: Folder) -> Family:
    """Return who wrote the event files of a folder, by the first bytes of the first that say so."""
    filled = (file for file in folder.events if file.size)
    for _, file in zip(range(HEADS), filled, strict=False):
        family = family_of(head_of(root / file.path, HEAD_BYTES))
        if family is not Family.OTHER:
            return family
    return Family.OTHER


def head_of(path: Path, length: int) -> bytes:
    """Return the first bytes of a file; none when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(length)
    except OSError:
        return b""
