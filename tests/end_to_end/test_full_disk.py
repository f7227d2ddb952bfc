"""A disk that fills up under a training: it is stopped while its model can be saved, and nothing is damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mentor_site.options import BASE_DIR
from sessions.trainers.practice.results import read_state
from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

MB = 1024 * 1024
DISK_MB, RESERVE_MB = 192, 64
CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
LONG = {"behaviors.Ball.max_steps": 10_000_000, "behaviors.Ball.checkpoint_interval": 2000}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 192 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a small disk for this test")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Leave so many bytes free."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - leave)
    return filler


def fill_up(disk: Path) -> None:
    """Leave nothing."""
    with (disk / "rest").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return


def start(mentor: RunningMentor, run_id: str, **changes: Any) -> None:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "practice", "overrides": LONG, **changes}
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") in GRANTED, answer


def json_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix in {".json", ".request", ".seen"}]


def test_at_the_reserve_a_training_is_stopped_with_everything_whole(small_disk: Path) -> None:
    home = small_disk / "var"
    with running_mentor(home, variables={"MENTOR_DISK_RESERVE_MB": str(RESERVE_MB)}) as mentor:
        start(mentor, "full")
        results = home / "runs/full/results/full"
        eventually(lambda: next(results.glob("Ball/Ball-*.pt"), None), what="a checkpoint")
        assert mentor.ask("GET", "system/")["disk"] == "enough"

        filler = fill(small_disk, leave=(RESERVE_MB + 20) * MB)
        eventually(lambda: mentor.ask("GET", "system/")["disk"] == "low", what="the early warning")
        assert mentor.session("full")["state"] == "running"

        fill(small_disk, leave=(RESERVE_MB - 1) * MB)
        done = mentor.wait_for("full", "stopped", "failed", "lost", "completed")
        assert done["state"] == "stopped", done["explanation"]
        assert done["explanation"].startswith("Stopped because its disk was nearly full; Ball.onnx was saved at step")
        events = mentor.ask("GET", "sessions/full/events/")["results"]
        assert [one["to_state"] for one in events if one["who"] == "disk reserve"] == ["stopping"]
        assert mentor.ask("GET", "system/")["disk"] == "short"

        start(mentor, "next")
        waiting = eventually(lambda: waits(mentor, "next"), what="the wait for the disk")
        assert waiting.startswith("Waits for disk space")

        fill_up(small_disk)
        assert mentor.session("full")["state"] == "stopped"
        assert "Stopped because" in mentor.session("full")["explanation"]
        assert mentor.console("full").encode() == (home / "runs/full/attempts/1/console.log").read_bytes()
        saved = next(one for one in done["saved"] if one["final"])
        model = mentor.ask("GET", f"sessions/full/artifacts/{saved['id']}/", raw=True)
        assert len(model) == saved["size"] > 0
        for path in json_files(home / "runs"):
            assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict), path
        for checkpoint in (results / "Ball/checkpoint.pt", *results.glob("Ball/Ball-*.pt")):
            assert read_state(str(checkpoint)), checkpoint

        (small_disk / "rest").unlink()
        filler.unlink()
        mentor.wait_for("next", "running")
        mentor.ask("POST", "sessions/full/resume/")
        eventually(lambda: mentor.session("full")["step"] > saved["step"], what="steps after those before")


def waits(mentor: RunningMentor, run_id: str) -> str | None:
    explanation = mentor.session(run_id)["explanation"]
    return str(explanation) if "disk" in explanation else None


@pytest.mark.mlagents
def test_a_results_folder_of_its_own_on_a_full_disk_stops_mlagents_with_its_model(
    small_disk: Path, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    build = make_launcher(tmp_path, Path(sys.executable))
    variables = {"MENTOR_DISK_RESERVE_MB": str(RESERVE_MB), "MENTOR_RESULTS_DIR": str(small_disk / "results")}
    with running_mentor(tmp_path / "var", variables=variables) as mentor:
        start(mentor, "real", trainer="mlagents", env_path=str(build), no_graphics=True)
        results = small_disk / "results/real"
        eventually(lambda: next(results.glob("Ball/Ball-*.pt"), None), seconds=90, what="a checkpoint")
        fill(small_disk, leave=(RESERVE_MB - 1) * MB)
        done = mentor.wait_for("real", "stopped", "failed", "lost", "completed")
        assert done["state"] == "stopped", done["explanation"]
        assert done["explanation"].startswith("Stopped because its disk was nearly full; Ball.onnx was saved at step")
        onnx.checker.check_model(onnx.load(str(results / "Ball.onnx")))
        assert json.loads((results / "run_logs/training_status.json").read_text(encoding="utf-8"))["Ball"]
