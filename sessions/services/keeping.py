"""The best checkpoints, saved before ML-Agents removes them: it drops the oldest, whatever they are worth.

They have a second name (or are copied, where the disk knows no second names) in `runs/<run_id>/kept/`, outside of
ML-Agents' own tree. What is there is the truth: a look at the folder finds again what was kept and not stored.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from sessions.domain.keeping import Candidate, worth_keeping
from sessions.models import Artifact, Attempt, TrainingSession
from sessions.runtime.copying import Copying, forget_drafts, link, same_content
from sessions.runtime.files import atomic_write, read_json
from sessions.selectors.disk import free_bytes, reserve_bytes
from sessions.selectors.files import results_of, run_directory
from sessions.selectors.scores import keeping_of
from sessions.services.artifacts import KINDS
from sessions.services.scoring import rescore
from sessions.services.transitions import touch

logger = logging.getLogger(__name__)

# Behavior, step and number of the attempt that saved it: what makes files one checkpoint.
Key = tuple[str, int, int]
RELEASE = "released.json"
KEEP_TASK = "sessions.tasks.keep_checkpoints"


@dataclass
class Group:
    """The files of one checkpoint by kind: ML-Agents' own, and those that are kept."""

    theirs: dict[str, Artifact] = field(default_factory=dict)
    kept: dict[str, Artifact] = field(default_factory=dict)

    @property
    def rows(self) -> list[Artifact]:
        return [*self.theirs.values(), *self.kept.values()]


@dataclass
class Keeper:
    """Keeps the best checkpoints of one session; its copies that are under way can be forgotten."""

    session: TrainingSession
    _copies: dict[Path, Copying] = field(default_factory=dict)

    def keep(self, *, live: bool, seconds: float = 1.0) -> bool:
        """Save what is worth it, remove what no longer is, and return whether that is all.

        While an attempt is `live` the newest checkpoint of each behavior is held as well: ML-Agents may remove it
        before the summary is written by which it is judged. Raises OSError when a disk refuses.
        """
        deadline = time.monotonic() + seconds
        for attempt in adopt_kept(self.session):
            rescore(attempt)
        groups = groups_of(self.session)
        chosen = self._chosen(groups, live=live)
        for key, group in groups.items():
            if group.kept and key not in chosen:
                drop(self.session, group)
        left = [key for key in sorted(chosen, reverse=True) if not self._save(key, groups[key], deadline)]
        return not left

    def close(self) -> None:
        """Give up the copies that are under way."""
        for copy in self._copies.values():
            copy.abandon()
        self._copies.clear()

    def _chosen(self, groups: dict[Key, Group], *, live: bool) -> set[Key]:
        count, _, mode = keeping_of(self.session)
        chosen = worth_keeping([_candidate(key, group) for key, group in groups.items()], count, mode)
        return {key for key in groups if key in chosen} | (_newest(groups) if live and count else set())

    def _save(self, key: Key, group: Group, deadline: float) -> bool:
        """Save the files of one checkpoint; return whether that is done."""
        results = results_of(self.session)
        done = True
        for row in group.theirs.values() if results else ():
            source, target = Path(results or "", row.path), folder_of(self.session, key) / Path(row.path).name
            try:
                saved = self._save_file(source, target, deadline)
                if saved:
                    store_kept(self.session, key, target, like=row)
            except FileNotFoundError:
                continue  # removed by ML-Agents since it was listed
            done = done and saved
        return done

    def _save_file(self, source: Path, target: Path, deadline: float) -> bool:
        if (copy := self._copies.get(target)) is None:
            before = source.stat()
            if (target.exists() and same_content(before, target.stat())) or link(source, target):
                return True
            if not _has_room(target, before.st_size):
                raise OSError(f"{source.name} is not kept: the disk is nearly full")
            copy = self._copies[target] = Copying(source, target)
        try:
            done = copy.go_on(deadline)
        except OSError:
            self._copies.pop(target).abandon()
            raise
        if done:
            del self._copies[target]
        return done


def _candidate(key: Key, group: Group) -> Candidate:
    scores = [row.score for row in group.rows if row.score is not None]
    released = any(row.released_at is not None for row in group.rows)
    return Candidate(key, key[0], key[1], scores[0] if scores else None, pinned=released)


def _newest(groups: dict[Key, Group]) -> set[Key]:
    newest: dict[str, Key] = {}
    for key in sorted(groups, key=lambda key: (key[2], key[1])):
        newest[key[0]] = key
    return set(newest.values())


def _has_room(target: Path, size: int) -> bool:
    free = free_bytes(target.parent)
    return free is None or free - size > reserve_bytes()


def groups_of(session: TrainingSession) -> dict[Key, Group]:
    """Return the checkpoints that are there, by behavior, step and attempt."""
    rows = Artifact.objects.filter(
        session=session, present=True, step__isnull=False, final=False, attempt__isnull=False
    )
    groups: dict[Key, Group] = {}
    for row in rows.select_related("attempt"):
        group = groups.setdefault(key_of(row), Group())
        (group.kept if row.kept else group.theirs)[row.kind] = row
    return groups


def key_of(row: Artifact) -> Key:
    """Return which checkpoint a file belongs to."""
    return row.behavior, row.step or 0, row.attempt.number if row.attempt else 0


def folder_of(session: TrainingSession, key: Key) -> Path:
    """Return where a checkpoint is kept."""
    behavior, _, number = key
    return run_directory(session).kept / behavior / f"attempt-{number}"


def store_kept(session: TrainingSession, key: Key, path: Path, *, like: Artifact | None = None) -> bool:
    """Store a file that is kept, with what is known of the one `like` it; return whether that is news."""
    stat = path.stat()
    name = path.relative_to(run_directory(session).path).as_posix()
    content = {"size": stat.st_size, "modified_ns": stat.st_mtime_ns}
    rows = Artifact.objects.filter(session=session, path=name)
    if rows.filter(**content, present=True).exists():
        return False
    columns: dict[str, Any] = {**content, "behavior": key[0], "step": key[1], "kind": KINDS[path.suffix], "kept": True}
    columns |= {"sha256": "", "condition": "", "present": True, **_release_in(path.parent, path.stem)}
    if like is not None and (like.size, like.modified_ns) == (stat.st_size, stat.st_mtime_ns):
        names = ("sha256", "condition", "reward", "smoothed", "score")
        columns |= {name: getattr(like, name) for name in names}
    attempt = session.attempts.filter(number=key[2]).first()
    with transaction.atomic():
        Artifact.objects.update_or_create(session=session, path=name, defaults={**columns, "attempt": attempt})
        touch(session.pk)
    return True


def adopt_kept(session: TrainingSession) -> list[Attempt]:
    """Store what is kept on disk and not in the database; return the attempts of which there is news.

    What is no longer there is noted as well. The files of an attempt that is not known (yet) are left alone.
    """
    root = run_directory(session)
    if not root.kept.is_dir():
        return []
    forget_drafts(root.kept)
    attempts = {attempt.number: attempt for attempt in session.attempts.select_related("session")}
    found, news = set(), set()
    for path, key in kept_files(root.kept):
        found.add(path.relative_to(root.path).as_posix())
        with suppress(FileNotFoundError):
            if key[2] in attempts and store_kept(session, key, path):
                news.add(key[2])
    Artifact.objects.filter(session=session, kept=True, present=True).exclude(path__in=found).update(present=False)
    return [attempts[number] for number in news]


def kept_files(folder: Path) -> Iterator[tuple[Path, Key]]:
    """Yield the checkpoints in a folder of kept ones; what has another name is passed over."""
    for path in sorted(folder.glob("*/attempt-*/*")):
        behavior, number = path.parent.parent.name, path.parent.name.removeprefix("attempt-")
        step = path.stem.removeprefix(f"{behavior}-")
        named = path.suffix in KINDS and number.isdecimal() and step.isdecimal()
        if named and path.is_file() and not path.is_symlink():
            yield path, (behavior, int(step), int(number))


def drop(session: TrainingSession, group: Group) -> None:
    """Remove the kept files of a checkpoint that is not worth it any more, unless it was released meanwhile."""
    for row in group.kept.values():
        path = run_directory(session).path / row.path
        gone, _ = Artifact.objects.filter(pk=row.pk, released_at__isnull=True).delete()
        if gone:
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()
    touch(session.pk)


def write_release(session: TrainingSession, key: Key, release: dict[str, Any] | None) -> None:
    """Write who released a checkpoint beside its kept files, as a database may be lost; None removes it."""
    path = _release_file(folder_of(session, key), f"{key[0]}-{key[1]}")
    if release is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_write(path, {**release, "released_at": release["released_at"].isoformat()})


def _release_file(folder: Path, stem: str) -> Path:
    return folder / f"{stem}.{RELEASE}"


def _release_in(folder: Path, stem: str) -> dict[str, Any]:
    told = read_json(_release_file(folder, stem))
    if told is None:
        return {}
    try:
        at = datetime.fromisoformat(str(told["released_at"]))
    except (KeyError, ValueError):
        return {}
    who, note = str(told.get("released_by", ""))[:150], str(told.get("released_note", ""))
    return {"released_at": at, "released_by": who, "released_note": note}
