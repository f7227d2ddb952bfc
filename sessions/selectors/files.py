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
    attempt = Attempt.objects.filter(session=session).order_by("-number").first()
    return Path(attempt.results_dir, session.run_id) if attempt and attempt.results_dir else None


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
    """Tell whether ML-Agents could resume this session."""
    attempt = session.attempts.order_by("-number").first()
    if attempt is None:
        return False
    return any(Path(attempt.results_dir, session.run_id).glob("*/checkpoint.pt"))
