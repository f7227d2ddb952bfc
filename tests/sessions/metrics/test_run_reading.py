"""A run's event files are read together, and what is too much is left for later or left out."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from sessions.domain.results_layout import EventLog, File, starts
from sessions.metrics import run_reading
from sessions.metrics.run_reading import HOPELESS_SERIES, RunReading, fingerprint, is_the_same, read_run
from tests.eventfiles import REWARD, head, points, write_events


def read(root: Path) -> RunReading:
    paths = [path.relative_to(root) for path in sorted(root.rglob("*tfevents*"))]
    logs = [EventLog(File(PurePosixPath(path), (root / path).stat().st_size, 1), path.parent.name) for path in paths]
    return read_run(root, starts(logs))


def values(reading: RunReading) -> dict[tuple[int, str, str], list[float]]:
    found: dict[tuple[int, str, str], list[float]] = {}
    for part in reading.rounds:
        for key, new in part.items():
            found.setdefault(key, []).extend(float(value) for value in new.values)
    return found


def test_each_start_has_series_of_its_own(tmp_path: Path) -> None:
    write_events(tmp_path / "Ball", {REWARD: [1.0, 2.0]})
    write_events(tmp_path / "Goal", {REWARD: [3.0]}, number=1)
    write_events(tmp_path / "Ball", {REWARD: [4.0]}, began=1_800_000_000, writer="host.12")
    reading = read(tmp_path)
    assert values(reading) == {(0, "Ball", REWARD): [1, 2], (0, "Goal", REWARD): [3], (1, "Ball", REWARD): [4]}
    assert reading.starts == 2
    assert all(one.offset == one.log.file.size for one in reading.logs)


def test_parts_of_a_large_file_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reading, "BATCH_BYTES", 500)
    write_events(tmp_path / "Ball", {REWARD: [float(n) for n in range(100)]})
    assert values(read(tmp_path)) == {(0, "Ball", REWARD): [float(n) for n in range(100)]}


def test_what_is_too_large_is_left_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reading, "BATCH_BYTES", 500)
    monkeypatch.setattr(run_reading, "MOST_BYTES", 2000)
    write_events(tmp_path / "Ball", {REWARD: [float(n) for n in range(100)]})
    write_events(tmp_path / "Goal", {REWARD: [1.0]}, number=1)
    ball, goal = read(tmp_path).logs
    assert 2000 <= ball.offset < ball.log.file.size
    assert goal.offset == 0


def test_series_beyond_the_most_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reading, "MOST_SERIES", 3)
    write_events(tmp_path / "Ball", {f"tag{n}": [1.0, 2.0] for n in range(5)})
    reading = read(tmp_path)
    assert sorted(values(reading)) == [(0, "Ball", f"tag{n}") for n in range(3)]
    assert reading.left_out == 2


def test_a_file_of_endless_series_is_not_read_to_its_end(tmp_path: Path) -> None:
    count = run_reading.MOST_SERIES + HOPELESS_SERIES + 5000
    path = write_events(tmp_path / "Ball", {f"tag{n}": [1.0] for n in range(count)})
    with path.open("ab") as file:
        file.write(points({f"more{n}": [1.0] for n in range(20_000)}))
    reading = read(tmp_path)
    assert reading.bytes_read < path.stat().st_size
    assert reading.logs[0].offset == path.stat().st_size
    assert len(values(reading)) == run_reading.MOST_SERIES


def test_what_is_no_event_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "Ball").mkdir()
    (tmp_path / "Ball" / "events.out.tfevents.1.host.1.0").write_bytes(b"\xff" * 500)
    assert read(tmp_path).is_empty


def test_a_file_that_goes_away_meanwhile_is_empty_too(tmp_path: Path) -> None:
    log = EventLog(File(PurePosixPath("Ball/events.out.tfevents.1.host.1.0"), 100, 1), "Ball")
    assert read_run(tmp_path, [[log]]).is_empty


def test_a_file_is_known_again_after_it_grew(tmp_path: Path) -> None:
    path = write_events(tmp_path, {REWARD: []})
    known = fingerprint(path)
    with path.open("ab") as file:
        file.write(points({REWARD: [1.0] * 50}))
    assert is_the_same(path, known)
    path.write_bytes(head(5.0))
    assert not is_the_same(path, known)
    assert fingerprint(tmp_path / "nothing") == ""
