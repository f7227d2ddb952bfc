"""What a diagnosis offers, done from the session's page; and the causes that users taught."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from sessions.errors import MentorError
from sessions.models import TaughtCause
from sessions.selectors import machine, sessions
from sessions.services import accounts, repeating, teaching

FIELDS = ("text", "title", "cause", "fix")


@require_POST
def apply_remedy(request: HttpRequest, run_id: str) -> HttpResponse:
    """Start again in the way that was chosen."""
    session = sessions.session_named(run_id, request.user)
    started = repeating.remedy(session, request.POST.get("id", ""), by=accounts.signed_in(request.user))
    messages.success(request, f"{started.run_id} is in the queue.")
    return redirect(started)


@require_http_methods(["GET", "HEAD", "POST"])
def causes_page(request: HttpRequest) -> HttpResponse:
    """What was taught, and a form to teach more; an address may fill in its text."""
    values = {name: (request.POST or request.GET).get(name, "") for name in FIELDS}
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            cause = teaching.teach(**values, by=accounts.signed_in(request.user))
        except MentorError as error:
            errors = error.errors or {"all": [f"{error.detail} {error.hint}".strip()]}
        else:
            messages.success(request, f"From now on MENTOR knows: {cause.title}.")
            return redirect("sessions:causes")
    context = {"causes": TaughtCause.objects.all(), "values": values, "errors": errors}
    page = {**context, "system": machine.system_shape()}
    return render(request, "sessions/causes.html", page, status=422 if errors else 200)


@require_POST
def forget(request: HttpRequest, key: int) -> HttpResponse:
    """Forget a cause that was taught."""
    teaching.forget(key, by=accounts.signed_in(request.user))
    return redirect("sessions:causes")
