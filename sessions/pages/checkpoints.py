"""The pages of checkpoints: the buttons of a session's list, and the checkpoints from outside."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from sessions.errors import Missing
from sessions.models import Artifact, OutsideCheckpoint, TrainingSession
from sessions.selectors import sessions
from sessions.services import accounts, checkpoints, outside


@require_POST
def release(request: HttpRequest, run_id: str, key: int) -> HttpResponse:
    """Mark a checkpoint as released."""
    session, artifact = _found(request, run_id, key)
    checkpoints.release(session, artifact, by=request.user, note=request.POST.get("note", ""))
    return _back(request, session, f"{artifact.behavior} at step {artifact.step:,} is released, and kept for good.")


@require_POST
def take_back(request: HttpRequest, run_id: str, key: int) -> HttpResponse:
    """Take a release back."""
    session, artifact = _found(request, run_id, key)
    checkpoints.take_back(session, artifact, by=request.user)
    return _back(request, session, f"{artifact.behavior} at step {artifact.step:,} is no longer released.")


@require_POST
def resume_from(request: HttpRequest, run_id: str, key: int) -> HttpResponse:
    """Go on from a chosen checkpoint."""
    session, artifact = _found(request, run_id, key)
    checkpoints.resume_from(session, artifact, by=request.user)
    messages.success(request, f"{session.run_id} goes back to step {artifact.step:,} and trains on from there.")
    return redirect(session)


@require_POST
def look(request: HttpRequest, run_id: str) -> HttpResponse:
    """Have the files of all checkpoints read and compared."""
    session = sessions.session_named(run_id, request.user)
    checkpoints.ask_for_a_look(session, by=request.user)
    return _back(request, session, "The files are being read; their state is shown in a moment.")


@require_POST
def forget(request: HttpRequest, key: int) -> HttpResponse:
    """Take a checkpoint from outside off the list."""
    known = OutsideCheckpoint.objects.filter(pk=key).first()
    if known is None:
        raise Missing("There is no such checkpoint.")
    outside.forget(known, by=accounts.signed_in(request.user))
    messages.success(request, f"{known.name} is off the list; its file is where it was.")
    return redirect("sessions:checkpoints")


def _found(request: HttpRequest, run_id: str, key: int) -> tuple[TrainingSession, Artifact]:
    session = sessions.session_named(run_id, request.user)
    artifact = checkpoints.artifact_named(session, key)
    if artifact is None or artifact.step is None:
        raise Missing("There is no such checkpoint.")
    return session, artifact


def _back(request: HttpRequest, session: Any, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect(f"{session.get_absolute_url()}#files")
