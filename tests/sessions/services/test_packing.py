"""The archive: consoles and event files are compressed, read as before, and come back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.metrics.events import event_files
from sessions.models import SessionEvent, TrainingSession
from sessions.selectors.console import attempt_of, console_part, console_path, tail_offset
from sessions.services import editing, upkeep
from tests.factories import make_session

LINES = b"".join(b"[INFO] Ball. Step: %d. Mean Reward: 1.5.\n" % number for number in range(20_000))


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    for name, content in files().items():
        path = home / "runs" / "ball" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return session


def files() -> dict[str, bytes]:
    return {
        "attempts/1/console.log": LINES,
        "attempts/1/exit.json": b"{}" * 5000,
        "results/ball/Ball/events.out.tfevents.1700000000.host.1.0": b"event" * 5000,
        "results/ball/Ball/checkpoint.pt": b"network" * 5000,
        "results/ball/run_logs/Player-0.log": b"Mono path\n" * 5000,
        "results/ball/run_logs/timers.json": b"{}" * 5000,
        "results/ball/Ball/events.out.tfevents.1700000009.host.1.0": b"tiny",
    }


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_archive_compresses_what_is_text_and_leaves_checkpoints(session: TrainingSession, home: Path) -> None:
    run = home / "runs" / "ball"
    editing.archive(session, by="ada")
    assert upkeep.work()
    names = set(content_of(run)) - {"session.json"}
    assert names == {
        "attempts/1/console.log.gz",
        "attempts/1/exit.json",
        "results/ball/Ball/events.out.tf-events.1700000000.host.1.0.gz",
        "results/ball/Ball/events.out.tfevents.1700000009.host.1.0",
        "results/ball/Ball/checkpoint.pt",
        "results/ball/run_logs/Player-0.log.gz",
        "results/ball/run_logs/timers.json",
    }
    session.refresh_from_db()
    assert session.chore == ""
    assert session.packed_bytes > 500_000
    assert session.disk_bytes is not None
    assert "Compressed 3 files" in SessionEvent.objects.latest("pk").why
    assert [path.name for path in event_files(run / "results" / "ball" / "Ball")] == [
        "events.out.tfevents.1700000009.host.1.0"
    ]
    editing.unarchive(session, by="ada")
    assert upkeep.work()
    now = content_of(run)
    now.pop("session.json", None)
    assert now == files()
    session.refresh_from_db()
    assert (session.packed_bytes, session.chore) == (0, "")


def test_the_console_of_an_archived_session_is_read_as_before(
    session: TrainingSession, client: Client, ada: User
) -> None:
    def read() -> tuple[object, ...]:
        attempt = attempt_of(session)
        assert attempt is not None
        client.force_login(ada)
        download = client.get("/sessions/ball/console/")
        return (
            console_part(session, after=0, limit=1000),
            console_part(session, after=123_456, limit=65_536),
            console_part(session, after=len(LINES) - 10, limit=1000),
            console_part(session, after=len(LINES) + 10, limit=1000),
            tail_offset(console_path(session, attempt), 5000),
            b"".join(download),
            download.headers["Content-Length"],
            client.get("/api/sessions/ball/log/?after=500000&limit=5000").json(),
        )

    before = read()
    editing.archive(session, by="ada")
    assert upkeep.work()
    assert not (console_path(session, session.attempts.get())).exists()
    assert read() == before


def test_it_is_done_in_slices(session: TrainingSession, home: Path) -> None:
    editing.archive(session, by="ada")
    slices = 0
    while not upkeep.work(seconds=0.0):
        slices += 1
        assert slices < 50
    session.refresh_from_db()
    assert slices
    assert session.packed_bytes


def test_results_of_a_users_own_folder_are_left_alone(session: TrainingSession, tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "ball" / "Ball" / "events.out.tfevents.1700000000.host.1.0"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"event" * 5000)
    session.attempts.update(results_dir=str(tmp_path / "mine"))
    editing.archive(session, by="ada")
    assert upkeep.work()
    assert mine.read_bytes() == b"event" * 5000
