"""What a machine offers: trainers, environments and checkpoints from outside, each list with a form that adds to it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from sessions.errors import MentorError
from sessions.pages import contexts
from sessions.pages.showing import show
from sessions.selectors import machine
from sessions.selectors.outside import outside_shapes
from sessions.services import accounts, environments, outside, trainers

Typed = dict[str, str]
Page = contexts.TrainersPage | contexts.EnvironmentsPage | contexts.CheckpointsPage


def trainers_page(request: HttpRequest) -> HttpResponse:
    """Installations that can train; a form registers another."""

    def register(typed: Typed, by: User) -> str:
        return f"{trainers.register(typed['interpreter'], name=typed['name'], by=by)} is ready to train."

    return _listed(
        request,
        register,
        names=("name", "interpreter"),
        page=lambda errors, typed: contexts.TrainersPage(
            machine.trainer_shapes(), errors, typed, machine.system_shape()
        ),
    )


def environments_page(request: HttpRequest) -> HttpResponse:
    """Builds that may be started; a form registers another, or one that was built anew."""

    def register(typed: Typed, by: User) -> str:
        path = environments.resolve(typed["path"])
        return f"{environments.register(path, by=by, name=typed['name'])} may be trained in."

    return _listed(
        request,
        register,
        names=("name", "path"),
        page=lambda errors, typed: contexts.EnvironmentsPage(
            machine.environment_shapes(), errors, typed, machine.system_shape()
        ),
    )


def checkpoints_page(request: HttpRequest) -> HttpResponse:
    """Checkpoints from outside; a form registers another, or one that has changed."""

    def register(typed: Typed, by: User) -> str:
        return f"A training can begin with {outside.register(typed['path'], by=by, name=typed['name'])}."

    return _listed(
        request,
        register,
        names=("name", "path"),
        page=lambda errors, typed: contexts.CheckpointsPage(outside_shapes(), errors, typed, machine.system_shape()),
    )


def _listed(
    request: HttpRequest,
    register: Callable[[Typed, User], str],
    *,
    names: tuple[str, ...],
    page: Callable[[dict[str, list[str]], Typed], Page],
) -> HttpResponse:
    """Show a list, or register what was typed, which answers with a sentence, and show it anew."""
    errors: dict[str, list[str]] = {}
    typed = {name: request.POST.get(name, "").strip() for name in names}
    if request.method == "POST":
        try:
            messages.success(request, register(typed, accounts.signed_in(request.user)))
            return redirect(request.path)
        except MentorError as error:
            errors = error.errors or {"all": [error.detail]}
    return show(request, page(errors, typed), status=422 if errors else 200)
