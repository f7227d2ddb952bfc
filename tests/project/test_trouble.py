"""Trouble with the database is told in one sentence with a hint, changes nothing, and costs no more than delay."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from mentor_site import preparation, restoring
from mentor_site.management.commands import supervise
from sessions.domain import trouble
from sessions.domain.trouble import DatabaseUnusable, Trouble
from sessions.models import Attempt, Series, TrainingSession
from sessions.runtime.locks import FileLock
from sessions.selectors import database
from sessions.selectors.database import Guard, explained, file_trouble, is_trouble, schema_trouble
from sessions.services import starting
from tests.factories import make_practice_trainer, make_request, make_session, make_user
from tests.sessions.attempts import CONNECTED, NEW_BRAIN, OnDisk, record_of, summary


@pytest.fixture
def client(ada: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    return client


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, type[Exception]], None]]:
    """From the call on, every query fails with this message."""
    with contextlib.ExitStack() as stack:

        def fail(message: str, kind: type[Exception] = OperationalError) -> None:
            def refuse(*_: Any) -> Any:
                raise kind(message)

            stack.enter_context(connection.execute_wrapper(refuse))

        yield fail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of MENTOR's in a file."""
    path = tmp_path / "mentor.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as new:
        new.executescript("CREATE TABLE django_migrations (app, name); CREATE TABLE many (text);")
        new.executemany("INSERT INTO many VALUES (?)", [["x" * 500]] * 2000)
        new.commit()
    return path


# The words


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("database is locked", trouble.LOCKED),
        ("database table is locked: training_attempt", trouble.LOCKED),
        ("canceling statement due to lock timeout", trouble.LOCKED),
        ("database or disk is full", trouble.FULL),
        ('could not extend file "base/1": No space left on device', trouble.FULL),
        ("attempt to write a readonly database", trouble.READ_ONLY),
        ("cannot execute UPDATE in a read-only transaction", trouble.READ_ONLY),
        ("database disk image is malformed", trouble.DAMAGED),
        ("file is not a database", trouble.DAMAGED),
        ("unable to open database file", trouble.GONE),
        ("no such table: training_trainingsession", trouble.BEHIND),
        ('relation "training_machine" does not exist', trouble.BEHIND),
        ("server closed the connection unexpectedly", trouble.UNREACHABLE),
        ("the connection is closed", trouble.UNREACHABLE),
        ("", trouble.UNREACHABLE),
    ],
)
def test_what_a_database_says_is_understood(message: str, meant: Trouble) -> None:
    assert trouble.explain(message) is meant


def test_every_trouble_has_a_code_of_its_own_and_says_what_to_do() -> None:
    troubles = [one for one in vars(trouble).values() if isinstance(one, Trouble)]
    assert len({one.code for one in troubles}) == len(troubles) > 7
    assert all(one.detail.endswith(".") and one.hint.endswith(".") for one in troubles)


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (OperationalError("database is locked"), True),
        (InterfaceError("connection already closed"), True),
        (DatabaseError("file is not a database"), True),
        (ProgrammingError('relation "x" does not exist'), True),
        (ProgrammingError("syntax error"), False),
        (IntegrityError("UNIQUE constraint failed"), False),
        (RuntimeError("database is locked"), False),
    ],
)
def test_a_mistake_of_our_own_is_no_trouble_of_the_database(error: Exception, is_one: bool) -> None:
    assert is_trouble(error) is is_one


# Pages and API


def test_the_api_answers_503_in_its_one_shape(client: Client, failing: Callable[..., None]) -> None:
    failing("database is locked")
    answer = client.get("/api/sessions/")
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_locked"
    assert set(answer.json()) == {"code", "detail", "hint", "errors"}
    assert answer.json()["hint"]


@pytest.mark.parametrize("path", ["/", "/sessions/", "/admin/"])
def test_a_page_says_it_in_one_sentence(client: Client, failing: Callable[..., None], path: str) -> None:
    failing("database disk image is malformed", DatabaseError)
    answer = client.get(path)
    text = answer.content.decode()
    assert answer.status_code == 503
    assert "The database is damaged." in text
    assert "manage.py recover" in text
    assert "Traceback" not in text


def test_a_database_that_is_gone_is_said_before_anybody_looks(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "mentor.sqlite3"
    monkeypatch.setattr("mentor_site.middleware.file_of_database", lambda: gone)
    answers = [client.get("/"), client.get("/api/sessions/")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[1].json()["code"] == "database_gone"
    assert not gone.exists()


def test_a_mistake_of_our_own_is_still_a_500(client: Client, failing: Callable[..., None]) -> None:
    failing("UNIQUE constraint failed", IntegrityError)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "MENTOR made a mistake" in answer.content.decode()


# Full


@contextlib.contextmanager
def full() -> Iterator[None]:
    """The database may not grow by a page."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1000000")


@pytest.mark.django_db(transaction=True)
def test_a_full_database_stores_a_start_whole_or_not_at_all(home: Path) -> None:
    ada = make_user("ada", admin=True)
    make_practice_trainer()
    request = make_request(notes="n" * 200_000)
    with full(), pytest.raises(OperationalError) as raised:
        starting.start_session(request, by=ada)
    assert explained(raised.value).code == "database_full"
    assert not TrainingSession.objects.exists()
    assert not Attempt.objects.exists()
    assert starting.start_session(request, by=ada).state == "queued"


@pytest.mark.django_db(transaction=True)
def test_a_full_database_moves_no_position_past_what_it_could_not_store(home: Path) -> None:
    written = OnDisk(make_session(owner=make_user("ada", admin=True)))
    written.say(CONNECTED, NEW_BRAIN, *(summary(step) for step in range(500, 20_000, 500)))
    written.append_events(b"".join(record_of(f"Tag/{n}", step, 0.5) for n in range(40) for step in range(300)))
    with full(), pytest.raises(OperationalError):
        written.ingester().drain()
    assert not Series.objects.exists()
    ingester = written.ingester()
    ingester.drain()
    assert Series.objects.count() == 40
    assert set(Series.objects.values_list("count", flat=True)) == {300}
    assert written.attempt.console_offset == written.directory.console.stat().st_size


# Damaged, foreign, replaced


def test_a_sound_file_has_nothing_wrong(file: Path) -> None:
    assert file_trouble(file) is None


def test_a_missing_and_an_empty_file_are_gone_and_stay_so(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("none", "empty"):
        assert file_trouble(tmp_path / name) is trouble.GONE
    assert not (tmp_path / "none").exists()


def test_a_database_that_only_somebodys_look_has_made_is_gone_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mentor.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=WAL")
    assert path.stat().st_size > 0
    assert file_trouble(path) is trouble.GONE
    monkeypatch.setattr(database, "file_of_database", lambda: path)
    assert explained(OperationalError("no such table: training_machine")).trouble is trouble.GONE


def test_a_file_that_may_not_be_opened_is_not_gone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "file_of_database", lambda: file)
    assert explained(OperationalError("unable to open database file")).trouble is trouble.READ_ONLY
    assert explained(OperationalError("no such table: training_machine")).trouble is trouble.BEHIND
    file.unlink()
    assert explained(OperationalError("unable to open database file")).trouble is trouble.GONE


def test_a_file_of_something_else_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing like it " * 1000)
    assert file_trouble(tmp_path / "text") is trouble.DAMAGED
    with contextlib.closing(sqlite3.connect(tmp_path / "other")) as other:
        other.executescript("CREATE TABLE music (song);")
    assert file_trouble(tmp_path / "other") is trouble.FOREIGN


def test_damage_in_the_middle_is_found(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = b"\xaa" * 20_000
    file.write_bytes(data)
    assert file_trouble(file) is trouble.DAMAGED


def test_a_file_too_large_for_the_time_there_is_counts_as_sound(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STEPS_BETWEEN_LOOKS", 1)
    assert file_trouble(file, seconds=-1.0) is None


def test_a_damaged_database_is_an_error_of_the_check(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[str]:
        return [f"{message.msg} {message.hint}" for message in run_checks() if message.id == "mentor.E006"]

    monkeypatch.setattr("mentor_site.checks.file_of_database", lambda: file)
    assert found() == []
    file.write_text("no database")
    (said,) = found()
    assert "The database is damaged." in said
    assert "manage.py recover" in said


def test_a_new_database_is_not_made_in_silence_where_there_is_a_history(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mentor_site.checks.file_of_database", lambda: home / "mentor.sqlite3")
    assert "mentor.E006" not in {message.id for message in run_checks()}
    (home / "runs/ball").mkdir(parents=True)
    (home / "runs/ball/session.json").write_text(
        '{"run_id": "ball", "attempts": [{"number": 1, "cookie": "c", "state": "queued"}]}'
    )
    assert "mentor.E006" in {message.id for message in run_checks()}


# The guard of those that write


def test_the_guard_refuses_a_file_that_is_gone_and_opens_one_that_was_replaced(
    db: None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    monkeypatch.setattr(database, "file_of_database", lambda: file)
    monkeypatch.setattr(connection, "close", lambda: closed.append(1))
    guard = Guard(clock=lambda: 0.0)
    guard.look()
    guard.look()
    assert len(closed) == 1
    content = file.read_bytes()
    file.rename(file.with_name("old"))
    with pytest.raises(DatabaseUnusable, match="gone"):
        guard.look()
    file.write_bytes(content)
    guard.look()
    assert len(closed) == 2


def test_the_guard_refuses_a_schema_that_this_code_does_not_know(db: None) -> None:
    clock = iter(range(0, 10_000, 6))
    guard = Guard(clock=lambda: float(next(clock)))
    guard.look()
    MigrationRecorder(connection).record_applied("training", "9999_of_a_newer_one")
    with pytest.raises(DatabaseUnusable, match="newer MENTOR"):
        guard.look()
    MigrationRecorder(connection).record_unapplied("training", "9999_of_a_newer_one")
    guard.look()
    MigrationRecorder(connection).record_unapplied("training", "0001_initial")
    with pytest.raises(DatabaseUnusable, match="older MENTOR"):
        guard.look()


def test_migrations_of_apps_that_are_not_here_any_more_do_no_harm(db: None) -> None:
    MigrationRecorder(connection).record_applied("an_app_of_old", "0001_initial")
    assert schema_trouble() is None


def test_an_older_mentor_does_not_start_on_a_newer_database(db: None) -> None:
    MigrationRecorder(connection).record_applied("training", "9999_of_a_newer_one")
    with pytest.raises(CommandError, match="newer MENTOR"):
        preparation.prepare()


def test_a_database_that_is_behind_is_brought_up_to_date(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(preparation, "call_command", lambda name, **_: called.append(name))
    preparation.prepare()
    assert called == []
    MigrationRecorder(connection).record_unapplied("reports", "0001_initial")
    preparation.prepare()
    assert called == ["migrate"]


class Counting:
    """A supervisor that counts its rounds and then ends the process."""

    def __init__(self, ended: threading.Event) -> None:
        self.ticks = 0
        self._ended = ended

    def tick(self) -> float:
        self.ticks += 1
        self._ended.set()
        return 0.0


def test_the_supervisor_writes_nothing_until_the_database_may_be_written_and_says_why_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()
    counting = Counting(ended)
    looks: list[Exception | None] = [
        DatabaseUnusable(trouble.AHEAD),
        DatabaseUnusable(trouble.AHEAD),
        InterfaceError("the connection is closed"),
        None,
    ]

    def look(self: Guard) -> None:
        assert counting.ticks == 0
        if (error := looks.pop(0)) is not None:
            raise error

    monkeypatch.setattr(Guard, "look", look)
    monkeypatch.setattr(supervise, "new_supervisor", lambda: counting)
    monkeypatch.setattr(supervise, "forget_connection", lambda: None)
    monkeypatch.setattr(supervise, "RETRY_SECONDS", 0.0)
    supervise.supervise(ended)
    assert (counting.ticks, looks) == (1, [])
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("The database was changed by a newer MENTOR. Trainings go on.")
    assert said[1].startswith("The database does not answer. (the connection is closed)")


# recover, as a command


def test_recover_refuses_while_mentor_runs(home: Path, db: None) -> None:
    lock = FileLock(home / "supervisor.lock")
    assert lock.acquire()
    try:
        with pytest.raises(CommandError, match="MENTOR runs"):
            call_command("recover")
    finally:
        lock.release()


def test_recover_on_trial_says_what_it_would_do(home: Path, ada: User, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "runs/ball").mkdir(parents=True)
    (home / "runs/ball/session.json").write_text(
        '{"run_id": "ball", "attempts": [{"number": 1, "cookie": "c", "state": "queued"}]}'
    )
    call_command("recover", "--dry-run")
    said = capsys.readouterr().out
    assert "ball: would rebuild attempt 1" in said
    assert "nothing was changed" in said
    assert not TrainingSession.objects.exists()


def test_recover_finishes_a_restore_that_was_interrupted(home: Path, ada: User) -> None:
    (home / restoring.READY / "runs").mkdir(parents=True)
    call_command("recover", "--dry-run")
    assert not restoring.is_unfinished(home)
    assert (home / "runs").is_dir()
