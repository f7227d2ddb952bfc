"""The queue: what waits, and when it may start."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from sessions.domain.numbers import natural
from sessions.domain.states import ACTIVE, values
from sessions.errors import InvalidInput
from sessions.pages import contexts
from sessions.pages.forms import ScheduleForm
from sessions.pages.showing import show
from sessions.selectors import machine, sessions
from sessions.services import (
    actions,
)


@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """What waits, in its order."""
    active = sessions.sessions_with_parts(request.user).filter(state__in=values(ACTIVE), trashed_at__isnull=True)
    page = contexts.QueuePage(
        waiting=sessions.queued_sessions(request.user),
        running=[sessions.session_shape(session) for session in active.order_by("started_at")],
        system=machine.system_shape(),
    )
    return show(request, page, template="sessions/_queue.html" if "partial" in request.GET else None)


@require_POST
def move(request: HttpRequest, run_id: str) -> HttpResponse:
    """Put a waiting session elsewhere in the queue."""
    index = natural(request.POST.get("index", ""), most_digits=6)
    if index is None:
        raise InvalidInput("The place in the queue must be a number.")
    actions.move(sessions.session_named(run_id, request.user), index, by=request.user)
    return redirect("sessions:queue")


@require_POST
def set_schedule(request: HttpRequest, run_id: str) -> HttpResponse:
    """Say when a waiting session may start."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        sentences = {name: [str(one) for one in told] for name, told in form.errors.items()}
        raise InvalidInput("The moment to start could not be read.", errors=sentences)
    session = sessions.session_named(run_id, request.user)
    actions.set_schedule(
        session, at=form.cleaned_data["start_at"], after=form.cleaned_data["start_after"] or None, by=request.user
    )
    return redirect("sessions:queue")
