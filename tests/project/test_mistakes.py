"""No traceback is ever the only thing a user sees: commands, pages and the API say what happened in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from mentor_site.last_words import last_words
from mentor_site.options import BASE_DIR
from sessions.selectors import sessions


def said(*arguments: str, home: Path, **variables: str) -> str:
    """Run a command that cannot work and return what it says."""
    environ = {**os.environ, "MENTOR_HOME": str(home), **variables}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
        env=environ, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A file that is nothing: neither a console nor a configuration nor a backup."""
    path = tmp_path / "odd"
    path.write_bytes(b"\0\xff\xfe\0")
    return path


@pytest.mark.skipif(os.name == "nt", reason="a pipe that nobody reads ends otherwise there")
@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_that_has_enough_is_no_mistake(odd: Path, buffered: bool) -> None:
    environ = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "validate", str(odd)],
        env=environ, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr in ("", "CommandError: 1 of 1 would be refused.\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nonsense"], "Unknown command"),
        (["diagnose", "/nowhere"], "/nowhere cannot be read"),
        (["diagnose", "--exit-code", "x", "/nowhere"], "invalid int value"),
        (["validate", "/nowhere"], "would be refused"),
        (["validate", "{odd}"], "would be refused"),
        (["restore", "{odd}"], "cannot be read as a backup"),
        (["import_results", "{odd}"], "There is no folder"),
        (["stop", "nothing"], "Start MENTOR once"),
        (["export", "nothing"], "Start MENTOR once"),
        (["report", "nothing"], "Start MENTOR once"),
        (["up", "--port", "99999999"], "There is no port 99999999"),
    ],
    ids=" ".join,
)
def test_a_command_that_cannot_work_says_why(tmp_path: Path, odd: Path, arguments: list[str], sentence: str) -> None:
    given = [one.replace("{odd}", str(odd)) for one in arguments]
    assert sentence in said(*given, home=tmp_path / "home")


@pytest.mark.slow
def test_a_home_that_is_none_is_named(tmp_path: Path, odd: Path) -> None:
    assert f"MENTOR cannot use {odd}" in said("doctor", home=odd)
    assert "MENTOR_DATABASE_URL cannot be used" in said("doctor", home=tmp_path, MENTOR_DATABASE_URL="nonsense://x")


def test_a_mistake_of_mentors_own_is_told_after_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("the moon")
    except KeyError as error:
        words = last_words(error)
    assert words.startswith("MENTOR made a mistake: KeyError: 'the moon'")
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def mistaken(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A signed-in browser of a MENTOR in which looking for a session fails."""

    def fail(*_: object) -> None:
        raise KeyError("the moon")

    monkeypatch.setattr(sessions, "session_named", fail)
    client.force_login(ada)
    client.raise_request_exception = False
    return client


def test_a_program_gets_a_code_a_sentence_and_a_hint(mistaken: Client) -> None:
    answer = mistaken.get("/api/sessions/ball/diagnosis/")
    assert (answer.status_code, answer.json()["code"]) == (500, "mistake")
    assert answer.json()["detail"] and answer.json()["hint"]
    assert "moon" not in answer.content.decode()


def test_a_person_gets_a_page(mistaken: Client) -> None:
    answer = mistaken.get("/sessions/ball/")
    assert answer.status_code == 500
    assert "MENTOR made a mistake" in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
