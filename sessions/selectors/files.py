"""Files of a session, addressed by what was found, never by a path a client sends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.urls import reverse

from sessions.errors import Missing
from sessions.models import Artifact, Attempt, TrainingSession


def results_of(session: TrainingSession) -> Path | None:
    """Return the session's results folder, or None before its first attempt."""
    attempt = Attempt.objects.filter(session=session).select_related("session").order_by("-number").first()
    return attempt.results if attempt and attempt.results_dir else None


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
            "url": reverse("api:artifact", args=[session.run_id, artifact.pk]),
        }
        for artifact in Artifact.objects.filter(session=session, present=True)
    ]


def artifact_file(session: TrainingSession, key: int) -> Path:
    """Return the file of an artifact; raises Missing when it is gone or leads out of the results folder."""
    artifact = Artifact.objects.filter(session=session, pk=key).first()
    results = results_of(session)
    if artifact is None or results is None:
        raise Missing("There is no such file.")
    root = Path(os.path.realpath(results))
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
