"""A machine whose launches are noted instead of done."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from sessions.models import Machine
from sessions.runtime.rundir import AttemptDirectory
from sessions.services import launching, queue
from tests.factories import make_machine
from tests.sessions.services.queueing import Launches, options


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch, home: Path, settings: Settings) -> Launches:
    """What was enqueued; ten slots, so that one is not the subject."""
    options(settings, MENTOR_MAX_PARALLEL=10)
    launches = Launches()
    for module in (launching, queue):
        monkeypatch.setattr(module, "async_task", launches.add)
    return launches


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[AttemptDirectory]:
    """The directories for which a shim would have been spawned."""
    directories: list[AttemptDirectory] = []
    monkeypatch.setattr(launching, "spawn_shim", directories.append)
    monkeypatch.setattr(launching, "wait_for_claim", lambda directory, seconds: None)
    return directories


@pytest.fixture
def machine(db: None) -> Machine:
    return make_machine()


@pytest.fixture
def all_ports_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else uses ports on this machine does not matter."""
    monkeypatch.setattr(queue, "port_is_free", lambda port: True)
