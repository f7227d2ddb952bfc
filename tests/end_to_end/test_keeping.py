"""MENTOR may be restarted, upgraded, backed up and moved: sessions go on, and their history is kept."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.practice import GRANTED, console_of, everything_arrives, goes_on, start, stop_mentor, trainer_of
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

RESTARTS = 3


def kill_mentor(mentor: RunningMentor) -> None:
    assert mentor.process is not None
    parts = list(mentor.parts().values())
    mentor.process.kill()
    mentor.process.wait(30)
    psutil.wait_procs(parts, timeout=30)


def test_a_training_outlives_many_restarts_of_mentor(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        start(mentor, pace=150)
        trainer = psutil.Process(trainer_of(mentor))
        for number in range(RESTARTS):
            (stop_mentor if number % 2 else kill_mentor)(mentor)
            goes_on(mentor)
            mentor.start()
            assert trainer.is_running()
            assert trainer_of(mentor) == trainer.pid
        mentor.ask("POST", "sessions/ball/stop/")
        everything_arrives(mentor, "stopped")
        states = [event["to_state"] for event in mentor.ask("GET", "sessions/ball/events/")["results"]]
        assert states == ["queued", "launching", "starting", "running", "stopping", "stopped"]


def test_a_backup_that_is_made_while_mentor_runs_comes_back_elsewhere(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        start(mentor, pace=20_000)
        everything_arrives(mentor)
        before = mentor.session("ball")
        printed = console_of(mentor).read_bytes()
        assert "MB" in mentor.call("backup", str(tmp_path / "b.zip"), "--with-results")
    with_results = RunningMentor(tmp_path / "other")
    assert "were restored" in with_results.call("restore", str(tmp_path / "b.zip"))
    try:
        with_results.start()
        after = with_results.session("ball")
        kept = ("run_id", "name", "state", "explanation", "behaviors", "progress", "created_at")
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert with_results.console("ball").encode() == printed
        model = with_results.ask("GET", "sessions/ball/artifacts/")["results"][0]
        path = model["url"].removeprefix("/api/")
        assert (
            with_results.ask("GET", path, raw=True) == (tmp_path / "var/runs/ball/results/ball/Ball.onnx").read_bytes()
        )
        assert with_results.ask("POST", "sessions/ball/resume/")["state"] in GRANTED
        with_results.wait_for("ball", "completed")
    finally:
        with_results.stop()


def test_the_web_process_can_be_restarted_apart_from_the_trainings(tmp_path: Path) -> None:
    """What the two containers of deploy/compose.yaml run."""
    runner = RunningMentor(tmp_path / "var")
    webs: list[subprocess.Popen[bytes]] = []
    try:
        runner.start("up", "--no-browser", "--without-web")
        webs.append(serve(runner))
        start(runner, pace=300)
        trainer = psutil.Process(trainer_of(runner))
        for end in (psutil.Process.kill, psutil.Process.terminate):
            end(psutil.Process(webs[-1].pid))
            webs[-1].wait(20)
            goes_on(runner)
            webs.append(serve(runner))
            assert runner.session("ball")["state"] == "running"
        assert set(runner.parts()) == {"up", "worker", "supervise"}
        assert trainer.is_running()
        runner.ask("POST", "sessions/ball/stop/")
        everything_arrives(runner, "stopped")
    finally:
        for web in webs:
            web.kill()
            web.wait()
        runner.stop()


def serve(runner: RunningMentor) -> subprocess.Popen[bytes]:
    web = subprocess.Popen(runner.manage("web", "--port", str(runner.port)), env=runner.environ)
    eventually(lambda: answers(runner), seconds=60, what="the web process")
    return web


def answers(runner: RunningMentor) -> bool:
    with contextlib.suppress(OSError):
        return isinstance(runner.ask("GET", "system/"), dict)
    return False
