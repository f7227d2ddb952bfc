"""manage.py import_results as a person uses it: what it says, that it may be killed, and what it costs at the worst."""

from __future__ import annotations

import os
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mentor_site.options import BASE_DIR
from sessions.domain.crc32c import masked_crc32c
from tests.benchmarks.importing import measured
from tests.eventfiles import BEGAN, REWARD, head, make_run, record, scalar, varint, write_events

pytestmark = pytest.mark.slow
MOST_MB = 300


def command(home: Path, *arguments: object) -> list[str]:
    return [sys.executable, str(BASE_DIR / "manage.py"), "import_results", *map(str, arguments)]


def run(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "MENTOR_HOME": str(home)}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        command(home, *arguments), env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def rows(home: Path, query: str) -> list[tuple[int, ...]]:
    with sqlite3.connect(home / "mentor.sqlite3") as database:
        return database.execute(query).fetchall()


def test_it_says_what_became_of_the_runs(tmp_path: Path) -> None:
    make_run(tmp_path / "results", "a", max_steps=300)
    make_run(tmp_path / "results", "b", writer="host.12")
    (tmp_path / "results" / "empty").mkdir()
    (tmp_path / "results" / "empty" / "configuration.yaml").touch()
    first = run(tmp_path / "var", tmp_path / "results", "--tag", "thesis")
    assert first.stdout.strip() == ("2 runs found: 2 imported, 0 brought up to date, 0 known already, 1 refused.")
    assert "empty: A run without an event file" in first.stderr
    assert "2 known already" in run(tmp_path / "var", tmp_path / "results").stdout
    assert run(tmp_path / "var", tmp_path / "nothing").returncode == 1


def test_killed_at_any_moment_it_leaves_whole_runs_and_goes_on(tmp_path: Path) -> None:
    results, home = tmp_path / "results", tmp_path / "var"
    for number in range(150):
        rewards = [float(step) for step in range(300)]
        make_run(results, f"run{number:03}", began=BEGAN + number, writer=f"host.{number}", rewards=rewards)
    (tmp_path / "empty").mkdir()
    run(home, tmp_path / "empty")  # makes the database
    for _ in range(4):
        before = rows(home, "select count(*) from training_trainingsession")[0][0]
        environ = {**os.environ, "MENTOR_HOME": str(home)}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        with subprocess.Popen(command(home, results), env=environ, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if rows(home, "select count(*) from training_trainingsession")[0][0] > before:
                    break
                time.sleep(0.01)
            process.kill()
        counts = rows(home, "select count from training_series")
        assert {count for (count,) in counts} <= {300}
        assert len(counts) == rows(home, "select count(*) from training_trainingsession")[0][0]
    done = run(home, results)
    assert "150 runs found" in done.stdout
    assert rows(home, "select count(*), sum(count) from training_series") == [(150, 150 * 300)]


def many_values(step: int) -> bytes:
    """One event with thousands of values."""
    values = (b"\x0a\x01a\x15" + struct.pack("<f", number) for number in range(9000))
    told = b"".join(b"\x0a" + varint(len(value)) + value for value in values)
    return record(b"\x09" + struct.pack("<d", BEGAN) + b"\x10" + varint(step) + b"\x2a" + varint(len(told)) + told)


def hostile(results: Path) -> None:
    """Folders that were made to cost as much as can be."""
    length = struct.pack("<Q", 2**63)
    contents = {
        "claims": head(1) + length + struct.pack("<I", masked_crc32c(length)) + b"x" * 1000,
        "tags": head(2) + b"".join(record(scalar(BEGAN, 1, f"Environment/{n}", 1.0)) for n in range(150_000)),
        "values": head(3) + b"".join(map(many_values, range(60))),
        "names": head(4) + b"".join(record(scalar(BEGAN, 1, f"Environment/{n}" + "t" * 10**6, 1.0)) for n in range(20)),
    }
    for number, (name, content) in enumerate(contents.items()):
        place = results / name / "Ball"
        place.mkdir(parents=True)
        (place / f"events.out.tfevents.{BEGAN}.host.{number}.0").write_bytes(content)
    sparse = write_events(results / "sparse" / "Ball", {REWARD: [1.0]}, writer="host.50")
    os.truncate(sparse, 5 << 30)
    make_run(results, "bomb", writer="host.60", max_steps=300)
    bomb = "[" + ",".join("{}" for _ in range(5_000_000)) + "]"
    for name in ("training_status.json", "timers.json"):
        (results / "bomb" / "run_logs" / name).write_text(f'{{"a": {bomb}}}', encoding="utf-8")
    write_events(results / "files" / "Ball", {REWARD: [1.0]}, writer="host.70")
    for number in range(20_000):
        (results / "files" / "Ball" / f"Ball-{number}.onnx").touch()
    deep = results / "deep"
    for _ in range(100):
        deep /= "d"
    deep.mkdir(parents=True)


def test_whatever_it_is_given_it_stays_small(tmp_path: Path) -> None:
    hostile(tmp_path / "results")
    said = measured(tmp_path / "var", tmp_path / "results")
    peak = int(said.split(" MB RSS")[0].rsplit(" ", 1)[1])
    assert 0 < peak < MOST_MB, said
    assert "imported" in said
