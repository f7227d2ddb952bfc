"""What is to say about configurations, without storing or starting anything."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from sessions.domain.configuration.validation import Validation, validate


def validation_of(data: bytes, *, name: str = "") -> Validation:
    """Return everything that is known of a text as a configuration; `name` is that of its file, if it has one."""
    return validate(data, plugins=settings.MENTOR["MENTOR_PLUGIN_TRAINERS"], behavior=Path(name).stem)
