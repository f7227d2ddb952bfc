"""A database that is locked, gone, damaged or not writable costs a training nothing, and its history only delay."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.end_to_end.practice import GRANTED, body, everything_arrives, goes_on, start, stop_mentor, trainer_of
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

# Longer than a query waits for a lock.
LOCKED_SECONDS = 30.0


@pytest.fixture
def mentor(tmp_path: Path) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path / "var") as mentor:
        yield mentor


def said(mentor: RunningMentor) -> str:
    return (mentor.home.parent / f"{mentor.home.name}-up.log").read_text()


def run(mentor: RunningMentor, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        mentor.manage(*arguments), env=mentor.environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_database_that_is_locked_for_half_a_minute_costs_only_delay(mentor: RunningMentor) -> None:
    start(mentor, pace=1000)
    with contextlib.closing(sqlite3.connect(mentor.home / "mentor.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answers: list[Any] = []
        asking = threading.Thread(
            target=lambda: answers.append(mentor.ask("PATCH", "sessions/ball/", {"notes": "while locked"}))
        )
        asking.start()
        goes_on(mentor)
        asking.join(LOCKED_SECONDS)
        assert mentor.ask("GET", "sessions/ball/")["run_id"] == "ball"
        goes_on(mentor)
        other.execute("ROLLBACK")
    (answer,) = answers
    assert (answer["status"], answer["code"]) == (503, "database_locked")
    assert answer["detail"]
    assert answer["hint"]
    assert mentor.ask("PATCH", "sessions/ball/", {"notes": "afterwards"})["notes"] == "afterwards"
    everything_arrives(mentor)


@pytest.mark.parametrize("how", ["deleted", "overwritten"])
def test_a_lost_database_is_rebuilt_while_the_training_goes_on(mentor: RunningMentor, how: str) -> None:
    start(mentor, pace=200)
    trainer = trainer_of(mentor)
    for part in mentor.home.glob("mentor.sqlite3*"):
        part.unlink() if how == "deleted" else part.write_bytes(b"no database" * 500)
    trouble = "The database is gone." if how == "deleted" else "The database is damaged."
    eventually(lambda: trouble in said(mentor), what="the supervisor's warning")
    answer = eventually(lambda: refusal(mentor), what="the API's refusal")
    assert answer["code"] == ("database_gone" if how == "deleted" else "database_damaged")
    goes_on(mentor)
    stop_mentor(mentor)

    refused = run(mentor, "up", "--no-browser", "--port", str(mentor.port))
    assert refused.returncode != 0
    assert "manage.py recover" in refused.stderr
    trial = run(mentor, "recover", "--dry-run")
    assert "ball: would rebuild attempt 1" in trial.stdout
    recovered = run(mentor, "recover")
    assert "ball: attempt 1, running." in recovered.stdout, recovered.stderr
    assert psutil.pid_exists(trainer)

    mentor.token = ""
    mentor.start()
    assert mentor.session("ball")["name"] == "Kept"
    assert trainer_of(mentor) == trainer
    mentor.ask("POST", "sessions/ball/stop/")
    everything_arrives(mentor, "stopped")
    if how == "overwritten":
        aside = list((mentor.home / "set-aside").glob("*/mentor.sqlite3"))
        assert [path.read_bytes()[:11] for path in aside] == [b"no database"]


def refusal(mentor: RunningMentor) -> dict[str, Any] | None:
    answer: dict[str, Any] = mentor.ask("GET", "sessions/")
    return answer if answer.get("status") == 503 else None


class Unprivileged(RunningMentor):
    """A MENTOR whom permissions bind, also when the tests run as root."""

    def manage(self, *arguments: str) -> list[str]:
        drop = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
        return [*(drop if os.geteuid() == 0 else []), *super().manage(*arguments)]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_where_nothing_may_be_written_a_start_is_refused_with_the_reason(tmp_path: Path) -> None:
    mentor = Unprivileged(tmp_path / "var")
    try:
        mentor.start()
        start(mentor, pace=200)
        runs = mentor.home / "runs"
        runs.chmod(0o500)
        answer = mentor.ask("POST", "sessions/", body("other", 1000))
        assert (answer["status"], answer["code"]) == (503, "no_place")
        assert str(runs) in answer["detail"]
        assert mentor.ask("GET", "sessions/other/")["status"] == 404
        goes_on(mentor)
        runs.chmod(0o700)
        assert mentor.ask("POST", "sessions/", body("other", 10_000))["state"] in GRANTED
        mentor.wait_for("other", "completed")
    finally:
        mentor.stop()
