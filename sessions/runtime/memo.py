"""The memo beside a run, `runs/<run_id>/session.json`: what only the database would know of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sessions.runtime.files import read_json
from sessions.runtime.records import build

SCHEMA = 1


@dataclass(frozen=True)
class AttemptMemo:
    """One attempt; times are seconds since the epoch, `after` is the run id whose end it waits for."""

    number: int
    cookie: str
    state: str = "queued"
    automatic: bool = False
    resume: bool = False
    force: bool = False
    command: list[str] = field(default_factory=list)
    base_port: int | None = None
    device: str = ""
    results_dir: str = ""
    failure: str = ""
    stop_asked_by: str = ""
    starts_from: list[dict[str, Any]] = field(default_factory=list)
    after: str = ""
    not_before: float | None = None
    granted_at: float | None = None
    launched_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    stop_asked_at: float | None = None


@dataclass(frozen=True)
class SessionMemo:
    """One session; `trainer` and `environment` are named as they were when it was written."""

    run_id: str
    name: str = ""
    notes: str = ""
    tags: list[str] = field(default_factory=list)
    project: str = ""
    owner: str = ""
    origin: str = "mentor"
    state: str = "queued"
    explanation: str = ""
    wanted: str = "run"
    config_name: str = ""
    # The bytes as UTF-8; what is none is escaped as Python's surrogateescape does.
    config_given: str = ""
    config_used: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    priority: int = 0
    place: int = 0
    held: bool = False
    trainer: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    created_at: float | None = None
    archived_at: float | None = None
    trashed_at: float | None = None
    attempts: tuple[AttemptMemo, ...] = ()
    schema: int = SCHEMA

    def attempt(self, number: int) -> AttemptMemo | None:
        """Return what is kept of an attempt, or None."""
        return next((one for one in self.attempts if one.number == number), None)


def as_facts(memo: SessionMemo) -> dict[str, Any]:
    """Return the memo as it is written."""
    return asdict(memo)


def read_memo(path: Path) -> SessionMemo | None:
    """Return the memo in `path`; None when it is missing or not understood. An attempt it garbles is left out."""
    facts = read_json(path)
    if facts is None:
        return None
    listed = facts.pop("attempts", None)
    memo = build(SessionMemo, facts)
    if memo is None or not isinstance(listed, list):
        return memo
    attempts = [build(AttemptMemo, one) for one in listed if isinstance(one, Mapping)]
    return replace(memo, attempts=tuple(one for one in attempts if one is not None))
