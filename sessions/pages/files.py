"""The page of a session's files: what it wrote, and what that says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sessions.domain.states import ENDED, State
from sessions.domain.timers import Timers
from sessions.domain.training_status import StatusBehavior, StatusCheckpoint
from sessions.pages.showing import show
from sessions.selectors import last_words, machine, run_files, sessions
from sessions.selectors.last_words import Configuration, LastWords, Written
from sessions.selectors.machine import SystemShape
from sessions.selectors.run_files import RunFileShape

# Of these a training writes many; they have their own places on the session's page.
ELSEWHERE = {"model", "checkpoint"}


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint as training_status.json has it."""

    step: int | None
    reward: float | None
    created_at: datetime | None
    path: str
    final: bool


@dataclass(frozen=True)
class BehaviorStatus:
    """A behavior as training_status.json has it."""

    name: str
    elo: float | None
    checkpoints: list[CheckpointRow]


@dataclass(frozen=True)
class FilesPage:
    """The files of one session."""

    template: ClassVar[str] = "sessions/files.html"
    run_id: str
    state: str
    url: str
    ended: bool
    files: list[RunFileShape]
    videos: list[RunFileShape]
    models: int = field(metadata={"help": "How many models and checkpoints there are, which the session's page lists."})
    complete: bool = field(metadata={"help": "False when there are more files than are listed."})
    configuration: Written[Configuration]
    status: Written[list[BehaviorStatus]]
    lessons: list[tuple[str, int]]
    versions: list[tuple[str, str]]
    timers: Written[Timers]
    shares: list[tuple[str, float]] = field(metadata={"help": "What the time went to, in words, with shares of 1."})
    system: SystemShape


@require_safe
def files_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """All files of a session."""
    session = sessions.session_named(run_id, request.user)
    listing = run_files.listing_of(session)
    said = last_words.last_words_of(session)
    status, timers = said.status.value, said.timers.value
    page = FilesPage(
        run_id=session.run_id,
        state=session.state,
        url=session.get_absolute_url(),
        ended=State(session.state) in ENDED,
        files=[one for one in listing.files if one.kind not in ELSEWHERE],
        videos=[one for one in listing.files if one.kind == "video"],
        models=sum(one.kind in ELSEWHERE for one in listing.files),
        complete=listing.complete,
        configuration=said.configuration,
        status=_status(said),
        lessons=status.lessons if status else [],
        versions=status.versions if status else [],
        timers=said.timers,
        shares=timers.spent.shares() if timers and timers.spent else [],
        system=machine.system_shape(),
    )
    return show(request, page)


def _status(said: LastWords) -> Written[list[BehaviorStatus]]:
    found = said.status
    rows = [_behavior(one) for one in found.value.behaviors] if found.value else None
    return Written(rows, found.problem, found.written_at)


def _behavior(one: StatusBehavior) -> BehaviorStatus:
    return BehaviorStatus(one.name, one.elo, [_checkpoint(each) for each in one.checkpoints])


def _checkpoint(one: StatusCheckpoint) -> CheckpointRow:
    return CheckpointRow(one.step, one.reward, _moment(one.created), one.path, one.final)


def _moment(seconds: float | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc) if seconds is not None else None
    except (OverflowError, ValueError, OSError):
        return None
