"""Copying a run to where MENTOR keeps its own, in slices: a copy that was interrupted goes on where it ended."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from sessions.domain.results_layout import FoundRun
from sessions.errors import Conflict
from sessions.models import Import
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.disk import free_bytes, reserve_bytes
from sessions.selectors.results_tree import Walk

BLOCK_BYTES = 4 * 1024 * 1024
MOST_FILES = 20_000


def copy_run(run: FoundRun, root: Path, source: Import, *, until: float) -> tuple[FoundRun, Path] | None:
    """Copy a run's files and return the run as it is in the copy, and the folder its paths are below.

    None when there was no time to finish, which the next call then does. Raises Conflict when the disk has no room
    for it, OSError when something cannot be read or written.
    """
    place = _draft_of(run, root, source)
    files = list(_files(run, root / run.results))
    _require_room(place, sum(size for _, size in files))
    for name, _ in files:
        if not _copy(root / run.results / name, place / name, until=until):
            return None
    found = [one for one in Walk(place, family=run.family).runs_at_the_top() if one.name == place.name]
    if not found:
        raise Conflict("Its copy holds no run.")
    return found[0], place


def _draft_of(run: FoundRun, root: Path, source: Import) -> Path:
    """Where a copy is made; its last part is the run's own name, which says what is in it."""
    folder = root / run.results
    key = hashlib.sha256(f"{folder}\n{run.name}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return _drafts(source) / key / folder.name


def _drafts(source: Import) -> Path:
    return Path(settings.MENTOR_HOME, "imports", str(source.pk))


def forget_drafts(source: Import) -> None:
    """Delete what is left of copies, once all of them are where they belong."""
    shutil.rmtree(_drafts(source), ignore_errors=True)


def _files(run: FoundRun, folder: Path) -> Iterator[tuple[str, int]]:
    """The files of a run, below its folder: all that ML-Agents left there, of others what is known to be the run's."""
    if run.keeps_to_itself:
        yield from _below(folder)
    else:
        yield from ((one.path.relative_to(run.results).as_posix(), one.size) for one in run.files())


def _below(folder: Path) -> Iterator[tuple[str, int]]:
    waiting, seen = [""], 0
    while waiting:
        place = waiting.pop()
        with os.scandir(folder / place) as entries:
            for entry in entries:
                seen += 1
                if seen > MOST_FILES:
                    raise Conflict(f"It holds more than {MOST_FILES:,} files; a run has fewer.")
                name = f"{place}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield name, entry.stat(follow_symlinks=False).st_size


def _require_room(place: Path, needed: int) -> None:
    free = free_bytes(place)
    if free is not None and free - needed < reserve_bytes():
        raise Conflict(
            f"Its copy needs {needed / 1e9:.1f} GB, and there is no room for it beside the reserve.",
            hint="Make room, or import it without a copy.",
        )


def _copy(path: Path, copy: Path, *, until: float) -> bool:
    """Copy a file, or go on with it; return False when the time was over first."""
    size = copy.stat().st_size if copy.is_file() else 0
    if size and size >= path.stat().st_size:
        return True
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("rb") as source, copy.open("ab") as target:
        source.seek(size)
        while block := source.read(BLOCK_BYTES):
            target.write(block)
            if time.monotonic() > until:
                return False
    shutil.copystat(path, copy, follow_symlinks=False)
    return True


def move_in(place: Path, run_id: str) -> Path:
    """Move a finished copy to where the results of a run are kept, and return that folder."""
    home = RunDirectory(settings.MENTOR_HOME, run_id).results / run_id
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.replace(home)
    return home
