"""How a page is rendered."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def show(request: HttpRequest, page: Any, *, template: str | None = None, status: int = 200) -> HttpResponse:
    """Render a page's dataclass with its own template."""
    context = {one.name: getattr(page, one.name) for one in fields(page)}
    return render(request, template or page.template, context, status=status)
