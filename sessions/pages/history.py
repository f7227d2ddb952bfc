"""The pages of the history: behaviors, projects, and what is done to many sessions at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sessions.domain.labels import read_tags
from sessions.errors import MentorError
from sessions.pages.showing import show
from sessions.selectors import behaviors, history, machine, sessions
from sessions.selectors.machine import SystemShape
from sessions.services import bulk, editing, projects

BEHAVIORS_SHOWN = 100
REFUSALS_SHOWN = 3
SAID = {
    "tag": "tagged",
    "untag": "without that tag",
    "project": "in that project",
    "archive": "in the archive",
    "unarchive": "back in the lists",
    "trash": "in the trash; files stay until it is emptied",
    "restore": "out of the trash",
}


@dataclass(frozen=True)
class BehaviorsPage:
    """Every behavior that was ever trained."""

    template: ClassVar[str] = "sessions/behaviors.html"
    behaviors: list[behaviors.BehaviorEntry]
    page: Page[Any]
    text: str = field(metadata={"help": "Looked for in the names."})
    query: str
    system: SystemShape


@dataclass(frozen=True)
class ProjectsPage:
    """The projects there are."""

    template: ClassVar[str] = "sessions/projects.html"
    projects: list[history.Choice]
    system: SystemShape


@require_safe
def behaviors_page(request: HttpRequest) -> HttpResponse:
    """Every behavior that was ever trained, each leading to its sessions."""
    text = request.GET.get("text", "").strip()
    found = [one for one in behaviors.behavior_entries(request.user) if text.lower() in one.name.lower()]
    page = Paginator(found, BEHAVIORS_SHOWN).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    return show(
        request,
        BehaviorsPage(list(page.object_list), page, text, query.urlencode(), machine.system_shape()),
    )


def projects_page(request: HttpRequest) -> HttpResponse:
    """The projects; a form renames one, merges it into another or dissolves it."""
    if request.method == "POST":
        name, to = request.POST.get("name", ""), request.POST.get("to", "")
        moved = projects.rename(name, to, by=request.user)
        what = f"{moved} session{'' if moved == 1 else 's'}"
        messages.success(request, f"{what} moved from {name} to {to}." if to.strip() else f"{what} left {name}.")
        return redirect("sessions:projects")
    found = history.projects(sessions.visible_sessions(request.user))
    return show(request, ProjectsPage(found, machine.system_shape()))


@require_POST
def edit(request: HttpRequest, run_id: str) -> HttpResponse:
    """The form of a session's name, project, tags and notes."""
    session = sessions.session_named(run_id, request.user)
    editing.require_permission(request.user, "training.start_session")
    typed = {name: request.POST[name] for name in ("name", "notes", "project") if name in request.POST}
    limits = {"name": 200, "notes": 20_000}
    changes: dict[str, Any] = {name: value.strip()[: limits.get(name)] for name, value in typed.items()}
    if "tags" in request.POST:
        changes["tags"] = read_tags(request.POST["tags"])
    editing.edit(session, changes, by=request.user.get_username())
    messages.success(request, f"What is noted of {session.run_id} is stored.")
    return redirect(f"{session.get_absolute_url()}#about")


@require_POST
def change_many(request: HttpRequest) -> HttpResponse:
    """The form of the list: one action for all sessions that are ticked; also behind every "Undo"."""
    run_ids, action = request.POST.getlist("run_id"), request.POST.get("action", "")
    back = redirect(f"{reverse('sessions:list')}?{request.POST.get('query', '')}")
    if not run_ids:
        messages.warning(request, "No session was ticked.")
        return back
    try:
        result = bulk.apply(run_ids, action, request.POST.get("value", ""), by=request.user)
    except MentorError as error:
        messages.error(request, error.detail)
        return back
    tell(request, action, result.done)
    for one in result.refused[:REFUSALS_SHOWN]:
        messages.error(request, f"{one.run_id}: {one.detail}")
    if len(result.refused) > REFUSALS_SHOWN:
        messages.error(request, f"{len(result.refused) - REFUSALS_SHOWN} more were refused.")
    return back


def tell(request: HttpRequest, action: str, run_ids: list[str]) -> None:
    """Say what was done to sessions, with a button that takes it back where that can be."""
    if not run_ids:
        return
    what = f"{run_ids[0]} is" if len(run_ids) == 1 else f"{len(run_ids)} sessions are"
    undo = f"undo {bulk.OPPOSITES[action]} {' '.join(run_ids)}" if action in bulk.OPPOSITES else ""
    messages.success(request, f"{what} {SAID[action]}.", extra_tags=undo)
