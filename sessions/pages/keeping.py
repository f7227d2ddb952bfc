"""The pages of what goes: emptying the trash, and the rules of retention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from sessions.domain.numbers import natural
from sessions.errors import MentorError
from sessions.models import Removal
from sessions.pages.showing import show
from sessions.selectors import machine
from sessions.selectors.keeping import Leaving, leaving
from sessions.selectors.machine import SystemShape
from sessions.selectors.removals import removals_seen_by
from sessions.services import deletion, editing, retention
from sessions.services.retention import RetentionPlan

MEASURE_SECONDS = 2.0
RUN_SECONDS = 4.0
# Of a large trash, so many are shown and deleted at once.
TRASH_SHOWN = 100
ACTIONS_SHOWN = 200
REMOVALS_SHOWN = 20


class RetentionForm(forms.Form):
    """The rules of retention; an empty field is no limit."""

    enabled = forms.BooleanField(required=False, label="Keep these rules once a day")
    archive_days = forms.IntegerField(
        required=False, min_value=0, max_value=36_500, label="Archive after", help_text="Days since the end."
    )
    trash_days = forms.IntegerField(
        required=False, min_value=0, max_value=36_500, label="Move to the trash after", help_text="Days since the end."
    )
    most_gb = forms.FloatField(
        required=False, min_value=0, label="Keep below", help_text="GB outside the trash; the oldest go to it first."
    )
    keep_best = forms.IntegerField(
        min_value=0, max_value=1000, label="Always keep the best", help_text="Of each behavior in each project."
    )
    undo_days = forms.IntegerField(
        min_value=0, max_value=36_500, label="Empty the trash after", help_text="Days in which it can be undone."
    )


@dataclass(frozen=True)
class EmptyPage:
    """What is in the trash, and what deleting it takes along."""

    template: ClassVar[str] = "sessions/empty.html"
    leaving: list[Leaving]
    more: int = field(metadata={"help": "How many further sessions are in the trash."})
    removals: list[Removal]
    system: SystemShape


@dataclass(frozen=True)
class RetentionPage:
    """The rules of retention, and what they ask for now."""

    template: ClassVar[str] = "sessions/retention.html"
    form: RetentionForm
    plan: RetentionPlan
    more: int = field(metadata={"help": "How many further actions are not listed."})
    ran_at: Any
    may_change: bool
    removals: list[Removal]
    system: SystemShape


def empty_page(request: HttpRequest) -> HttpResponse:
    """Deleting from the trash for good: everything is shown with its size before it goes."""
    editing.require_permission(request.user, "training.delete_trainingsession")
    if request.method == "POST":
        return _empty(request)
    found = deletion.in_trash(request.user)
    page = EmptyPage(
        leaving=[leaving(one) for one in found[:TRASH_SHOWN]],
        more=max(0, len(found) - TRASH_SHOWN),
        removals=removals_seen_by(request.user)[:REMOVALS_SHOWN],
        system=machine.system_shape(),
    )
    return show(request, page)


def _empty(request: HttpRequest) -> HttpResponse:
    run_ids = request.POST.getlist("run_id")
    consents = {
        run_id: deletion.Consent(
            request.POST.get(f"folder:{run_id}", ""),
            natural(request.POST.get(f"bytes:{run_id}", ""), most_digits=18) or 0,
        )
        for run_id in request.POST.getlist("with_folder")
    }
    try:
        gone = deletion.empty_trash(by=request.user, run_ids=run_ids, folders=consents)
    except MentorError as error:
        messages.error(request, f"{error.detail} {error.hint}".strip())
        return redirect("sessions:empty")
    words = f"{gone[0]} is" if len(gone) == 1 else f"{len(gone)} sessions are"
    messages.success(request, f"{words} being deleted." if gone else "No session was ticked.")
    return redirect(f"{reverse('sessions:list')}?trash=true")


def retention_page(request: HttpRequest) -> HttpResponse:
    """The rules of retention: what they would do now, their form, and a button to let them do it at once."""
    editing.require_permission(request.user, "training.view_trainingsession")
    stored = retention.policy()
    form = RetentionForm(request.POST or None, initial={name: getattr(stored, name) for name in retention.COLUMNS})
    if request.method == "POST":
        if request.POST.get("action") == "run":
            return _run(request)
        if form.is_valid():
            retention.change(form.cleaned_data, by=request.user)
            messages.success(request, "The rules of retention are stored.")
            return redirect("sessions:retention")
    found = retention.plan(stored, measure_seconds=MEASURE_SECONDS)
    page = RetentionPage(
        form=form,
        plan=found,
        more=max(0, len(found.actions) - ACTIONS_SHOWN),
        ran_at=stored.ran_at,
        may_change=request.user.has_perm("training.delete_trainingsession"),
        removals=removals_seen_by(request.user)[:REMOVALS_SHOWN],
        system=machine.system_shape(),
    )
    return show(request, page, status=422 if form.errors else 200)


def _run(request: HttpRequest) -> HttpResponse:
    try:
        done = retention.run_now(by=request.user, seconds=RUN_SECONDS)
        count = len(done.actions)
        messages.success(request, f"Done: {count} session{'' if count == 1 else 's'}." if count else "Nothing to do.")
    except MentorError as error:
        messages.error(request, f"{error.detail} {error.hint}".strip())
    return redirect("sessions:retention")
