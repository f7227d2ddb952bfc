"""The page of imports: folders that were adopted, how far that is, and a form for another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from sessions.errors import MentorError
from sessions.pages.showing import show
from sessions.selectors.imports import ImportShape, import_shapes, import_with
from sessions.selectors.machine import SystemShape, system_shape
from sessions.services import accounts, imports

TAG_CHARACTERS = 50
MOST_TAGS = 20


@dataclass(frozen=True)
class ImportsPage:
    """Folders whose runs are in the history."""

    template: ClassVar[str] = "sessions/imports.html"
    imports: list[ImportShape]
    is_open: bool = field(metadata={"help": "Whether one of them is worked on, so that the page asks again."})
    may_import: bool
    errors: dict[str, list[str]]
    values: dict[str, str]
    system: SystemShape


@require_http_methods(["GET", "HEAD", "POST"])
def imports_page(request: HttpRequest) -> HttpResponse:
    """Folders that were adopted; a form adopts another, or has one looked at again."""
    errors: dict[str, list[str]] = {}
    typed = {name: request.POST.get(name, "") for name in ("folder", "tags", "copy")}
    if request.method == "POST":
        try:
            source = imports.ask(
                typed["folder"],
                by=accounts.signed_in(request.user),
                copy=typed["copy"] == "yes",
                tags=tags_in(typed["tags"]),
            )
            messages.success(request, f"{source.folder} is looked through; this page shows how far that is.")
            return redirect("sessions:imports")
        except MentorError as error:
            if error.http_status != 400:
                raise
            errors = error.errors or {"folder": [error.detail]}
    listed = import_shapes(request.user)
    page = ImportsPage(
        imports=listed,
        is_open=any(one.is_open for one in listed),
        may_import=request.user.has_perm("training.start_session"),
        errors=errors,
        values=typed,
        system=system_shape(),
    )
    return show(request, page, status=422 if errors else 200)


def tags_in(text: str) -> list[str]:
    """Return the tags in a text that has commas between them."""
    words = (word.strip()[:TAG_CHARACTERS] for word in text.split(","))
    return list(dict.fromkeys(word for word in words if word))[:MOST_TAGS]


@require_POST
def follow_import(request: HttpRequest, key: int) -> HttpResponse:
    """Say whether a folder is looked at again by itself."""
    source = import_with(key, request.user)
    follow = request.POST.get("follow") == "yes"
    imports.set_follow(source, follow, by=accounts.signed_in(request.user))
    said = "is looked at again by itself" if follow else "is no longer looked at; its sessions stay"
    messages.success(request, f"{source.folder} {said}.")
    return redirect("sessions:imports")
