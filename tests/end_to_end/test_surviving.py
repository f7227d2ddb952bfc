"""MENTOR's processes may be killed at any moment: the training goes on, and nothing it printed is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from mentor_site.options import BASE_DIR
from sessions.runtime.locks import holder
from sessions.runtime.rundir import AttemptDirectory
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")


def start(mentor: RunningMentor, run_id: str, *, pace: int) -> None:
    body = {
        "run_id": run_id,
        "config": CONFIG,
        "trainer": "practice",
        "env_args": [f"--steps-per-second={pace}"],
    }
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") in GRANTED, answer
    eventually(lambda: mentor.session(run_id)["step"] > 0, what="the first summary")


def kill_all(mentor: RunningMentor) -> None:
    parts = mentor.parts()
    assert set(parts) == {"up", "web", "worker", "supervise"}
    everything = [*parts.values(), *parts["worker"].children(recursive=True)]
    for process in everything:
        process.kill()
    psutil.wait_procs(everything, timeout=30)
    assert mentor.process is not None
    mentor.process.wait(30)


def test_everything_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        start(mentor, "survivor", pace=4000)
        kill_all(mentor)
        log = tmp_path / "var/runs/survivor/attempts/1/console.log"
        size = log.stat().st_size
        eventually(lambda: log.stat().st_size > size, what="further lines without MENTOR")
        mentor.start()
        done = mentor.wait_for("survivor", "completed", "failed", "lost")
        assert done["state"] == "completed", done["explanation"]
        assert mentor.console("survivor").encode() == log.read_bytes()
        series = mentor.ask("GET", "sessions/survivor/metrics/?tag=Environment/Cumulative Reward&behavior=Ball")
        steps = series["series"][0]["steps"]
        assert steps == sorted(set(steps))
        assert len(steps) == 40


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        before = mentor.parts()
        for name in ("worker", "supervise", "web"):
            before[name].kill()
        eventually(lambda: all_new(before, mentor.parts()), what="new processes")
        eventually(lambda: not before_children_live(before), what="the end of the old worker's parts")


def test_web_and_supervisor_may_come_and_go_while_one_trainer_trains(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        start(mentor, "steady", pace=1000)
        trainer = AttemptDirectory(tmp_path / "var/runs/steady/attempts/1").read_trainer()
        assert trainer is not None
        for name in ("supervise", "web", "supervise", "web", "supervise"):
            before = mentor.parts()[name].pid
            mentor.parts()[name].kill()
            wait_for_another(mentor, name, before)
        mentor.wait_until_it_answers()
        step = mentor.session("steady")["step"]
        eventually(lambda: mentor.session("steady")["step"] > step, what="further steps")
        assert psutil.Process(trainer.pid).is_running()
        mentor.ask("POST", "sessions/steady/stop/")
        done = mentor.wait_for("steady", "stopped", "failed", "lost")
        assert (done["state"], done["attempts"][0]["alarm"]) == ("stopped", "")
        log = tmp_path / "var/runs/steady/attempts/1/console.log"
        assert mentor.console("steady").encode() == log.read_bytes()
        assert log.read_text(encoding="utf-8").count("MENTOR practice trainer:") == 1


def test_of_two_supervisors_one_waits_until_the_other_is_gone(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        lock = mentor.home / "supervisor.lock"
        first = eventually(lambda: holder(lock), what="a supervisor")
        with subprocess.Popen(mentor.manage("supervise"), env=mentor.environ, stdin=subprocess.DEVNULL) as second:
            try:
                start(mentor, "one", pace=0)
                mentor.wait_for("one", "completed")
                assert holder(lock) == first
                mentor.parts()["supervise"].kill()
                eventually(lambda: holder(lock) not in (None, first), what="another supervisor")
                start(mentor, "two", pace=0)
                mentor.wait_for("two", "completed")
            finally:
                second.kill()


def test_a_killed_part_of_the_worker_costs_no_launch(tmp_path: Path) -> None:
    """It is killed while it waits for a task, and so holds the lock of the queue."""
    with running_mentor(tmp_path / "var") as mentor:
        start(mentor, "before", pace=0)
        worker = mentor.parts()["worker"]
        eventually(lambda: len(worker.children()) == 3, what="worker, monitor and pusher")
        for child in worker.children():
            child.kill()
        start(mentor, "after", pace=0)
        mentor.wait_for("after", "completed")


def test_a_worker_that_lost_a_part_still_ends_with_up(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        parts = mentor.parts()
        family = [parts["worker"], *parts["worker"].children(recursive=True)]
        parts["worker"].children()[0].kill()
        parts["up"].kill()
        assert mentor.process is not None
        mentor.process.wait(30)
        _, alive = psutil.wait_procs(family, timeout=30)
        assert not alive


def wait_for_another(mentor: RunningMentor, name: str, before: int) -> None:
    """Wait until `up` has started this part again."""
    eventually(lambda: name in (parts := mentor.parts()) and parts[name].pid != before, what=f"another {name}")


def all_new(before: dict[str, psutil.Process], now: dict[str, psutil.Process]) -> bool:
    return all(name in now and now[name].pid != before[name].pid for name in ("web", "worker", "supervise"))


def before_children_live(before: dict[str, psutil.Process]) -> bool:
    return any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        for process in before.values()
        if process.pid != before["up"].pid
    )


def test_nothing_of_mentor_is_left_when_up_is_killed(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var") as mentor:
        parts = mentor.parts()
        family = [*parts.values(), *parts["worker"].children(recursive=True)]
        parts["up"].kill()
        assert mentor.process is not None
        mentor.process.wait(30)
        _, alive = psutil.wait_procs(family, timeout=30)
        assert not alive


def test_stop_saves_also_when_mentor_was_started_in_the_background(tmp_path: Path) -> None:
    with running_mentor(tmp_path / "var", ignore_sigint=True) as mentor:
        start(mentor, "background", pace=1000)
        mentor.ask("POST", "sessions/background/stop/")
        done = mentor.wait_for("background", "stopped", "failed", "lost")
        assert done["state"] == "stopped"
        assert Path(tmp_path, "var/runs/background/results/background/Ball.onnx").is_file()
