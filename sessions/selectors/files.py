"""Files of a session, addressed by what was found, never by a path a client sends."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from sessions.errors import Missing
from sessions.models import Artifact, Attempt, TrainingSession
from sessions.runtime.rundir import RunDirectory


def results_of(session: TrainingSession) -> Path | None:
    """Return the session's results folder, or None before its first attempt."""
    attempt = Attempt.objects.filter(session=session).select_related("session").order_by("-number").first()
    return attempt.results if attempt and attempt.results_dir else None


def run_directory(session: TrainingSession) -> RunDirectory:
    """Return where MENTOR keeps what belongs to the session."""
    return RunDirectory(settings.MENTOR_HOME, session.run_id)


def place_of(artifact: Artifact, session: TrainingSession, results: Path | None) -> Path | None:
    """Return where an artifact's file is, or was; None when the session has no results folder."""
    if artifact.kept:
        return run_directory(session).path / artifact.path
    return results / artifact.path if results is not None else None


def files_of_checkpoint(artifact: Artifact) -> QuerySet[Artifact]:
    """Return the rows of all files of the checkpoint that one belongs to, its own among them; none without a step."""
    rows = Artifact.objects.filter(session_id=artifact.session_id, behavior=artifact.behavior, step__isnull=False)
    return rows.filter(step=artifact.step, attempt=artifact.attempt)


def kept_bytes(session: TrainingSession) -> int:
    """Return the size of the kept checkpoints that take room of their own: those ML-Agents has as well do not."""
    total = 0
    for path in run_directory(session).kept.rglob("*"):
        with suppress(OSError):
            stat = path.lstat()
            total += stat.st_size if path.is_file() and stat.st_nlink < 2 else 0
    return total


def artifacts_of(session: TrainingSession) -> list[dict[str, Any]]:
    """Return the models and checkpoints that are there, as API and pages show them."""
    return [
        {
            "id": artifact.pk,
            "name": artifact.path,
            "behavior": artifact.behavior,
            "kind": artifact.kind,
            "step": artifact.step,
            "reward": artifact.reward,
            "size": artifact.size,
            "sha256": artifact.sha256,
            "final": artifact.final,
            "kept": artifact.kept,
            "url": reverse("api:artifact", args=[session.run_id, artifact.pk]),
        }
        for artifact in Artifact.objects.filter(session=session, present=True)
    ]


def artifact_file(session: TrainingSession, key: int) -> Path:
    """Return the file of an artifact; raises Missing when it is gone or leads out of the results folder."""
    artifact = Artifact.objects.filter(session=session, pk=key).first()
    root = run_directory(session).path if artifact is not None and artifact.kept else results_of(session)
    if artifact is None or root is None:
        raise Missing("There is no such file.")
    root = Path(os.path.realpath(root))
    path = Path(os.path.realpath(root / artifact.path))
    if not path.is_relative_to(root) or not path.is_file():
        raise Missing(f"{artifact.path} is no longer there.")
    return path


def has_checkpoint(session: TrainingSession) -> bool:
    """Tell whether ML-Agents could go on from what this session saved."""
    results = results_of(session)
    return results is not None and any(results.glob("*/checkpoint.pt"))


def saved_something(session: TrainingSession) -> bool:
    """Tell whether there are checkpoints of any kind, usable or not."""
    results = results_of(session)
    return results is not None and any(results.glob("*/*.pt*"))


def checkpoints_are_gone(session: TrainingSession) -> bool:
    """Tell whether this session saved checkpoints of which none is there any more, as on a disk that was taken out."""
    if saved_something(session):
        return False
    began = session.attempts.filter(resume=False).order_by("-number").values_list("number", flat=True).first() or 0
    return Artifact.objects.filter(session=session, kind="pt", attempt__number__gte=began).exists()
