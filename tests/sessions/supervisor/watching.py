"""What tests of the supervisor's rounds need: a clock that only moves when told to, and attempts that seem to live."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from sessions.domain.states import State
from sessions.models import Attempt, TrainingSession
from sessions.runtime.files import size_and_crc32
from sessions.runtime.identity import current_boot
from sessions.runtime.locks import FileLock
from sessions.runtime.records import Claim, ExitRecord
from sessions.runtime.rundir import AttemptDirectory, create_once
from sessions.supervisor.loop import Supervisor
from tests.factories import make_session
from tests.sessions.attempts import OnDisk

# Longer than every pause of the loop.
A_WHILE = 6.0
# So many rounds are more than a launch may take.
LAUNCH_ROUNDS = 7


class Clock:
    """Monotonic seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def turn(supervisor: Supervisor, rounds: int = 1, *, seconds: float = A_WHILE) -> float:
    """Tick, with a while before each round; return the last pause."""
    pause = 0.0
    for _ in range(rounds):
        assert isinstance(supervisor.clock, Clock)
        supervisor.clock.now += seconds
        pause = supervisor.tick()
    return pause


def attempt_of(owner: User, state: State, **columns: Any) -> OnDisk:
    written = OnDisk(make_session(owner=owner, state=state))
    Attempt.objects.filter(pk=written.pk).update(**columns)
    return written


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def hold(path: Path, held: ExitStack) -> None:
    """Be the process that holds this lock."""
    lock = FileLock(path)
    assert lock.acquire()
    held.callback(lock.release)


def claim(directory: AttemptDirectory, boot: str | None = None) -> None:
    create_once(directory.claim, asdict(Claim(by="shim", void=False, boot_id=boot or current_boot() or "")))


def followed(written: OnDisk, held: ExitStack, *, alone: bool = False) -> OnDisk:
    """Make the attempt look as if its shim lived, or, alone, only its trainer."""
    claim(written.directory)
    hold(written.directory.train_lock if alone else written.directory.shim_lock, held)
    return written


def end(written: OnDisk, code: int = 1) -> None:
    """Record the end, as a shim does: with the console as it is now."""
    size, crc = size_and_crc32(written.directory.console)
    create_once(written.directory.exit, asdict(ExitRecord(code, 1.7e9, size, crc)))


def state_of(written: OnDisk) -> str:
    return TrainingSession.objects.get(pk=written.session.pk).state
