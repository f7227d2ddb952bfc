"""A supervisor whose launches are noted instead of done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from sessions.services import launching, queue
from sessions.supervisor.loop import Supervisor
from tests.factories import make_machine
from tests.sessions.supervisor.watching import Clock


@pytest.fixture(autouse=True)
def launches(monkeypatch: pytest.MonkeyPatch, settings: Settings, home: Path) -> list[int]:
    """The launches that were enqueued; nothing follows an ended session."""
    enqueued: list[int] = []
    for module in (launching, queue):
        monkeypatch.setattr(module, "async_task", lambda task, attempt_id: enqueued.append(attempt_id))
    settings.MENTOR_AFTER_SESSION = []
    settings.MENTOR = {**settings.MENTOR, "MENTOR_MAX_PARALLEL": 1, "MENTOR_STOP_GRACE_SECONDS": 60}
    return enqueued


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """What keeps locks held until the test has ended."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def supervisor(db: None) -> Supervisor:
    return Supervisor(make_machine(), Clock())
