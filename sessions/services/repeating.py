"""Starting a session again: as it was, with changes, or under another run id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from sessions.domain.command import suggest_run_id
from sessions.domain.config import read_config, with_run_options
from sessions.domain.diagnosis.remedies import REMEDIES, Remedy
from sessions.domain.states import ENDED, State
from sessions.errors import Conflict, Missing
from sessions.models import Artifact, TrainingSession
from sessions.selectors.diagnosis import config_with_name, diagnosis_of, earlier_checkpoint
from sessions.selectors.files import has_checkpoint
from sessions.services import checkpoints
from sessions.services.planning import OPTION_FIELDS, StartRequest
from sessions.services.starting import start_session

CHANGEABLE = {one.name for one in fields(StartRequest)} - {"resume", "force"}


def request_like(session: TrainingSession) -> StartRequest:
    """Return the request that would start the same training again, with overrides applied to its configuration."""
    options = {name: session.options[name] for name in OPTION_FIELDS if session.options.get(name) is not None}
    if "env_args" in options:
        options["env_args"] = tuple(options["env_args"])
    return StartRequest(
        run_id=session.run_id,
        # Those that no field of a request speaks of.
        config=with_run_options(bytes(session.config_used), session.options.get("further") or {}),
        config_name=session.config_name,
        env_path=session.environment.path if session.environment else None,
        editor=session.environment is None,
        trainer=session.trainer.name,
        **options,
        initialize_from=_source(session),
        priority=session.priority,
        tags=tuple(session.tags),
        notes=session.notes,
        rules=session.rules,
    )


def _source(session: TrainingSession) -> str | None:
    """What this session began with, as a start names it: a run id or the id of a checkpoint; None when it is gone.

    What is stored is a folder: that of another session, or one in which a chosen checkpoint was laid ready.
    """
    folder = session.options.get("initialize_from")
    if not folder:
        return None
    if TrainingSession.objects.filter(run_id=Path(folder).name).exists():
        return Path(folder).name
    first = session.attempts.order_by("number").first()
    digests = [one["sha256"] for one in first.starts_from if one.get("sha256")] if first else []
    checkpoint = Artifact.objects.filter(sha256__in=digests, kind="pt", present=True).first()
    return str(checkpoint.pk) if checkpoint else None


def clone(session: TrainingSession, *, by: User, changes: Mapping[str, Any] | None = None) -> TrainingSession:
    """Start the same training under another run id, with changes of the request; raises as `start_session` does."""
    return start_session(_cloned(session, changes or {}), by=by)


def _cloned(session: TrainingSession, changes: Mapping[str, Any]) -> StartRequest:
    known = {name: value for name, value in changes.items() if name in CHANGEABLE}
    if known.get("config_path"):
        known["config"] = None
    request = replace(request_like(session), **known)
    if session.options.get("initialize_from") and request.initialize_from is None:
        raise Conflict(f"What {session.run_id} began with is no longer there.", hint="Say what to begin with.")
    return request if known.get("run_id") else replace(request, run_id=free_run_id(session.run_id))


def free_run_id(run_id: str) -> str:
    """Return a run id like this one that no session has."""
    stem, dash, number = run_id.rpartition("-")
    taken = set(TrainingSession.objects.values_list("run_id", flat=True))
    return suggest_run_id([stem if dash and number.isdecimal() else run_id], taken)


def remedy(session: TrainingSession, name: str, *, by: User) -> TrainingSession:
    """Do what the diagnosis of a session offers. Raises Missing for what it does not offer, and as `start_session`."""
    diagnosis = diagnosis_of(session)
    offered = {one.id: one for one in diagnosis.actions} if diagnosis else {}
    if name not in offered or REMEDIES[name].way == "edit":
        raise Missing(f"The diagnosis of {session.run_id} offers no such remedy.")
    if State(session.state) not in ENDED:
        raise Conflict(f"{session.run_id} has not ended.", hint="Stop it first.")
    chosen = offered[name]
    if chosen.way == "anew":
        return clone(session, by=by, changes=chosen.changes)
    if chosen.way == "earlier":
        return _resumed_earlier(session, by=by)
    resume = chosen.way != "rename" and (chosen.way == "resume" or has_checkpoint(session))
    request = replace(request_like(session), resume=resume, force=not resume, **_changes(session, chosen))
    return start_session(replace(request, initialize_from=None) if resume else request, by=by)


def _resumed_earlier(session: TrainingSession, *, by: User) -> TrainingSession:
    checkpoint = earlier_checkpoint(session)
    if checkpoint is None:
        raise Missing(f"{session.run_id} has no checkpoint before its last one.")
    checkpoints.resume_from(session, checkpoint, by=by)
    return session


def _changes(session: TrainingSession, chosen: Remedy) -> dict[str, Any]:
    """What a remedy changes of the request; a setting of behaviors is changed for each that the configuration names."""
    changes = dict(chosen.changes)
    if chosen.way == "rename":
        return {"config": config_with_name(session, changes["behavior"])}
    if chosen.settings:
        names = read_config(bytes(session.config_used)).behaviors
        overrides = {f"behaviors.{name}.{path}": value for name in names for path, value in chosen.settings.items()}
        changes["overrides"] = overrides
    return changes
