"""`manage.py train`: what is typed becomes a request to start."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from mentor_site import preparation
from sessions.models import TrainingSession
from tests.factories import CONFIG, make_practice_trainer

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def config(ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration, and an installation that is already prepared."""
    make_practice_trainer()
    for name in ("prepare", "discover_trainers"):
        monkeypatch.setattr(preparation, name, lambda: None)
    path = tmp_path / "ball.yaml"
    path.write_bytes(CONFIG)
    return str(path)


def train(config: str, *words: str) -> TrainingSession:
    call_command("train", config, "--trainer=practice", "--detach", *words)
    return TrainingSession.objects.get()


def test_rules_are_typed_one_by_one(config: str) -> None:
    words = ("--rule", "restart_limit=3", "--rule", "stall_minutes=30", "--rule", "budget_until=2026-05-01T08:00Z")
    session = train(config, *words)
    assert session.rules.pop("budget_until").startswith("2026-05-01T")
    assert session.rules == {"restart_limit": 3, "stall_minutes": 30.0}


def test_without_rules_there_are_none(config: str) -> None:
    assert train(config).rules == {}


def test_a_rule_that_cannot_be_used_is_told_by_name(config: str) -> None:
    with pytest.raises(CommandError, match=r"rules\.restart_limit: restart_limit must be a whole number"):
        train(config, "--rule", "restart_limit=often")
    assert not TrainingSession.objects.exists()
