"""A backup is one moment of MENTOR, comes back whole or not at all, and a hostile one leaves nothing behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import stat
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from mentor_site import archive, backing_up, keeping, preparation, restoring
from mentor_site.archive import BadArchive, may_be_restored
from sessions.runtime.locks import FileLock
from sessions.selectors.database import known_migrations

KEY = "k" * 64
FILES = {
    "secret_key": KEY,
    "runs/ball/session.json": '{"run_id": "ball"}',
    "runs/ball/attempts/1/spec.json": "{}",
    "runs/ball/attempts/1/exit.json": "{}",
    "runs/ball/attempts/1/config.yaml": "behaviors: {}",
}
WITH_RESULTS = {
    "runs/ball/attempts/1/console.log": "a line\n",
    "runs/ball/results/ball/Ball/checkpoint.pt": "weights",
    "runs/ball/results/ball.before-attempt-2/Ball.onnx": "earlier",
    "reports/ball.html": "<html>",
}
NEVER = {
    "runs/ball/attempts/1/shim.lock": "",
    "runs/ball/attempts/1/heartbeat": "",
    "runs/ball/attempts/1/.exit.json.5.ab": "a draft",
    "supervisor.lock": "",
    "environments/launcher": "#!",
}


def fill(home: Path, *parts: dict[str, str]) -> None:
    for name, text in {name: text for part in parts for name, text in part.items()}.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_database(path: Path, *, runs: int = 1, home: str = "/old/home", machine: str = "old") -> Path:
    """A file with the tables that a restore looks at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.executescript(
            "PRAGMA journal_mode=WAL; CREATE TABLE django_migrations (app, name);"
            "CREATE TABLE training_attempt (results_dir); CREATE TABLE training_machine (name UNIQUE);"
        )
        file.executemany("INSERT INTO training_attempt VALUES (?)", [[f"{home}/runs/{n}/results"] for n in range(runs)])
        file.execute("INSERT INTO training_machine VALUES (?)", [machine])
        file.commit()
    return path


def rows(path: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as file:
        return [row[0] for row in file.execute(query)]


@pytest.fixture
def files(home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, db: None) -> Path:
    """A home with a history, whose database is a file."""
    home = tmp_path / "home"
    settings.MENTOR_HOME = home
    settings.MENTOR_MACHINE = "old"
    fill(home, FILES, WITH_RESULTS, NEVER)
    make_database(home / "mentor.sqlite3", home=str(home))
    monkeypatch.setattr(backing_up, "file_of_database", lambda: home / "mentor.sqlite3")
    return home


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Settings) -> Callable[[], Path]:
    """Calling it makes another, empty home the one to restore to."""

    def move() -> Path:
        settings.MENTOR_HOME = tmp_path / "elsewhere"
        settings.MENTOR_MACHINE = "new"
        settings.MENTOR_HOME.mkdir()
        (settings.MENTOR_HOME / "secret_key").write_text("of the new home, never used")
        return Path(settings.MENTOR_HOME)

    return move


def content(home: Path) -> dict[str, str]:
    """What lies where a backup is restored to."""
    return {
        path.relative_to(home).as_posix(): path.read_text()
        for folder in ("runs", "reports")
        for path in (home / folder).rglob("*")
        if path.is_file()
    }


def whole(home: Path) -> dict[str, bytes]:
    """All files but locks."""
    files = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


# There and back


def test_a_backup_comes_back_in_another_home(files: Path, elsewhere: Callable[[], Path], tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "b.zip"))
    home = elsewhere()
    call_command("restore", str(tmp_path / "b.zip"))
    expected = {name: text for name, text in FILES.items() if name != "secret_key"}
    assert content(home) == expected
    assert (home / "secret_key").read_text() == KEY
    assert rows(home / "mentor.sqlite3", "SELECT results_dir FROM training_attempt") == [f"{home}/runs/0/results"]
    assert rows(home / "mentor.sqlite3", "SELECT name FROM training_machine") == ["new"]


def test_consoles_results_and_reports_come_when_asked_for(
    files: Path, elsewhere: Callable[[], Path], tmp_path: Path
) -> None:
    times = {name: (files / name).stat().st_mtime_ns for name in WITH_RESULTS}
    call_command("backup", str(tmp_path / "b.zip"), "--with-results")
    home = elsewhere()
    call_command("restore", str(tmp_path / "b.zip"))
    assert content(home) == {name: text for name, text in {**FILES, **WITH_RESULTS}.items() if "/" in name}
    assert {name: (home / name).stat().st_mtime_ns for name in WITH_RESULTS} == times


def test_the_database_is_copied_as_it_is_at_one_moment_while_others_write(tmp_path: Path) -> None:
    source = make_database(tmp_path / "mentor.sqlite3", runs=1000)
    with contextlib.closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE training_attempt SET results_dir = 'half'")
        backing_up.copy_database(source, tmp_path / "copy")
        writer.execute("COMMIT")
        backing_up.copy_database(source, tmp_path / "later")  # what is only in the journal is in the copy
    assert rows(tmp_path / "copy", "SELECT count(*) FROM training_attempt WHERE results_dir != 'half'") == [1000]
    assert rows(tmp_path / "later", "SELECT count(*) FROM training_attempt WHERE results_dir = 'half'") == [1000]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_nobody_else_may_read_a_backup_and_links_are_not_followed(files: Path, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("somebody else's")
    (files / "runs/ball/results/link").symlink_to(tmp_path / "private")
    (files / "runs/other").symlink_to(files / "runs/ball")
    call_command("backup", str(tmp_path / "b.zip"), "--with-results")
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(tmp_path / "b.zip") as made:
        assert not [name for name in made.namelist() if "link" in name or "other" in name]


def test_the_manifest_says_what_is_in_it(files: Path, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "b.zip"))
    with archive.opened(tmp_path / "b.zip", room_bytes=1 << 30) as (_, manifest):
        pass
    names = {entry.name: entry for entry in manifest.files}
    assert set(names) == {*FILES, "mentor.sqlite3"}
    assert names["secret_key"].sha256 == hashlib.sha256(KEY.encode()).hexdigest()
    assert {tuple(key.split("/")) for key in manifest.migrations} == known_migrations()
    assert (manifest.home, manifest.machine, manifest.with_results) == (str(files), "old", False)


def test_a_file_that_is_there_is_not_written_over_unless_told(files: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.zip"
    target.write_text("precious")
    with pytest.raises(CommandError, match="--force"):
        call_command("backup", str(target))
    assert target.read_text() == "precious"
    call_command("backup", str(target), "--force")
    assert zipfile.is_zipfile(target)


def test_a_backup_that_fails_leaves_nothing(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("No space left on device")

    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr(archive.Writer, "finish", fail)
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", str(folder / "b.zip"))
    assert list(folder.iterdir()) == []


def test_a_name_that_is_no_zip_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"\.zip"):
        call_command("backup", str(tmp_path / "b.tar"))


def test_with_postgresql_the_tool_is_named(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backing_up, "file_of_database", lambda: None)
    monkeypatch.setattr("mentor_site.management.commands.backup.database_trouble", lambda: None)
    monkeypatch.setattr(connection, "vendor", "postgresql")
    call_command("backup", str(tmp_path / "b.zip"))
    assert "pg_dump --format=custom" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "b.zip") as made:
        assert "mentor.sqlite3" not in made.namelist()


# In the place of a history


def test_a_history_is_not_pushed_aside_unless_told_and_never_deleted(files: Path, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "b.zip"))
    (files / "runs/newer").mkdir()
    (files / "runs/newer/session.json").write_text("since the backup")
    before = whole(files)
    with pytest.raises(CommandError, match="holds a history"):
        call_command("restore", str(tmp_path / "b.zip"))
    assert whole(files) == before
    call_command("restore", str(tmp_path / "b.zip"), "--force")
    assert "runs/newer/session.json" not in content(files)
    (aside,) = (files / "set-aside").iterdir()
    assert (aside / "runs/newer/session.json").read_text() == "since the backup"
    assert (aside / "mentor.sqlite3").is_file()
    assert (aside / "reports/ball.html").is_file()


@pytest.mark.parametrize("name", ["up.lock", "supervisor.lock"])
def test_nothing_is_restored_while_mentor_runs(files: Path, tmp_path: Path, name: str) -> None:
    call_command("backup", str(tmp_path / "b.zip"))
    lock = FileLock(files / name)
    assert lock.acquire()
    try:
        with pytest.raises(CommandError, match="MENTOR runs"):
            call_command("restore", str(tmp_path / "b.zip"), "--force")
    finally:
        lock.release()
    assert not (files / "set-aside").exists()


def test_nothing_is_restored_over_a_training_that_runs(files: Path, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "b.zip"))
    (files / "runs/lives/attempts/1").mkdir(parents=True)
    lock = FileLock(files / "runs/lives/attempts/1/train.lock")
    assert lock.acquire()
    try:
        with pytest.raises(CommandError, match="lives/1"):
            call_command("restore", str(tmp_path / "b.zip"), "--force")
    finally:
        lock.release()
    assert not (files / "set-aside").exists()


@pytest.mark.parametrize("interrupted_after", range(8))
def test_a_restore_that_is_killed_while_it_moves_in_is_finished_by_the_next_start(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted_after: int
) -> None:
    call_command("backup", str(tmp_path / "b.zip"), "--with-results")
    (files / "runs/newer").mkdir()
    (files / "runs/newer/session.json").write_text("since the backup")
    rename, count = Path.rename, 0

    def dying(self: Path, target: Any) -> Any:
        nonlocal count
        if ".restored" in (self.name, self.parent.name) or "set-aside" in str(target):
            count += 1
        if count > interrupted_after:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    with contextlib.suppress(KeyboardInterrupt):
        call_command("restore", str(tmp_path / "b.zip"), "--force")
    monkeypatch.setattr(Path, "rename", rename)
    preparation.finish_restore()
    assert content(files) == {name: text for name, text in {**FILES, **WITH_RESULTS}.items() if "/" in name}
    assert (files / "secret_key").read_text() == KEY
    asides = [path.relative_to(files / "set-aside").parts[1:] for path in (files / "set-aside").rglob("session.json")]
    assert ("runs", "newer", "session.json") in asides
    assert not (files / restoring.READY).exists()


# Hostile archives


def sealed(content: dict[str, bytes], /, **changes: Any) -> bytes:
    """An archive whose manifest is right about these files, but for the changes."""
    entries = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "modified_ns": 1}
        for name, data in content.items()
    ]
    facts = {
        "version": "0.1.0", "made_at": "", "machine": "", "home": "/h", "database": "sqlite", "migrations": [],
        "with_results": False, "files": entries, "format": 1, **changes,
    }  # fmt: skip
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in content.items():
            new.writestr(zipfile.ZipInfo(name), data)
        new.writestr("manifest.json", json.dumps(facts))
    return buffer.getvalue()


def with_link() -> bytes:
    buffer = BytesIO(sealed({"runs/a/session.json": b"/etc/passwd"}))
    out = BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w") as new:
        for one in old.infolist():
            kind = stat.S_IFLNK if one.filename.endswith("session.json") else stat.S_IFREG
            one.external_attr = (kind | 0o777) << 16
            new.writestr(one, old.read(one.filename))
    return out.getvalue()


def with_another(name: str, data: bytes) -> bytes:
    buffer = BytesIO(sealed({"secret_key": KEY.encode()}))
    with zipfile.ZipFile(buffer, "a") as more, contextlib.suppress(UserWarning):
        more.writestr(name, data)
    return buffer.getvalue()


def entry(name: str, size: int, data: bytes) -> dict[str, Any]:
    return {"name": name, "size": size, "sha256": hashlib.sha256(data).hexdigest(), "modified_ns": 1}


def damaged() -> bytes:
    data = bytearray(sealed({"runs/a/session.json": b"x" * 5000}))
    data[60:64] = b"\0\0\0\0"
    return bytes(data)


BOMB = b"\0" * 50_000_000
HOSTILE: dict[str, Callable[[], bytes]] = {
    "absolute": lambda: sealed({"/etc/cron.d/x": b"x"}),
    "upwards": lambda: sealed({"runs/../../x": b"x"}),
    "upwards in results": lambda: sealed({"runs/a/results/../../../../x": b"x"}),
    "backslashes": lambda: sealed({"runs\\..\\..\\x": b"x"}),
    "drive": lambda: sealed({"C:/x": b"x"}),
    "a strange place": lambda: sealed({"environments/launcher": b"x"}),
    "a lock": lambda: sealed({"up.lock": b"x"}),
    "a strange run": lambda: sealed({"runs/..a b/session.json": b"x"}),
    "the run itself": lambda: sealed({"runs/a": b"x"}),
    "a folder": lambda: sealed({"runs/a/results/": b""}),
    "a line break": lambda: sealed({"runs/a/results/x\ny": b"x"}),
    "a file as a folder": lambda: sealed({"runs/a/results/x": b"x", "runs/a/results/x/y": b"x"}),
    "a link": with_link,
    "one more file": lambda: with_another("runs/a/session.json", b"x"),
    "a second manifest": lambda: with_another("manifest.json", b"{}"),
    "the same file twice": lambda: with_another("secret_key", b"z" * 64),
    "one file less": lambda: sealed({"secret_key": KEY.encode()}, files=[]),
    "wrong sum": lambda: sealed({"secret_key": KEY.encode()}, files=[entry("secret_key", 64, b"other")]),
    "wrong size": lambda: sealed({"secret_key": KEY.encode()}, files=[entry("secret_key", 63, KEY.encode())]),
    "a bomb": lambda: sealed({"runs/a/results/bomb": BOMB}),
    "a bomb that lies": lambda: sealed({"runs/a/results/bomb": BOMB}, files=[entry("runs/a/results/bomb", 5, b"")]),
    "negative": lambda: sealed({"runs/a/results/x": b"x"}, files=[entry("runs/a/results/x", -1, b"x")]),
    "no manifest": lambda: sealed({}, files=None).replace(b"manifest.json", b"manifest.jsoN"),
    "a manifest of nothing": lambda: sealed({}, files="all"),
    "a manifest of the wrong type": lambda: sealed({}, home=5),
    "a newer format": lambda: sealed({}, format=2),
    "newer tables": lambda: sealed({}, migrations=["training/9999_later"]),
    "no key": lambda: sealed({"secret_key": b"\xff\xfe"}),
    "no database": lambda: sealed({"mentor.sqlite3": b"no database" * 100}),
    "damaged": damaged,
    "cut": lambda: sealed({"runs/a/session.json": b"x" * 5000})[:-30],
    "no zip": lambda: b"PK no zip",
    "empty": lambda: b"",
}


@pytest.fixture
def victim(tmp_path: Path, settings: Settings) -> Path:
    """A home with a history, and the folder around it, which must be untouched."""
    home = tmp_path / "around" / "home"
    settings.MENTOR_HOME = home
    fill(home, FILES, WITH_RESULTS)
    make_database(home / "mentor.sqlite3")
    return home


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_archive_is_refused_and_nothing_of_it_is_written(
    victim: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hostile.zip").write_bytes(HOSTILE[how]())
    monkeypatch.setattr("mentor_site.restoring.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10_000_000}))
    before = whole(victim.parent)
    with pytest.raises(CommandError):
        call_command("restore", str(tmp_path / "hostile.zip"), "--force")
    assert whole(victim.parent) == before
    assert not list(victim.glob(".restor*"))
    assert not (victim / "set-aside").exists()


def test_what_is_wrong_with_a_name_or_sum_is_found_before_anything_is_unpacked(
    victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "unpack", lambda *_: pytest.fail("unpacked"))
    monkeypatch.setattr("mentor_site.restoring.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10_000_000}))
    for how in ("upwards", "a link", "wrong sum", "wrong size", "a bomb", "a bomb that lies", "damaged", "cut"):
        (tmp_path / "hostile.zip").write_bytes(HOSTILE[how]())
        with pytest.raises(BadArchive):
            restoring.restore(tmp_path / "hostile.zip", victim, "here")


def test_an_honest_archive_of_the_same_making_is_taken(victim: Path, tmp_path: Path) -> None:
    (tmp_path / "honest.zip").write_bytes(sealed({"secret_key": KEY.encode(), "runs/a/session.json": b"x"}))
    call_command("restore", str(tmp_path / "honest.zip"), "--force")
    assert content(victim) == {"runs/a/session.json": "x"}


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("mentor.sqlite3", True),
        ("runs/ball.v-1/attempts/12/config.yaml", True),
        ("runs/ball/results/ball/Ball?team=0/x y.pt", True),
        ("reports/ball.html", True),
        ("runs/ball/other/x", False),
        ("runs/ball/results//x", False),
        ("runs/ball/results/./x", False),
        ("mentor.sqlite3-wal", False),
        ("", False),
        ("runs/ball/results/" + "x" * 2000, False),
    ],
)
def test_only_names_that_have_a_place_may_be_restored(name: str, may: bool) -> None:
    assert may_be_restored(name) is may


def test_folders_for_what_is_set_aside_are_never_shared(tmp_path: Path) -> None:
    folders = [keeping.new_folder_aside(tmp_path, "restore") for _ in range(5)]
    assert len(set(folders)) == 5
