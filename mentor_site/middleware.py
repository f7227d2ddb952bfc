"""Errors with a code, a sentence and a hint, shown on a page or as JSON."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from sessions.errors import MentorError, Missing

Answer = Callable[[HttpRequest], HttpResponse]


class MentorErrors:
    """Answer a MentorError that a page's view raised; the API has its own handler of the same shape."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, MentorError):
            return None
        if "text/html" not in request.headers.get("Accept", "text/html"):
            return JsonResponse(error.as_dict(), status=error.http_status)
        if request.method == "POST" and not isinstance(error, Missing):
            return self._back(request, error)
        template = {404: "404.html", 403: "403.html"}.get(error.http_status, "400.html")
        return render(request, template, {"error": error}, status=error.http_status)

    def _back(self, request: HttpRequest, error: MentorError) -> HttpResponse:
        messages.error(request, f"{error.detail} {error.hint}".strip())
        run_id = request.resolver_match.kwargs.get("run_id") if request.resolver_match else None
        return redirect(reverse("sessions:detail", args=[run_id]) if run_id else reverse("dashboard"))
