"""The page of configurations that users keep under a name."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from sessions.selectors import machine
from sessions.selectors.library import kept_versions
from sessions.services import accounts, library


@require_safe
def library_page(request: HttpRequest) -> HttpResponse:
    """Every name with its versions and what changed in each."""
    page = {"configurations": kept_versions(), "system": machine.system_shape()}
    return render(request, "sessions/library.html", page)


@require_POST
def forget(request: HttpRequest, key: int) -> HttpResponse:
    """Forget one version."""
    forgotten = library.forget(key, by=accounts.signed_in(request.user))
    messages.success(request, f"Version {forgotten.version} of {forgotten.name} is forgotten.")
    return redirect("sessions:library")
