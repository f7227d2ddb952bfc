"""How an attempt ends: how long it still has while it stops, and its receipt afterwards."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from django.conf import settings
from django.urls import reverse

from sessions.domain.states import ENDED, State
from sessions.models import Attempt, TrainingSession
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.shapes import ReceiptShape, SavedShape, StoppingShape

STAGES = {"import": "loading", "train": "saving", "save": "saving", "end": "ending", "unanswered": "unanswered"}
WORDS = {
    "asked": "The trainer has not answered yet.",
    "loading": "The trainer was still loading; it leaves at once.",
    "saving": "The trainer is saving its model and closing its environments.",
    "ending": "The trainer has saved its model and is leaving.",
    "unanswered": "The trainer did not answer and was interrupted from outside.",
    "killed": "Its processes are being ended.",
}


def stopping_of(session: TrainingSession, attempt: Attempt) -> StoppingShape | None:
    """Return how a stop stands; None when none is under way."""
    if State(attempt.state) is not State.STOPPING:
        return None
    directory = RunDirectory(settings.MENTOR_HOME, session.run_id).attempt(attempt.number)
    request, seen = directory.read_stop_request(), directory.read_stop_seen()
    grace = directory.grace_seconds()
    grace = float(settings.MENTOR["MENTOR_STOP_GRACE_SECONDS"]) if grace is None else grace
    asked_at = datetime.fromtimestamp(request.at, tz=timezone.utc) if request else attempt.stop_asked_at
    killed = session.wanted == "kill"
    stage = STAGES.get(seen.stage, "saving") if seen else "asked"
    return StoppingShape(
        asked_at=asked_at,
        asked_by=attempt.stop_asked_by,
        stage=stage,
        grace_seconds=grace,
        seconds_left=None if killed or asked_at is None else max(0.0, asked_at.timestamp() + grace - time.time()),
        words=WORDS["killed" if killed else stage],
    )


def receipt_of(session: TrainingSession, attempt: Attempt) -> ReceiptShape | None:
    """Return what an attempt left behind; None before it has ended, or when it never started."""
    if State(attempt.state) not in ENDED or attempt.launched_at is None:
        return None
    newest = _newest_steps(attempt.saved)
    files = [_file(session, one, newest.get(one["behavior"])) for one in attempt.saved]
    known = [one for one in files if one.step is not None]
    last = max(known, key=lambda one: (one.step, one.reward is not None), default=None)
    asked, ended = attempt.stop_asked_at, attempt.ended_at
    return ReceiptShape(
        attempt=attempt.number,
        step=last.step if last else None,
        reward=last.reward if last else None,
        whole=all(one.condition in ("whole", "") for one in files) if files else None,
        asked_at=asked,
        asked_by=attempt.stop_asked_by,
        seconds=max(0.0, (ended - asked).total_seconds()) if asked and ended else None,
        files=files,
    )


def _newest_steps(saved: list[dict[str, Any]]) -> dict[str, int]:
    """The last step of each behavior, which is also that of its checkpoint.pt."""
    steps: dict[str, int] = {}
    for one in saved:
        if one["step"] is not None:
            steps[one["behavior"]] = max(one["step"], steps.get(one["behavior"], 0))
    return steps


def _file(session: TrainingSession, saved: dict[str, Any], newest: int | None) -> SavedShape:
    """A file of the receipt; attempts that ended under an earlier MENTOR know less of theirs."""
    kind = saved.get("kind", "onnx")
    step = newest if kind == "pt" else saved["step"]
    return SavedShape(
        path=saved["path"],
        behavior=saved["behavior"],
        kind=kind,
        step=step,
        reward=saved.get("reward"),
        size=saved["size"],
        sha256=saved["sha256"],
        final=saved["final"],
        newest=step == newest,
        condition=saved.get("condition", ""),
        url=reverse("api:artifact", args=[session.run_id, saved["id"]]),
    )
