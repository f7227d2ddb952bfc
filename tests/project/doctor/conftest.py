"""A machine that the doctor has little to say about."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from mentor_site.doctor.checks.gpu import Gpus
from mentor_site.doctor.checks.ports import Ports
from mentor_site.doctor.facts import access, ports, services, storage, trainers
from tests.factories import make_practice_trainer
from tests.sessions.services.queueing import options

PORTS = Ports(editor_taken=False, base_port=5005, block=64, taken=(), web_taken=False, web_port=8600)


@pytest.fixture
def quiet(home: Path, db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Nothing is wrong but that MENTOR does not run, and that there is no ML-Agents."""
    make_practice_trainer()
    options(settings, MENTOR_DISK_RESERVE_MB=1)
    monkeypatch.delenv("MENTOR_TEST_HOME", raising=False)
    monkeypatch.setattr("sessions.trainers.installations.find_learn", lambda option: None)
    monkeypatch.setattr(trainers, "gpus", Gpus)
    monkeypatch.setattr(ports, "ports", lambda known: PORTS)
    monkeypatch.setattr(services, "in_container", lambda: False)
    monkeypatch.setattr(services, "unit", lambda: None)
    monkeypatch.setattr(access, "is_root", lambda: False)
    monkeypatch.setattr(storage, "TEMPORARY_BYTES", 0)
