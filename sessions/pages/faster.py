"""What would be faster: trials of settings, from the form and from a session."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from sessions.pages import contexts
from sessions.pages.showing import show
from sessions.selectors import machine, sessions
from sessions.selectors import trials as found
from sessions.services import accounts, trials


@require_POST
def begin(request: HttpRequest, run_id: str) -> HttpResponse:
    """Look for the fastest settings of a session's training."""
    session = sessions.session_named(run_id, request.user)
    trial = trials.begin_like(session, by=accounts.signed_in(request.user))
    messages.success(request, "The settings are measured one after the other, each by a short training.")
    return redirect("sessions:trial", trial.pk)


@require_safe
def trials_page(request: HttpRequest) -> HttpResponse:
    """The newest trials."""
    page = contexts.TrialsPage(trials=found.newest_trials(request.user), system=machine.system_shape())
    return show(request, page)


@require_safe
def trial_page(request: HttpRequest, key: int) -> HttpResponse:
    """One trial, as far as it is."""
    trial = found.trial_with(key, request.user)
    may_stop = trial.owner_id == request.user.pk or request.user.has_perm("training.stop_session")
    page = contexts.TrialPage(trial=found.trial_shape(trial), may_stop=may_stop, system=machine.system_shape())
    return show(request, page)


@require_POST
def stop(request: HttpRequest, key: int) -> HttpResponse:
    """Call a trial off."""
    trial = trials.stop(found.trial_with(key, request.user), by=accounts.signed_in(request.user))
    return redirect("sessions:trial", trial.pk)
