"""The dashboard and the history."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sessions.domain.states import ACTIVE, ENDED, WAITING, State, values
from sessions.models import TrainingSession
from sessions.pages import contexts
from sessions.pages.showing import show
from sessions.selectors import history, machine, sessions
from sessions.selectors.listing import Chosen

ENDED_SHOWN = 8
PAGE_SIZE = 25


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """What trains, what waits, what is paused, what ended last."""
    found = sessions.sessions_with_parts(request.user).filter(trashed_at__isnull=True)
    running = found.filter(state__in=values(ACTIVE)).order_by("-created_at")
    waiting = found.filter(state__in=values(WAITING)).order_by("-priority", "created_at")
    paused = found.filter(state=State.PAUSED.value).order_by("-ended_at")
    ended = Chosen(found.filter(state__in=values(ENDED - {State.PAUSED})).order_by("-ended_at"), found)[:ENDED_SHOWN]
    page = contexts.DashboardPage(
        running=[sessions.session_shape(session) for session in running],
        waiting=[sessions.session_shape(session) for session in waiting],
        paused=[sessions.session_shape(session) for session in paused],
        ended=[sessions.session_shape(session) for session in ended],
        system=machine.system_shape(),
    )
    return show(request, page, template="sessions/_dashboard.html" if "partial" in request.GET else None)


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """The history."""
    rows = sessions.sessions_with_parts(request.user)
    found = history.filtered(rows, _without_blanks(request))
    chosen = found.qs if found.is_valid() else TrainingSession.objects.none()
    page = Paginator(Chosen(chosen, rows), PAGE_SIZE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    visible = sessions.visible_sessions(request.user)
    context = contexts.SessionListPage(
        sessions=[sessions.session_shape(session) for session in page.object_list],
        page=page,
        filters={name: request.GET.get(name, "") for name in contexts.LIST_FILTERS},
        states=[state for state, _ in history.STATE_CHOICES],
        behaviors=history.behavior_names(request.user),
        projects=history.projects(visible),
        trainers=history.trainer_names(),
        environments=history.environment_names(),
        orders=list(history.ORDERS.items()),
        query=query.urlencode(),
        system=machine.system_shape(),
    )
    return show(request, context)


def _without_blanks(request: HttpRequest) -> Any:
    query = request.GET.copy()
    for name in [name for name in query if not str(query[name]).strip()]:
        del query[name]
    return query
