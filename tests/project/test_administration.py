"""Every model can be looked at in the administration, and none can be changed there."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.factories import make_one_of_everything

OURS = [model for model in admin.site._registry if model.__module__.startswith(("sessions.", "reports."))]


@pytest.fixture
def looked_through(client: Client, ada: User) -> Client:
    """A signed-in administrator, with one row of every model."""
    make_one_of_everything(ada)
    client.force_login(ada)
    return client


def test_every_model_of_ours_is_registered() -> None:
    models = {model for label in ("training", "reports") for model in apps.get_app_config(label).get_models()}
    assert set(OURS) == models


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
