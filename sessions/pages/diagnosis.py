"""What a diagnosis offers, done from the session's page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from sessions.selectors import sessions
from sessions.services import accounts, repeating


@require_POST
def apply_remedy(request: HttpRequest, run_id: str) -> HttpResponse:
    """Start again in the way that was chosen."""
    session = sessions.session_named(run_id, request.user)
    started = repeating.remedy(session, request.POST.get("id", ""), by=accounts.signed_in(request.user))
    messages.success(request, f"{started.run_id} is in the queue.")
    return redirect(started)
