"""Checkpoints that an attempt was told to start from: found, looked at, and laid ready where its trainer reads them.

They lie in `runs/<run_id>/starts/attempt-<number>/<behavior>/checkpoint.pt`, as a results folder has them, so that
whatever happens to where they came from, the attempt starts from what was chosen.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from sessions.errors import InvalidInput, LaunchFailed
from sessions.models import Artifact, Attempt
from sessions.runtime.copying import Copying, link
from sessions.runtime.files import atomic_write
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.files import files_of_checkpoint, place_of, results_of
from sessions.services.artifacts import sha256_of
from sessions.trainers.checkpoints import CURRENT, Condition, blank, condition, is_for_torch

TROUBLE = {
    Condition.BROKEN: "{} is broken.",
    Condition.BLANK: "{} holds no weights.",
    Condition.MISSING: "{} is no longer there.",
}


@dataclass(frozen=True)
class Chosen:
    """A checkpoint to start from: a whole .pt file of this digest. `source` says whose it is, for people."""

    behavior: str
    path: Path
    sha256: str
    source: str
    step: int | None = None
    attempt: int | None = None


def chosen_checkpoint(artifact: Artifact) -> Chosen:
    """Return the state of the checkpoint that a file belongs to; raises InvalidInput when it cannot be started from."""
    session = artifact.session
    row = state_of(artifact)
    if row is None:
        raise InvalidInput(f"{artifact.path} has no .pt file, so that no training can go on from it.")
    path = place_of(row, session, results_of(session))
    name = f"{row.behavior} at step {row.step:,} of {session.run_id}"
    digest = looked_at(path, name, row.sha256) if path else ""
    number = row.attempt.number if row.attempt else None
    return Chosen(row.behavior, Path(path or ""), digest, name, step=row.step, attempt=number)


def state_of(artifact: Artifact) -> Artifact | None:
    """Return the .pt file of the checkpoint that a file belongs to, preferably one that nobody else removes."""
    rows = files_of_checkpoint(artifact).filter(kind="pt", present=True, final=False)
    return rows.select_related("attempt", "session").order_by("-kept").first()


def looked_at(path: Path, name: str, sha256: str = "") -> str:
    """Return the SHA-256 of a whole checkpoint; raises InvalidInput when it is none, or not the one of this digest."""
    try:
        stat = path.stat()
    except OSError:
        raise InvalidInput(TROUBLE[Condition.MISSING].format(name)) from None
    found, digest = _look(str(path), stat.st_size, stat.st_mtime_ns)
    if found is not Condition.WHOLE:
        raise InvalidInput(TROUBLE[found].format(name))
    if sha256 and digest != sha256:
        raise InvalidInput(f"{name} has changed since it was saved.", hint="Choose another checkpoint.")
    return digest


@lru_cache(maxsize=64)
def _look(path: str, size: int, modified_ns: int) -> tuple[Condition, str]:
    """Many sessions may start from one file; its size and time tell when it is another."""
    return condition(Path(path)), sha256_of(Path(path))


def check_kind(chosen: Sequence[Chosen], trainer_kind: str) -> None:
    """Raise InvalidInput unless this kind of trainer can read the checkpoints."""
    for one in chosen:
        if is_for_torch(one.path) is not (trainer_kind == "mlagents"):
            raise InvalidInput(f"{one.source} was saved by another kind of trainer.")


def matched(chosen: Sequence[Chosen], behaviors: Collection[str]) -> list[Chosen]:
    """Return the checkpoints for these behaviors; a single one serves a single behavior of another name.

    Without any behaviors, as with default_settings alone, names are taken as they are. Raises InvalidInput.
    """
    named = [one for one in chosen if one.behavior in behaviors or not behaviors]
    if named:
        return named
    if len(chosen) == len(behaviors) == 1:
        only, one = next(iter(behaviors)), chosen[0]
        return [Chosen(only, one.path, one.sha256, one.source, step=one.step, attempt=one.attempt)]
    raise InvalidInput(
        f"None of {', '.join(one.source for one in chosen)} is for a behavior of this configuration.",
        hint=f"It has {', '.join(sorted(behaviors))}.",
    )


def folder_for(run_id: str, number: int) -> Path:
    """Return where the checkpoints lie that an attempt starts from."""
    return RunDirectory(settings.MENTOR_HOME, run_id).start(number)


def stage(run_id: str, number: int, chosen: Sequence[Chosen], *, others: Collection[str] = ()) -> list[dict[str, Any]]:
    """Lay checkpoints ready for an attempt and return what it is to know of them; raises OSError.

    `others` are behaviors without one: they get a blank file, for ML-Agents ends where one is missing.
    """
    folder = folder_for(run_id, number)
    shutil.rmtree(folder, ignore_errors=True)
    for one in chosen:
        target = folder / one.behavior / CURRENT
        if not link(one.path, target):
            Copying(one.path, target).finish()
    for behavior in set(others) - {one.behavior for one in chosen}:
        (folder / behavior).mkdir(mode=0o700, parents=True)
        atomic_write(folder / behavior / CURRENT, blank())
    return [_facts(one, folder) for one in chosen]


def _facts(one: Chosen, folder: Path) -> dict[str, Any]:
    return {
        "behavior": one.behavior,
        "step": one.step,
        "attempt": one.attempt,
        "sha256": one.sha256,
        "source": one.source,
        "file": f"{folder.parent.name}/{folder.name}/{one.behavior}/{CURRENT}",
    }


def staged_file(attempt: Attempt, facts: dict[str, Any]) -> Path:
    """Return where one of the checkpoints lies that an attempt starts from."""
    return RunDirectory(settings.MENTOR_HOME, attempt.session.run_id).path / str(facts["file"])


def verify(attempt: Attempt) -> None:
    """Raise LaunchFailed unless all that an attempt starts from is still what was chosen."""
    for facts in attempt.starts_from:
        if sha256_of(staged_file(attempt, facts)) != facts["sha256"]:
            raise LaunchFailed(f"{facts['source']} is not what it was when it was chosen.", hint="Choose it again.")
