"""Sessions that wait for slots, ports and the Editor, and what became of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from pytest_django import Settings

from sessions.domain.queue import Grant, decide
from sessions.models import Attempt, Machine, PortLease, TrainingSession
from sessions.runtime.ports import port_is_free
from sessions.services import launching, queue
from tests.factories import make_mlagents_trainer, make_session

BASE = 15005


class Launches:
    """The launches that were enqueued, instead of a worker."""

    def __init__(self) -> None:
        self.attempts: list[int] = []

    def add(self, task: str, attempt_id: int) -> None:
        assert task == launching.LAUNCH_TASK
        self.attempts.append(attempt_id)


def options(settings: Settings, **changes: Any) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_BASE_PORT": BASE, **changes}


def build_at(folder: Path, content: str = "#!/bin/sh\nexit 0\n") -> Path:
    path = folder / ("Ball.exe" if sys.platform == "win32" else "Ball.x86_64")
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755)
    return path


def make_editor_session(owner: User, **changes: Any) -> TrainingSession:
    make_mlagents_trainer()
    return make_session(owner=owner, trainer="mlagents", **changes)


def make_build_session(owner: User, folder: Path, **changes: Any) -> TrainingSession:
    make_mlagents_trainer()
    return make_session(owner=owner, trainer="mlagents", env_path=str(build_at(folder)), **changes)


def again(session: TrainingSession) -> TrainingSession:
    return TrainingSession.objects.get(pk=session.pk)


def states(*sessions: TrainingSession) -> list[str]:
    return [again(session).state for session in sessions]


def ports_of(session: TrainingSession) -> list[int]:
    return sorted(PortLease.objects.filter(attempt__session=session).values_list("port", flat=True))


def granted(session: TrainingSession, machine: Machine) -> Attempt:
    """The attempt of a waiting session after it was granted what it needs."""
    attempt = session.attempts.get(state="queued")
    assert queue.grant(attempt, machine, grant_for(attempt, machine))
    return session.attempts.get(state="launching")


def grant_for(attempt: Attempt, machine: Machine) -> Grant:
    """What the machine has for an attempt at this moment."""
    decision = decide([queue.as_waiting(attempt)], queue.room_on(machine), port_is_free)[0]
    assert isinstance(decision, Grant)
    return decision
