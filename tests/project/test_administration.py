"""Every model can be looked at in the administration, and none can be changed there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reports.models import Report
from sessions.domain.states import State
from sessions.models import Artifact, Environment, EventFile, PortLease, Series, SeriesChunk, SignInLink
from tests.factories import make_machine, make_session

OURS = [model for model in admin.site._registry if model.__module__.startswith(("sessions.", "reports."))]


@pytest.fixture
def looked_through(client: Client, ada: User) -> Client:
    """A signed-in administrator, with one row of every model."""
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    attempt = session.attempts.get()
    file = {"size": 1, "modified_ns": 1}
    Environment.objects.create(name="Ball", path="/builds/Ball", sha256="0", **file)
    PortLease.objects.create(machine=make_machine(), port=5005, attempt=attempt)
    SignInLink.objects.create(user=ada, digest="0", expires_at=timezone.now() + timedelta(minutes=1))
    EventFile.objects.create(attempt=attempt, path="Ball/events", behavior="Ball")
    series = Series.objects.create(attempt=attempt, behavior="Ball", tag="Losses/Value Loss")
    SeriesChunk.objects.create(series=series, number=0, count=1, data=bytes(24))
    Artifact.objects.create(session=session, attempt=attempt, path="Ball.onnx", behavior="Ball", kind="onnx", **file)
    Report.objects.create(session=session, title="Ball", name="ball.html", size=1)
    client.force_login(ada)
    return client


def test_every_model_of_ours_is_registered() -> None:
    assert len(OURS) == 14


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_rows_are_listed_found_and_shown_but_not_changed(looked_through: Client, model: type[Model]) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.first()
    assert row is not None
    assert looked_through.get(reverse(f"{name}_changelist"), {"q": "ball"}).status_code == 200
    assert looked_through.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
    assert looked_through.get(reverse(f"{name}_add")).status_code == 403
    assert looked_through.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()
