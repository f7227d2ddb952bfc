"""Models and checkpoints of a session: found in its results tree, listed, never opened."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions.domain.numbers import finite
from sessions.models import Artifact, Attempt
from sessions.selectors.files import place_of
from sessions.services.scoring import rescore
from sessions.trainers.checkpoints import Condition, condition, model_condition

KINDS = {".onnx": "onnx", ".pt": "pt"}
# What was known of a file's content is not known of another's.
UNKNOWN: dict[str, Any] = {
    "sha256": "", "condition": "", "smoothed": None, "score": None, "released_at": None, "released_by": "",
    "released_note": "",
}  # fmt: skip
# JSON takes thirty times its size in memory at the worst.
STATUS_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Found:
    """A model or checkpoint on disk; `path` is below the results folder with forward slashes."""

    path: str
    behavior: str
    kind: str
    step: int | None
    final: bool
    size: int
    modified_ns: int


def look(results: Path) -> list[Found]:
    """Return the models and checkpoints below a session's results folder (the final model beside the folders)."""
    return sorted(_found(results), key=lambda one: one.path)


def _found(results: Path) -> Iterator[Found]:
    try:
        entries = list(results.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from (one for file in entry.glob("*.*") if (one := _one(file, results, entry.name)) is not None)
        elif entry.suffix == ".onnx" and (one := _one(entry, results, entry.stem)) is not None:
            yield one


def _one(file: Path, results: Path, behavior: str) -> Found | None:
    kind = KINDS.get(file.suffix)
    if kind is None or file.is_symlink():
        return None
    try:
        stat = file.stat()
    except OSError:
        return None
    step = re.fullmatch(rf"{re.escape(behavior)}-(\d+)", file.stem)
    return Found(
        path=file.relative_to(results).as_posix(),
        behavior=behavior,
        kind=kind,
        step=int(step[1]) if step else None,
        final=file.parent == results,
        size=stat.st_size,
        modified_ns=stat.st_mtime_ns,
    )


def store(attempt: Attempt, results: Path, *, hashed: bool, until: float = math.inf) -> list[Artifact]:
    """Bring the session's list of files up to date and return those that are new or changed.

    With `hashed` the SHA-256 of every file that has none yet is computed. Files that were changed after `until`
    (seconds since the epoch) are left to a later attempt.
    """
    listed = Artifact.objects.filter(session_id=attempt.session_id, kept=False)
    known = {artifact.path: artifact for artifact in listed}
    status = read_status(results)
    changed = []
    found = [one for one in look(results) if one.modified_ns <= until * 1e9]
    for one in found:
        artifact = known.get(one.path)
        if artifact is None or (artifact.modified_ns, artifact.size) != (one.modified_ns, one.size):
            artifact = _store_one(attempt, one, status)
            changed.append(artifact)
        else:
            _complete(artifact, one, status)
    _store_presence(known, {one.path for one in found})
    rescore(attempt)
    if hashed:
        add_digests(attempt, results)
    return changed


def add_digests(attempt: Attempt, results: Path, *, deadline: float = math.inf) -> bool:
    """Compute SHA-256 and condition of every file that has none.

    Returns False when `deadline`, a monotonic time, came first.
    """
    without = Artifact.objects.filter(session_id=attempt.session_id, sha256="", present=True)
    for artifact in without:
        if time.monotonic() > deadline:
            return False
        path = place_of(artifact, attempt.session, results)
        if path is not None:
            Artifact.objects.filter(pk=artifact.pk).update(sha256=sha256_of(path), condition=condition_of(path).value)
    return True


def condition_of(path: Path) -> Condition:
    """Return how a checkpoint or a model is, from its bytes."""
    return model_condition(path) if path.suffix == ".onnx" else condition(path)


def _store_presence(known: dict[str, Artifact], found: set[str]) -> None:
    for present in (True, False):
        moved = [one.pk for one in known.values() if one.present is not present and (one.path in found) is present]
        Artifact.objects.filter(pk__in=moved).update(present=present)


def _complete(artifact: Artifact, one: Found, status: dict[str, Any]) -> None:
    """Add what training_status.json says of a file only after the file itself was written."""
    said = {"step": _step_of(status, one), "reward": reward_of(status, one)}
    news = {name: value for name, value in said.items() if value is not None and value != getattr(artifact, name)}
    if news:
        Artifact.objects.filter(pk=artifact.pk).update(**news)


def _store_one(attempt: Attempt, one: Found, status: dict[str, Any]) -> Artifact:
    columns = {
        "attempt": attempt,
        "behavior": one.behavior,
        "kind": one.kind,
        "step": _step_of(status, one),
        "reward": reward_of(status, one),
        "final": one.final,
        "size": one.size,
        "modified_ns": one.modified_ns,
        "present": True,
        **UNKNOWN,
    }
    return Artifact.objects.update_or_create(session_id=attempt.session_id, path=one.path, defaults=columns)[0]


def status_path(results: Path) -> Path:
    """Return where ML-Agents says how far a run came."""
    return results / "run_logs" / "training_status.json"


def read_status(results: Path) -> dict[str, Any]:
    """Return ML-Agents' training_status.json, or nothing when it is missing or unreadable."""
    path = status_path(results)
    try:
        if path.stat().st_size > STATUS_BYTES:
            return {}
        status = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) else {}


def final_steps(results: Path, *, until: float = math.inf) -> dict[str, int]:
    """Return the step of the final checkpoint of each behavior, as training_status.json tells it.

    What was written after `until` (seconds since the epoch) is a later attempt's, and says nothing.
    """
    path = status_path(results)
    status = read_status(results) if path.is_file() and path.stat().st_mtime <= until else {}
    steps = {name: _final_of(status, name).get("steps") for name in status}
    return {name: step for name, step in steps.items() if isinstance(step, int)}


def _step_of(status: dict[str, Any], one: Found) -> int | None:
    step = _final_of(status, one.behavior).get("steps") if one.final else one.step
    return step if isinstance(step, int) else None


def _final_of(status: dict[str, Any], behavior: str) -> dict[str, Any]:
    entry = status.get(behavior)
    final = entry.get("final_checkpoint") if isinstance(entry, dict) else None
    return final if isinstance(final, dict) else {}


def reward_of(status: dict[str, Any], one: Found) -> float | None:
    """Return ML-Agents' own reward of a checkpoint, which may be missing: its mean since the last policy update."""
    if one.final:
        reward = _final_of(status, one.behavior).get("reward")
        return finite(reward) if isinstance(reward, (int, float)) else None
    entry = status.get(one.behavior)
    listed = entry.get("checkpoints") if isinstance(entry, dict) else None
    for checkpoint in listed if isinstance(listed, list) else []:
        if isinstance(checkpoint, dict) and checkpoint.get("steps") == one.step:
            reward = checkpoint.get("reward")
            return finite(reward) if isinstance(reward, (int, float)) else None
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, or an empty text when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
