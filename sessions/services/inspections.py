"""Having a worker look into models: asked for when somebody looks at them, done once for the same bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from sessions.errors import Missing
from sessions.models import Artifact, ModelInspection, TrainingSession
from sessions.runtime.inspecting import Inspection, inspect_model
from sessions.selectors.files import artifact_file
from sessions.selectors.inspections import ModelShape, models_there
from sessions.services.transitions import touch

INSPECT_TASK = "sessions.tasks.inspect_models"
SLICE_SECONDS = 20.0
# A worker that was told to look and did not is told again after this long.
PATIENCE = timedelta(seconds=60)


def ask_for(session: TrainingSession, shapes: Iterable[ModelShape]) -> None:
    """Have a worker look into those of these models into which nobody has looked; returns at once."""
    waiting = [one.id for one in shapes if one.state == "waits"]
    digests = set(models_there(session).filter(pk__in=waiting).exclude(sha256="").values_list("sha256", flat=True))
    if not digests:
        return
    now = timezone.now()
    with transaction.atomic():
        known = set(ModelInspection.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
        new = [ModelInspection(sha256=digest, asked_at=now) for digest in digests - known]
        ModelInspection.objects.bulk_create(new, ignore_conflicts=True)
        forgotten = ModelInspection.objects.filter(sha256__in=known, inspected_at=None, asked_at__lt=now - PATIENCE)
        if forgotten.update(asked_at=now) or new:
            async_task(INSPECT_TASK, session.pk)


def inspect_waiting(session_id: int) -> None:
    """Look into the models of a session that somebody asked about; what is left after a while is a task of its own."""
    session = TrainingSession.objects.filter(pk=session_id).first()
    if session is None:
        return
    deadline = time.monotonic() + SLICE_SECONDS
    asked = ModelInspection.objects.filter(inspected_at=None).values("sha256")
    for artifact in models_there(session).filter(sha256__in=asked):
        if time.monotonic() > deadline:
            async_task(INSPECT_TASK, session_id)
            return
        _inspect(session, artifact)


def _inspect(session: TrainingSession, artifact: Artifact) -> None:
    try:
        found = inspect_model(artifact_file(session, artifact.pk))
    except Missing as error:
        found = Inspection({}, error.detail)
    if found.sha256 not in ("", artifact.sha256):
        return  # it was written anew meanwhile, and is listed with another digest soon
    rows = ModelInspection.objects.filter(sha256=artifact.sha256, inspected_at=None)
    if rows.update(facts=found.facts, problem=found.problem, inspected_at=timezone.now()):
        touch(session.pk)
