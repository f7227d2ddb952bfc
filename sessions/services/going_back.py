"""A resume from an earlier checkpoint: the results are put back to its step. Nothing is deleted, all of it is told."""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import Path
from typing import Any

from sessions.models import Attempt, BehaviorProgress
from sessions.runtime.copying import Copying
from sessions.runtime.files import atomic_write
from sessions.selectors.scores import curves_up_to
from sessions.services.artifacts import read_status, status_path
from sessions.services.repair import ELO, LESSON, set_aside, tell
from sessions.services.staging import staged_file
from sessions.trainers.checkpoints import CURRENT


def go_back(attempt: Attempt) -> None:
    """Put the checkpoints that this attempt was told to start from in the place of those that a resume reads.

    What was there is kept beside them. Raises LaunchFailed or OSError when the files cannot be changed.
    """
    for facts in attempt.starts_from:
        _put(attempt, facts)
    if attempt.starts_from:
        _put_status_back(attempt, attempt.results)


def _put(attempt: Attempt, facts: dict[str, Any]) -> None:
    folder = attempt.results / facts["behavior"]
    current = folder / CURRENT
    folder.mkdir(parents=True, exist_ok=True)
    aside = set_aside(current, attempt.number, "unused-by").name if current.exists() else ""
    Copying(staged_file(attempt, facts), current).finish()
    BehaviorProgress.objects.filter(session_id=attempt.session_id, name=facts["behavior"]).update(step=facts["step"])
    kept = f" {CURRENT} of later is kept as {aside}." if aside else ""
    tell(attempt, f"{facts['behavior']} goes back to step {facts['step']:,}.{kept}")


def _put_status_back(attempt: Attempt, results: Path) -> None:
    """Let ML-Agents forget what it saved after those steps, with the lessons and ratings it had reached by then.

    Otherwise the same step is listed twice when it comes again, and removing the first entry removes the file of both.
    """
    status = read_status(results)
    if not status:
        return
    before = json.dumps(status)
    for facts in attempt.starts_from:
        _forget_later(status, str(facts["behavior"]), int(facts["step"]))
        _put_lessons_back(attempt, status, facts)
    if json.dumps(status) != before:
        set_aside(status_path(results), attempt.number, "unused-by")
        atomic_write(status_path(results), status)


def _forget_later(status: dict[str, Any], behavior: str, step: int) -> None:
    entry = status.get(behavior)
    if not isinstance(entry, dict):
        return
    listed = entry.get("checkpoints")
    if isinstance(listed, list):
        entry["checkpoints"] = [one for one in listed if isinstance(one, dict) and _step(one) <= step]
    final = entry.get("final_checkpoint")
    if isinstance(final, dict) and _step(final) > step:
        del entry["final_checkpoint"]


def _step(checkpoint: dict[str, Any]) -> float:
    step = checkpoint.get("steps")
    return step if isinstance(step, (int, float)) else 0


def _put_lessons_back(attempt: Attempt, status: dict[str, Any], facts: dict[str, Any]) -> None:
    """As the curves of the attempt that saved the checkpoint tell them."""
    saved_by = attempt.session.attempts.filter(number=facts["attempt"]).first()
    if saved_by is None:
        return
    behavior, step = facts["behavior"], int(facts["step"])
    for name, entry in status.items():
        if isinstance(entry, dict) and "lesson_num" in entry:
            lesson = _at(saved_by, f"{LESSON}{name}", behavior, step)
            entry["lesson_num"] = int(lesson) if lesson is not None else entry["lesson_num"]
    entry = status.get(behavior)
    if isinstance(entry, dict) and "elo" in entry:
        elo = _at(saved_by, ELO, behavior, step)
        entry["elo"] = elo if elo is not None else entry["elo"]


def _at(attempt: Attempt, tag: str, behavior: str, step: int) -> float | None:
    """The last value of a tag up to a step."""
    steps, values = curves_up_to(attempt, tag).get(behavior, ((), ()))
    end = bisect_right(steps, step)
    return float(values[end - 1]) if end else None
