"""Before a resume: what a crash left of checkpoints and status is mended. Nothing is deleted, all of it is told."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sessions.domain.config import ConfigError, read_config
from sessions.domain.repair import Mend, Plan, Shelf, is_sound, plan
from sessions.domain.states import State
from sessions.errors import LaunchFailed
from sessions.models import Attempt, Series
from sessions.runtime.copying import part
from sessions.runtime.files import atomic_write, retrying
from sessions.services.artifacts import status_path
from sessions.services.transitions import SUPERVISOR, record
from sessions.trainers.checkpoints import CURRENT, blank, condition, step_of

# What ML-Agents before 0.24 saved its networks as; it finds its own way among them.
OTHER_KINDS = ("*/*.ckpt*", "*/*.cptk*", "*/checkpoint")
OTHER_NETWORK = "must match the size of tensor"
BACKUP = f"{CURRENT}.before-attempt-"
LESSON, ELO = "Environment/Lesson Number/", "Self-play/ELO"


def prepare(attempt: Attempt) -> str:
    """Make the results of a session fit to be resumed by this attempt.

    Returns why that cannot be, when nothing usable was saved, else an empty text. Raises LaunchFailed or OSError when
    the files cannot be changed.
    """
    results = attempt.results
    if any(next(results.glob(pattern), None) for pattern in OTHER_KINDS):
        return ""
    found = plan_for(attempt, results)
    if found.fresh:
        return found.fresh
    _part_from_kept(results)
    for one in found.mends:
        _replace(attempt, results, one)
    for behavior in _folders(results):
        _back_up(results / behavior, attempt.number)
    _mend_status(attempt, results)
    return ""


def _part_from_kept(results: Path) -> None:
    """Let no later save of the same step write into a checkpoint that is kept: they may be one file of two names."""
    for pattern in ("*/*.pt", "*/*.onnx"):
        for path in results.glob(pattern):
            part(path)


def plan_for(attempt: Attempt, results: Path) -> Plan:
    """Return what is to be mended, as the files say."""
    names = {*_folders(results), *_planned(attempt)}
    better = _backup_before_another_network(attempt)
    shelves = [_shelf(results / name, better) for name in sorted(names)]
    return plan(shelves, lambda behavior, name: condition(results / behavior / name).value)


def aside_of(path: Path, number: int, what: str = "before") -> Path:
    """Return where a file or folder is once an attempt of this number has set it aside."""
    return path.with_name(f"{path.name}.{what}-attempt-{number}")


def set_aside(path: Path, number: int, what: str = "before") -> Path:
    """Rename a file or folder so that its name says before which attempt; raises LaunchFailed when that fails."""
    aside = aside_of(path, number, what)
    try:
        retrying(lambda: path.rename(aside))
    except OSError as error:
        raise LaunchFailed(f"{path.name} could not be set aside: {error.strerror or error}.") from error
    return aside


def tell(attempt: Attempt, why: str) -> None:
    """Write an event of the attempt that changes no state."""
    record(attempt.session_id, attempt.pk, State.LAUNCHING, State.LAUNCHING, who=SUPERVISOR, why=why)


def _folders(results: Path) -> list[str]:
    """The behaviors that have saved something, by their folders."""
    return sorted({path.parent.name for path in results.glob("*/*.pt*") if path.is_file()})


def _planned(attempt: Attempt) -> list[str]:
    try:
        return [name for name in read_config(bytes(attempt.session.config_used)).behaviors if _is_folder_name(name)]
    except ConfigError:  # was right for the version that stored it
        return []


def _is_folder_name(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _backup_before_another_network(attempt: Attempt) -> str:
    """The name of what the last training resumed from, if it then failed for having another network.

    What a user chose to go on from is not second-guessed.
    """
    if attempt.starts_from:
        return ""
    last = attempt.session.attempts.filter(number__lt=attempt.number, started_at__isnull=False).last()
    return f"{BACKUP}{last.number}" if last is not None and OTHER_NETWORK in last.failure else ""


def _shelf(folder: Path, better: str) -> Shelf:
    saved = [path.name for _, path in reversed(_saved(folder))]
    backups = sorted((path.name for path in folder.glob(f"{BACKUP}*")), key=_attempt_of, reverse=True)
    if better in backups:
        why = "the last attempt had another network, and saved that untrained"
        return Shelf(folder.name, [better, *saved], distrusted=why)
    return Shelf(folder.name, [*saved, *backups])


def _saved(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints of a behavior's folder with their steps, in order."""
    steps = [(step, path) for path in folder.glob("*.pt") if (step := step_of(path.name, folder.name)) is not None]
    return sorted(steps)


def _attempt_of(name: str) -> int:
    number = name.removeprefix(BACKUP)
    return int(number) if number.isdecimal() else 0


def _replace(attempt: Attempt, results: Path, mend: Mend) -> None:
    folder = results / mend.behavior
    current = folder / CURRENT
    folder.mkdir(exist_ok=True)
    aside = set_aside(current, attempt.number, "unused-by").name if current.exists() else ""
    if mend.source is None:
        atomic_write(current, blank())
        tell(attempt, f"{mend.behavior} begins at step 0: {mend.why}.{_kept(aside)}")
    else:
        _copy(folder / mend.source, current)
        tell(attempt, f"{mend.behavior} goes on from {mend.source}: {mend.why}.{_kept(aside)}")


def _kept(aside: str) -> str:
    return f" It is kept as {aside}." if aside else ""


def _back_up(folder: Path, number: int) -> None:
    """Keep what is resumed from: a trainer with another network would save over it before it fails."""
    backup = folder / f"{BACKUP}{number}"
    if not (folder / CURRENT).is_file():
        return
    _copy(folder / CURRENT, backup)
    for earlier in folder.glob(f"{BACKUP}*"):
        if earlier != backup and _attempt_of(earlier.name):
            earlier.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.new")
    with source.open("rb") as read, draft.open("wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.flush()
        os.fsync(write.fileno())
    shutil.copystat(source, draft)  # it was saved then, not now
    retrying(lambda: draft.replace(target))


def _mend_status(attempt: Attempt, results: Path) -> None:
    """ML-Agents ends with an error when training_status.json makes no sense, and forgets everything without it."""
    path = status_path(results)
    missing = not path.exists()
    if not missing and is_sound(_read(path)):
        return
    aside = "" if missing else set_aside(path, attempt.number, "unused-by").name
    rebuilt = rebuilt_status(attempt, results)
    path.parent.mkdir(exist_ok=True)
    atomic_write(path, rebuilt)
    tell(attempt, f"{_status_sentence(rebuilt, missing=missing)}{_kept(aside)}")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _status_sentence(rebuilt: dict[str, Any], *, missing: bool) -> str:
    known = {
        "lessons": any("lesson_num" in entry for entry in rebuilt.values()),
        "ELO ratings": any("elo" in entry for entry in rebuilt.values()),
    }
    sources = ["the checkpoints from the files", *(f"the {word} from the curves" for word in known if known[word])]
    anew = " and ".join(word for word in known if not known[word])
    sentence = f"training_status.json was {'missing' if missing else 'unreadable'}. Rebuilt: {', '.join(sources)}."
    return f"{sentence} {anew[0].upper()}{anew[1:]}, if there were any, begin anew." if anew else sentence


def rebuilt_status(attempt: Attempt, results: Path) -> dict[str, Any]:
    """Return a training_status.json as far as files and curves tell it: checkpoints, lessons and ratings."""
    status: dict[str, Any] = {}
    for behavior in _folders(results):
        status[behavior] = {"checkpoints": list(_checkpoints(results / behavior))}
    for series in Series.objects.filter(attempt__session_id=attempt.session_id).order_by("attempt__number"):
        if series.tag == ELO and series.last_value is not None and series.behavior in status:
            status[series.behavior]["elo"] = series.last_value
    return {**status, **_lessons(attempt), "metadata": {"stats_format_version": "0.3.0"}}


def _checkpoints(folder: Path) -> Iterator[dict[str, Any]]:
    for step, path in _saved(folder):
        yield {
            "steps": step,
            "file_path": str(path.with_suffix(".onnx")),
            "reward": None,
            "creation_time": path.stat().st_mtime,
            "auxillary_file_paths": [str(path)],
        }


def _lessons(attempt: Attempt) -> dict[str, Any]:
    """The last lesson of each curriculum, where it still exists."""
    found = {}
    tree = read_config(bytes(attempt.session.config_used)).tree.get("environment_parameters") or {}
    series = Series.objects.filter(attempt__session_id=attempt.session_id, tag__startswith=LESSON)
    for one in series.order_by("attempt__number"):
        name = one.tag.removeprefix(LESSON)
        settings = tree.get(name)
        lessons = settings.get("curriculum") if isinstance(settings, dict) else None
        if lessons and one.last_value is not None and 0 <= one.last_value < len(lessons):
            found[name] = {"lesson_num": int(one.last_value)}
    return found
