"""Errors with a code, a sentence and a hint, shown on a page or as JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views import defaults

from sessions.domain.trouble import GONE, DatabaseUnusable
from sessions.errors import MentorError, Missing
from sessions.selectors.database import explained, file_of_database, identity_of, is_trouble

logger = logging.getLogger(__name__)

# For programs; what happened is in the log, with its traceback.
MISTAKE = {
    "code": "mistake",
    "detail": "MENTOR made a mistake. Trainings are not touched by this and go on.",
    "hint": "What happened is written where manage.py up runs; manage.py doctor looks for its cause.",
    "errors": {},
}

Answer = Callable[[HttpRequest], HttpResponse]


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view and no middleware caught: trouble with the database in a sentence, anything else as 500."""
    error = sys.exc_info()[1]
    if error is None or not (is_trouble(error) or isinstance(error, DatabaseUnusable)):
        return JsonResponse(MISTAKE, status=500) if wants_json(request) else defaults.server_error(request)
    logger.warning("%s: %s", request.path, error)
    return answer_trouble(request, explained(error))


def answer_trouble(request: HttpRequest, error: DatabaseUnusable) -> HttpResponse:
    """Say what is the matter with the database, without asking it anything."""
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse(error.as_dict(), status=error.http_status)
    else:
        response = HttpResponse(render_to_string("503.html", {"error": error}), status=error.http_status)
    response.headers["Retry-After"] = "5"
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would add the traceback
    return response


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks."""
    return request.path.startswith("/api/") or "text/html" not in request.headers.get("Accept", "text/html")


class MentorErrors:
    """Answer a MentorError that a page's view raised; the API has its own handler of the same shape."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = file_of_database()
        if path is not None and identity_of(path) is None:  # a look would make an empty one
            return answer_trouble(request, DatabaseUnusable(GONE))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, MentorError):
            return None
        if wants_json(request):
            return JsonResponse(error.as_dict(), status=error.http_status)
        if request.method == "POST" and not isinstance(error, Missing):
            return self._back(request, error)
        template = {404: "404.html", 403: "403.html"}.get(error.http_status, "400.html")
        return render(request, template, {"error": error}, status=error.http_status)

    def _back(self, request: HttpRequest, error: MentorError) -> HttpResponse:
        messages.error(request, f"{error.detail} {error.hint}".strip())
        run_id = request.resolver_match.kwargs.get("run_id") if request.resolver_match else None
        return redirect(reverse("sessions:detail", args=[run_id]) if run_id else reverse("dashboard"))
