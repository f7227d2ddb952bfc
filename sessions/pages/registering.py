"""What a machine offers: trainers and environments, and the forms that register more."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from sessions.errors import MentorError
from sessions.models import Environment
from sessions.pages import contexts
from sessions.pages.showing import show
from sessions.selectors import machine
from sessions.services import (
    accounts,
    environments,
    trainers,
)


def trainers_page(request: HttpRequest) -> HttpResponse:
    """Installations that can train; a form registers another."""
    errors: dict[str, list[str]] = {}
    values_typed = {name: request.POST.get(name, "") for name in ("name", "interpreter")}
    if request.method == "POST":
        try:
            trainer = trainers.register(
                values_typed["interpreter"],
                name=values_typed["name"],
                by=accounts.signed_in(request.user),
            )
            messages.success(request, f"{trainer} is ready to train.")
            return redirect("sessions:trainers")
        except MentorError as error:
            errors = error.errors or {"all": [error.detail]}
    page = contexts.TrainersPage(machine.trainer_shapes(), errors, values_typed, machine.system_shape())
    return show(request, page, status=422 if errors else 200)


def environments_page(request: HttpRequest) -> HttpResponse:
    """Builds that may be started; a form registers another, or one that was built anew."""
    errors: dict[str, list[str]] = {}
    values_typed = {name: request.POST.get(name, "") for name in ("name", "path")}
    if request.method == "POST":
        try:
            path = environments.resolve(values_typed["path"])
            environment: Environment = environments.register(
                path,
                by=accounts.signed_in(request.user),
                name=values_typed["name"].strip(),
            )
            messages.success(request, f"{environment.name} may be trained in.")
            return redirect("sessions:environments")
        except MentorError as error:
            errors = error.errors or {"path": [error.detail]}
    page = contexts.EnvironmentsPage(machine.environment_shapes(), errors, values_typed, machine.system_shape())
    return show(request, page, status=422 if errors else 200)
