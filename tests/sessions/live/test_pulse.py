"""Whoever asks is told whether the database may have changed, at the price of one look for all."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sessions.live import pulse as module
from sessions.live.pulse import Pulse


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else, to the database that is looked at without any pause between looks."""
    path = tmp_path / "mentor.sqlite3"
    known = {"NAME": str(path), "ENGINE": "django.db.backends.sqlite3"}
    monkeypatch.setattr(module, "settings", SimpleNamespace(DATABASES={"default": known}))
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE steps (step)")
        yield other


def change(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO steps VALUES (1)")


def test_a_commit_of_another_process_is_noticed_once(database: sqlite3.Connection) -> None:
    with Pulse() as pulse:
        before = pulse.beat()
        assert pulse.beat() == before
        change(database)
        after = pulse.beat()
        assert after != before
        assert pulse.beat() == after


def test_what_one_page_has_seen_holds_for_those_that_ask_soon_after(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 1000.0)
    with Pulse() as pulse:
        before = pulse.beat()
        change(database)
        assert pulse.beat() == before, "nobody has looked again yet"
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
        assert pulse.beat() != before


def test_the_last_page_to_leave_lets_the_database_go(database: sqlite3.Connection) -> None:
    pulse = Pulse()
    with pulse:
        with pulse:
            before = pulse.beat()
        change(database)
        assert pulse.beat() != before, "the other page is still there"
    assert pulse._connection is None
    with pulse:
        before = pulse.beat()
        change(database)
        assert pulse.beat() != before


def test_a_database_that_cannot_tell_is_looked_at_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"NAME": "mentor", "ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setattr(module, "settings", SimpleNamespace(DATABASES={"default": known}))
    monkeypatch.setattr(module, "BLIND_SECONDS", 0.0)
    with Pulse() as pulse:
        assert len({pulse.beat() for _ in range(3)}) == 3


def test_a_database_that_breaks_makes_the_pages_look(database: sqlite3.Connection, tmp_path: Path) -> None:
    with Pulse() as pulse:
        before = pulse.beat()
        database.close()
        (tmp_path / "mentor.sqlite3").write_bytes(b"no database" * 500)
        assert pulse.beat() != before
