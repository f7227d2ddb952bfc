"""Stop, pause and kill from asking to receipt, with every process real and the practice trainer."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mentor_site.options import BASE_DIR
from sessions.runtime.identity import with_cookie
from sessions.runtime.rundir import AttemptDirectory, RunDirectory
from sessions.trainers.checkpoints import Condition, condition
from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.end_to_end.test_mlagents import EDITOR_PORT, needs_a_build, port_is_taken
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
MLAGENTS_CONFIG = """\
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters: {batch_size: 64, buffer_size: 256}
    network_settings: {hidden_units: 64, num_layers: 2}
    summary_freq: 200
    checkpoint_interval: 200
    max_steps: %d
"""
ENDS = ("completed", "stopped", "paused", "failed", "lost")
GRACE_SECONDS = 15


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    variables = {"MENTOR_STOP_GRACE_SECONDS": str(GRACE_SECONDS), "MENTOR_MAX_PARALLEL": "3"}
    with running_mentor(tmp_path_factory.mktemp("home") / "var", variables=variables) as running:
        yield running


def start(mentor: RunningMentor, run_id: str, *switches: str, **changes: Any) -> None:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "practice", "seed": 1, "env_args": list(switches)}
    answer = mentor.ask("POST", "sessions/", {**body, **changes})
    assert answer.get("state") in GRANTED, answer


def ask(mentor: RunningMentor, run_id: str, action: str, body: Any = None) -> dict[str, Any]:
    answer = mentor.ask("POST", f"sessions/{run_id}/{action}/", body)
    assert isinstance(answer, dict)
    return answer


def ended(mentor: RunningMentor, run_id: str, state: str, *, seconds: float = 60.0) -> dict[str, Any]:
    done = mentor.wait_for(run_id, *ENDS, seconds=seconds)
    assert done["state"] == state, f"{done['explanation']}\n{mentor.console(run_id)[-3000:]}"
    return done


def attempt_of(mentor: RunningMentor, run_id: str, number: int = 1) -> AttemptDirectory:
    return RunDirectory(mentor.home, run_id).attempt(number)


def leaves_nothing(mentor: RunningMentor, run_id: str, number: int = 1) -> None:
    spec = attempt_of(mentor, run_id, number).read_spec()
    assert spec is not None
    eventually(lambda: with_cookie(spec.cookie) == [], what="the end of every process")


def trains(mentor: RunningMentor, run_id: str) -> None:
    eventually(lambda: mentor.session(run_id)["step"] > 0, what="the first summary")


def test_a_pause_gives_a_receipt_and_its_resume_goes_on_after_another(mentor: RunningMentor) -> None:
    start(mentor, "paused", "--steps-per-second=1500")
    trains(mentor, "paused")
    ask(mentor, "paused", "pause")
    done = ended(mentor, "paused", "paused")
    leaves_nothing(mentor, "paused")
    receipt = done["receipt"]
    newest = {one["path"]: one for one in receipt["files"] if one["newest"]}
    assert {"Ball.onnx", "Ball/checkpoint.pt"} <= set(newest)
    assert all(one["condition"] == "whole" and len(one["sha256"]) == 64 and one["size"] for one in newest.values())
    assert (receipt["whole"], receipt["asked_by"]) == (True, "admin")
    assert 0 < receipt["seconds"] < GRACE_SECONDS
    assert newest["Ball/checkpoint.pt"]["step"] == receipt["step"] == done["step"]
    assert len(mentor.ask("GET", newest["Ball.onnx"]["url"].removeprefix("/api/"), raw=True)) > 100
    start(mentor, "first", "--steps-per-second=50")
    assert ask(mentor, "paused", "resume", {"after": "first"})["start_after"] == "first"
    eventually(lambda: mentor.session("paused")["waits_for"] == "session", what="waiting")
    trains(mentor, "first")
    ask(mentor, "first", "stop")
    ended(mentor, "first", "stopped")
    eventually(lambda: mentor.session("paused")["step"] > receipt["step"], what="steps after those before")
    assert f"Resuming training from step {receipt['step']}." in mentor.console("paused")
    ask(mentor, "paused", "stop")
    assert [one["state"] for one in ended(mentor, "paused", "stopped")["attempts"]] == ["paused", "stopped"]


def test_who_does_not_stop_shows_its_countdown_and_is_ended_with_the_reason(mentor: RunningMentor) -> None:
    start(mentor, "deaf", "--steps-per-second=500", "--ignore-interrupt")
    trains(mentor, "deaf")
    ask(mentor, "deaf", "stop")
    stopping = mentor.wait_for("deaf", "stopping")["stopping"]
    assert stopping["grace_seconds"] == GRACE_SECONDS
    assert 0 < stopping["seconds_left"] <= GRACE_SECONDS
    eventually(lambda: (mentor.session("deaf")["stopping"] or {}).get("stage") == "saving", what="the trainer's answer")
    done = ended(mentor, "deaf", "stopped")
    assert done["explanation"].startswith(f"It had not stopped within {GRACE_SECONDS} s, and was ended by force.")
    leaves_nothing(mentor, "deaf")


def test_a_kill_while_stopping_does_not_wait(mentor: RunningMentor) -> None:
    start(mentor, "hurry", "--steps-per-second=500", "--ignore-interrupt")
    trains(mentor, "hurry")
    ask(mentor, "hurry", "stop")
    eventually(attempt_of(mentor, "hurry").stop_request.exists, what="the stop on disk")
    assert "kill" in ask(mentor, "hurry", "stop")["actions"]
    ask(mentor, "hurry", "kill")
    done = ended(mentor, "hurry", "stopped")
    assert done["explanation"].startswith("Ended at once, by force, while it was stopping.")
    leaves_nothing(mentor, "hurry")


def test_many_stops_and_kills_at_once_are_one_end(mentor: RunningMentor) -> None:
    start(mentor, "many", "--steps-per-second=500")
    trains(mentor, "many")
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda action: ask(mentor, "many", action), ["stop"] * 7 + ["pause"] * 3))
    assert Counter(answer.get("status", 200) for answer in answers) == {200: 10}
    done = ended(mentor, "many", "stopped")
    assert mentor.console("many").count("Learning was interrupted") == 1
    assert "Ball.onnx" in done["explanation"]
    with ThreadPoolExecutor(10) as pool:
        late = list(pool.map(lambda action: ask(mentor, "many", action), ["stop", "kill", "pause"] * 3))
    assert {answer["status"] for answer in late} == {409}
    assert mentor.session("many")["explanation"] == done["explanation"]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("build"), Path(sys.executable)))


@pytest.fixture
def mlagents(mentor: RunningMentor, build: str) -> Callable[..., None]:
    def begin(run_id: str, max_steps: int = 500_000) -> None:
        config = MLAGENTS_CONFIG % max_steps
        start(mentor, run_id, config=config, trainer="mlagents", env_path=build, no_graphics=True)

    return begin


@needs_a_build
@pytest.mark.mlagents
def test_a_stop_while_torch_is_loaded_saves_nothing_and_the_resume_begins_anew(
    mentor: RunningMentor, mlagents: Callable[..., None]
) -> None:
    mlagents("loading", 600)
    eventually(attempt_of(mentor, "loading").train_json.exists, what="the trainer's process")
    ask(mentor, "loading", "pause")
    done = ended(mentor, "loading", "paused")
    assert done["explanation"] == "Paused, before training began; nothing new was saved."
    assert (done["attempts"][0]["exit_code"], done["receipt"]["files"]) == (75, [])
    leaves_nothing(mentor, "loading")
    ask(mentor, "loading", "resume")
    assert ended(mentor, "loading", "completed")["step"] >= 600
    assert "--resume" not in mentor.session("loading")["command"]


@pytest.mark.mlagents
@pytest.mark.usefixtures("editor_port")
def test_a_stop_while_it_waits_for_the_editor_leaves_no_process(mentor: RunningMentor) -> None:
    if port_is_taken(EDITOR_PORT):
        pytest.skip(f"port {EDITOR_PORT}, the Editor's, is in use on this machine")
    start(mentor, "editor", config=MLAGENTS_CONFIG % 600, trainer="mlagents")
    mentor.wait_for("editor", "waiting_for_editor")
    ask(mentor, "editor", "stop")
    ended(mentor, "editor", "stopped")
    leaves_nothing(mentor, "editor")
    assert not port_is_taken(EDITOR_PORT)


@needs_a_build
@pytest.mark.mlagents
def test_a_stop_while_a_checkpoint_is_written_leaves_one_that_loads(
    mentor: RunningMentor, mlagents: Callable[..., None]
) -> None:
    mlagents("writing")
    folder = RunDirectory(mentor.home, "writing").results / "writing" / "Ball"
    eventually(lambda: any(folder.glob("Ball-*.pt")), what="the first bytes of a checkpoint")
    attempt_of(mentor, "writing").request_stop("ada")  # at once: the next moment is the one that matters
    done = ended(mentor, "writing", "stopped")
    assert condition(folder / "checkpoint.pt") is Condition.WHOLE
    assert done["receipt"]["whole"] is True
    ask(mentor, "writing", "resume")
    eventually(lambda: mentor.session("writing")["step"] > done["step"], what="further steps")
    ask(mentor, "writing", "kill")
    ended(mentor, "writing", "stopped")
