"""What a bundle tells of one session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

from mentor_site.doctor.privacy import plain_rules, shown_variables
from sessions.domain.command import as_shell
from sessions.domain.hostile_json import MOST_BYTES
from sessions.models import Attempt, TrainingSession
from sessions.runtime.files import read_regular
from sessions.runtime.records import LaunchSpec
from sessions.runtime.tails import tail
from sessions.selectors.console import console_path
from sessions.selectors.diagnosis import diagnosis_of
from sessions.selectors.player_logs import player_logs_of
from sessions.selectors.run_files import folder_of_results
from sessions.services.launching import directory_of
from sessions.trainers.packages import every_package, installed_beside

CONSOLE_BYTES, PLAYER_BYTES, SHIM_BYTES = 256 * 1024, 64 * 1024, 16 * 1024
MOST_PLAYERS, MOST_ATTEMPTS, MOST_EVENTS = 8, 20, 200


class Parts(Protocol):
    """Where the parts go."""

    def add_text(self, name: str, text: str) -> None: ...

    def add_data(self, name: str, data: Any) -> None: ...


def specs_of(session: TrainingSession) -> list[LaunchSpec]:
    """Return how the session's attempts were launched, the last ones."""
    found = (directory_of(attempt).read_spec() for attempt in _attempts(session))
    return [spec for spec in found if spec is not None]


def _attempts(session: TrainingSession) -> list[Attempt]:
    return list(Attempt.objects.filter(session=session).select_related("session").order_by("-number")[:MOST_ATTEMPTS])


def add(parts: Parts, session: TrainingSession, specs: list[LaunchSpec]) -> None:
    """Add what is known of a session: no models, no checkpoints, no event files, no notes, no names of people."""
    attempts = _attempts(session)
    parts.add_data("session/session.json", _about(session))
    parts.add_data("session/attempts.json", [_attempt(one) for one in attempts])
    parts.add_data("session/events.json", list(_events(session)))
    parts.add_text("session/config.yaml", bytes(session.config_used).decode("utf-8", "replace"))
    parts.add_text("session/command.txt", "\n".join(as_shell(one.command) for one in attempts))
    diagnosis = diagnosis_of(session)
    parts.add_data("session/diagnosis.json", asdict(diagnosis) if diagnosis is not None else None)
    if specs:
        parts.add_data("session/environment.json", shown_variables(specs[0].env))
    _add_files(parts, session, attempts[0] if attempts else None)
    _add_trainer(parts, session)


def _about(session: TrainingSession) -> dict[str, Any]:
    trainer = session.trainer
    return {
        "run_id": session.run_id,
        "state": session.state,
        "explanation": session.explanation,
        "wanted": session.wanted,
        "mode": session.mode,
        "origin": session.origin,
        "rules": plain_rules(session.rules),
        "created_at": session.created_at,
        "ended_at": session.ended_at,
        "steps_per_second": session.steps_per_second,
        "trainer": {"kind": trainer.kind, "version": trainer.version, "python": trainer.python_version},
        "behaviors": list(session.behaviors.values("name", "step", "max_steps", "mean_reward")),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    names = (
        "number", "state", "exit_code", "resume", "force", "automatic", "base_port", "device", "failure", "alarm",
        "granted_at", "launched_at", "started_at", "ended_at", "environment_restarts", "interrupted", "console_size",
    )  # fmt: skip
    ending = directory_of(attempt).read_exit()
    return {**{name: getattr(attempt, name) for name in names}, "exit": asdict(ending) if ending else None}


def _events(session: TrainingSession) -> Iterator[dict[str, Any]]:
    for event in session.events.order_by("-pk")[:MOST_EVENTS]:
        yield {"at": event.at, "from": event.from_state, "to": event.to_state, "why": event.why}


def _add_files(parts: Parts, session: TrainingSession, attempt: Attempt | None) -> None:
    if attempt is None:
        return
    parts.add_text("session/console.log", tail(console_path(session, attempt), CONSOLE_BYTES))
    parts.add_text("session/shim.error.txt", tail(directory_of(attempt).shim_error, SHIM_BYTES))
    for number, log in list(player_logs_of(session).items())[:MOST_PLAYERS]:
        parts.add_text(f"session/Player-{number}.log", tail(log, PLAYER_BYTES))
    folder = folder_of_results(session, "run_logs")
    timers = read_regular(folder / "timers.json", MOST_BYTES) if folder is not None else None
    if timers is not None:
        with suppress(ValueError, RecursionError):
            parts.add_data("session/timers.json", json.loads(timers))


def _add_trainer(parts: Parts, session: TrainingSession) -> None:
    if session.trainer.kind == "imported":
        return
    interpreter = session.trainer.interpreter
    found = installed_beside(interpreter) if session.trainer.kind == "mlagents" else None
    if found is not None:
        facts = {"python": found.python, "cuda": found.cuda, "problem": found.problem}
        parts.add_data("session/trainer.json", facts)
    parts.add_text("session/packages.txt", "\n".join(every_package(interpreter)))
