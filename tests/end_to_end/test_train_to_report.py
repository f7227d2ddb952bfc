"""From a request to a report, with every process real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mentor_site.options import BASE_DIR
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
FAST = ["--steps-per-second=0"]


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


def start(mentor: RunningMentor, run_id: str, **changes: object) -> dict[str, object]:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "practice", "seed": 1, **changes}
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") in GRANTED, answer
    return answer  # type: ignore[no-any-return]


def test_a_practice_training_runs_to_its_report(mentor: RunningMentor) -> None:
    start(mentor, "whole", overrides={"behaviors.Ball.max_steps": 6000}, env_args=FAST)
    done = mentor.wait_for("whole", "completed", "failed", "lost")
    assert done["state"] == "completed", done["explanation"]
    assert done["progress"] == 1.0
    assert any(saved["final"] and saved["path"] == "Ball.onnx" for saved in done["saved"])
    report = eventually(
        lambda: next((one for one in mentor.ask("GET", "reports/")["results"] if one["run_id"] == "whole"), None),
        what="the report",
    )
    html = (mentor.home / "reports" / "whole.html").read_text(encoding="utf-8")
    assert report["size"] == len(html.encode())
    assert "Cumulative Reward" in html


def test_the_console_by_api_is_the_file_byte_for_byte(mentor: RunningMentor) -> None:
    start(mentor, "console", overrides={"behaviors.Ball.max_steps": 3000}, env_args=FAST)
    mentor.wait_for("console", "completed")
    file = mentor.home / "runs" / "console" / "attempts" / "1" / "console.log"
    assert mentor.console("console").encode() == file.read_bytes()


def test_stop_saves_and_says_what_was_saved(mentor: RunningMentor) -> None:
    start(mentor, "stopped", env_args=["--steps-per-second=500"])
    eventually(lambda: mentor.session("stopped")["step"] > 0, what="the first summary")
    mentor.ask("POST", "sessions/stopped/stop/")
    done = mentor.wait_for("stopped", "stopped", "completed", "failed", "lost")
    assert done["state"] == "stopped"
    assert "Ball.onnx" in done["explanation"]
    assert (mentor.home / "runs/stopped/results/stopped/Ball.onnx").is_file()


def test_a_resumed_session_goes_on_from_its_step(mentor: RunningMentor) -> None:
    start(mentor, "again", env_args=["--steps-per-second=2000"])
    eventually(lambda: mentor.session("again")["step"] >= 2000, what="some steps")
    mentor.ask("POST", "sessions/again/stop/")
    before = mentor.wait_for("again", "stopped")["step"]
    mentor.ask("POST", "sessions/again/resume/")
    eventually(lambda: mentor.session("again")["step"] > before, what="further steps")
    mentor.ask("POST", "sessions/again/stop/")
    done = mentor.wait_for("again", "stopped")
    assert [attempt["state"] for attempt in done["attempts"]] == ["stopped", "stopped"]
    assert f"Resuming training from step {before}" in mentor.console("again")


def test_a_crash_is_failed_with_the_trainers_own_words(mentor: RunningMentor) -> None:
    start(mentor, "crash", env_args=[*FAST, "--crash-at=2000"])
    done = mentor.wait_for("crash", "failed", "completed", "lost")
    assert done["state"] == "failed"
    assert done["attempts"][0]["exit_code"] == 1


def test_an_exit_with_code_0_before_max_steps_is_not_completed(mentor: RunningMentor) -> None:
    start(mentor, "early", env_args=[*FAST, "--exit-at=2000"])
    done = mentor.wait_for("early", "failed", "completed", "lost")
    assert done["state"] == "failed"
    assert done["attempts"][0]["exit_code"] == 0


def test_wrong_requests_start_nothing(mentor: RunningMentor) -> None:
    count = mentor.ask("GET", "sessions/")["count"]
    answer = mentor.ask("POST", "sessions/", {"run_id": "../x", "config": "behaviors: ["})
    assert answer["status"] == 400
    assert set(answer["errors"]) == {"run_id", "config"}
    assert mentor.ask("GET", "sessions/")["count"] == count
    assert not Path(mentor.home, "runs", "x").exists()
