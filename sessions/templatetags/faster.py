"""Addresses of the start form that begin like a session, with some settings changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template

register = template.Library()


@register.filter
def changed_from(changes: Mapping[str, Any], run_id: str) -> str:
    """Return the query of the form's address that starts like a session, with these fields of a start changed."""
    fields = {name: str(value).lower() for name, value in changes.items() if name != "overrides"}
    lines = [f"{name} = {value}" for name, value in changes.get("overrides", {}).items()]
    return urlencode({"like": run_id, **fields, **({"overrides": "\n".join(lines)} if lines else {})})


@register.filter
def times(gain: float | None) -> str:
    """Return how many times as fast, as people write it."""
    return "unknown" if gain is None else f"{gain:.2g}" if gain < 10 else f"{gain:.0f}"
