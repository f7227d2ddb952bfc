"""The checks before a start, as the form shows them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from sessions.errors import MentorError
from sessions.pages.forms import StartForm
from sessions.services import accounts, planning
from sessions.services.preflight import Preflight, ask, preflight

NOTHING = Preflight([], "none", "none")


def as_json(found: Preflight) -> dict[str, Any]:
    """Return what the page's module shows."""
    checks = [{**asdict(one), "level": one.level.value} for one in found.checks]
    return {"checks": checks, "parser": found.parser, "connection": found.connection}


@require_POST
def check(request: HttpRequest) -> JsonResponse:
    """Check everything: parser and environment are asked too. The page asks again while it waits for their answers."""
    form = StartForm(request.POST, request.FILES)
    found = NOTHING
    if form.is_valid():
        try:
            by = accounts.signed_in(request.user)
            plan = planning.plan_start(form.requests()[0], by=by)
            ask(plan)
            found = preflight(plan, by=by)
        except MentorError as error:
            form.take_errors(error.errors or {"": [error.detail]})
    errors = {name: list(sentences) for name, sentences in form.errors.items()}
    return JsonResponse({"errors": errors, **as_json(found)})
