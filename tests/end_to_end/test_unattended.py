"""Trainings that nobody watches: restarted after a crash, woken from a hang, stopped at a goal or a budget."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mentor_site.options import BASE_DIR
from sessions.runtime.rundir import RunDirectory
from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(sys.platform == "win32", reason="sends signals as POSIX knows them")

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
SHORT = {"behaviors.Ball.max_steps": 12_000, "behaviors.Ball.checkpoint_interval": 2000}
FAST = ["--steps-per-second=4000"]
SOON = {"restart_limit": 3, "restart_pause_seconds": 1}
ENDED = ("completed", "stopped", "failed", "lost", "paused")


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    variables = {"MENTOR_STOP_GRACE_SECONDS": "4", "MENTOR_MAX_PARALLEL": "4"}
    with running_mentor(tmp_path_factory.mktemp("home") / "var", variables=variables) as running:
        yield running


def start(mentor: RunningMentor, run_id: str, rules: dict[str, Any], *switches: str, **changes: Any) -> None:
    body = {"config": CONFIG, "trainer": "practice", "seed": 1, "overrides": SHORT, "env_args": [*FAST, *switches]}
    answer = mentor.ask("POST", "sessions/", {**body, "run_id": run_id, "rules": rules, **changes})
    assert answer.get("state") in GRANTED, answer


def attempts(session: dict[str, Any]) -> list[str]:
    return [one["state"] for one in session["attempts"]]


def told(mentor: RunningMentor, run_id: str) -> list[str]:
    """What the rules did."""
    events = mentor.ask("GET", f"sessions/{run_id}/events/")["results"]
    return [f"{event['who']}: {event['why']}" for event in events if event["who"].startswith("rule: ")]


def trainer_of(mentor: RunningMentor, run_id: str, number: int = 1) -> psutil.Process:
    record = RunDirectory(mentor.home, run_id).attempt(number).read_trainer()
    assert record is not None
    return psutil.Process(record.pid)


def resumed_from(mentor: RunningMentor, run_id: str) -> int:
    """The step from which the latest attempt went on."""
    found = re.search(r"Resuming training from step (\d+)", mentor.console(run_id))
    return int(found[1]) if found else -1


def checkpoint(mentor: RunningMentor, run_id: str) -> bool:
    """Whether one is whole: the model is exported after the files that a resume reads."""
    return any((mentor.home / "runs" / run_id / "results" / run_id / "Ball").glob("Ball-*.onnx"))


def test_a_training_that_crashes_goes_on_from_its_checkpoint_and_completes(mentor: RunningMentor) -> None:
    start(mentor, "crash", SOON, "--crash-at=5000", "--crash-how=exit", "--once")
    eventually(lambda: len(attempts(mentor.session("crash"))) > 1, what="the restart")
    done = mentor.wait_for("crash", *ENDED)
    assert (done["state"], attempts(done)) == ("completed", ["failed", "completed"]), done["explanation"]
    assert resumed_from(mentor, "crash") >= 3900
    assert len(told(mentor, "crash")) == 1
    assert "(1 of 3) after: The trainer ended with exit code 3" in told(mentor, "crash")[0]
    assert (mentor.home / "runs/crash/results/crash/Ball.onnx").is_file()


def test_a_training_that_keeps_crashing_is_given_up_at_its_limit(mentor: RunningMentor) -> None:
    start(mentor, "hopeless", {**SOON, "restart_limit": 2, "restart_pause_seconds": 0.2}, "--crash-at=1")
    eventually(lambda: "did not help" in mentor.session("hopeless")["explanation"], what="the end of its restarts")
    done = mentor.session("hopeless")
    assert (done["state"], attempts(done)) == ("failed", ["failed"] * 3)
    assert [line.split(" after: ")[0][-8:] for line in told(mentor, "hopeless")[:2]] == ["(1 of 2)", "(2 of 2)"]


@posix
def test_a_trainer_that_hangs_is_ended_and_restarted(mentor: RunningMentor) -> None:
    start(mentor, "hang", {**SOON, "stall_minutes": 0.2, "stall_action": "restart"})
    eventually(lambda: checkpoint(mentor, "hang"), what="a checkpoint")
    trainer_of(mentor, "hang").send_signal(signal.SIGSTOP)  # it cannot even be asked to save
    eventually(lambda: len(attempts(mentor.session("hang"))) > 1, seconds=60, what="the restart")
    done = mentor.wait_for("hang", *ENDED)
    assert (done["state"], attempts(done)) == ("completed", ["stopped", "completed"]), done["explanation"]
    assert told(mentor, "hang")[0] == "rule: stall: No new step in 0.2 minutes."
    assert told(mentor, "hang")[1] == "rule: stall: Asked to end for a restart; the trainer is saving its model."
    assert (
        "after: No new step in 0.2 minutes. It had not stopped within 4 s, and was ended by force."
        in told(mentor, "hang")[2]
    )


def test_a_hang_is_warned_about_and_a_person_may_stop_it(mentor: RunningMentor) -> None:
    start(mentor, "warned", {**SOON, "stall_minutes": 0.2}, "--hang-at=4000")
    eventually(lambda: bool(mentor.session("warned")["alarm"]), seconds=60, what="the warning")
    mentor.ask("POST", "sessions/warned/stop/")
    done = mentor.wait_for("warned", *ENDED)
    assert (done["state"], attempts(done)) == ("stopped", ["stopped"]), done["explanation"]
    assert told(mentor, "warned") == ["rule: stall: No new step in 0.2 minutes."]


def test_a_goal_stops_a_training_with_its_model_saved(mentor: RunningMentor) -> None:
    endless = {"behaviors.Ball.max_steps": 5_000_000}
    start(mentor, "goal", {"goal_value": 0, "goal_summaries": 3}, overrides=endless)
    done = mentor.wait_for("goal", *ENDED)
    assert done["state"] == "stopped", done["explanation"]
    assert done["explanation"].startswith("Goal reached: Environment/Cumulative Reward of Ball is 0 or above")
    assert (mentor.home / "runs/goal/results/goal/Ball.onnx").is_file()
    assert len([one for one in told(mentor, "goal") if "Goal reached" in one]) == 1


def test_a_rule_chosen_while_it_trains_holds_at_once(mentor: RunningMentor) -> None:
    start(mentor, "budget", {}, overrides={"behaviors.Ball.max_steps": 5_000_000})
    eventually(lambda: mentor.session("budget")["step"] > 0, what="the first summary")
    answer = mentor.ask("PATCH", "sessions/budget/", {"rules": {"budget_minutes": 0.05}})
    assert answer["unattended"] == ["Stops after 0.05 minutes of training."]
    done = mentor.wait_for("budget", *ENDED)
    assert done["state"] == "stopped", done["explanation"]
    assert done["explanation"].startswith("Its 0.05 minutes of training are over. Stopped as asked; Ball.onnx")


def test_a_restart_outlives_a_supervisor_that_is_killed(mentor: RunningMentor) -> None:
    start(mentor, "outlived", {**SOON, "restart_pause_seconds": 5}, "--crash-at=5000", "--crash-how=exit", "--once")
    eventually(lambda: len(attempts(mentor.session("outlived"))) > 1, what="the restart")
    mentor.parts()["supervise"].kill()
    done = mentor.wait_for("outlived", *ENDED)
    assert (done["state"], attempts(done)) == ("completed", ["failed", "completed"]), done["explanation"]
    assert len(told(mentor, "outlived")) == 1


def test_a_person_may_call_off_the_restart_that_waits(mentor: RunningMentor) -> None:
    start(mentor, "called-off", {**SOON, "restart_pause_seconds": 3000}, "--crash-at=5000", "--once")
    eventually(lambda: len(attempts(mentor.session("called-off"))) > 1, what="the restart")
    assert mentor.session("called-off")["explanation"].startswith("Restarts ")
    mentor.ask("POST", "sessions/called-off/stop/")
    done = mentor.wait_for("called-off", *ENDED)
    assert (done["state"], done["explanation"]) == ("stopped", "Its restart was called off.")


MLAGENTS_CONFIG = """\
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters: {batch_size: 64, buffer_size: 512}
    network_settings: {hidden_units: 16, num_layers: 1}
    summary_freq: 200
    checkpoint_interval: 400
    max_steps: 4000
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_launcher(tmp_path_factory.mktemp("a build"), Path(sys.executable)))


def start_mlagents(
    mentor: RunningMentor, run_id: str, build: str, rules: dict[str, Any], *switches: str, config: str = MLAGENTS_CONFIG
) -> None:
    body = {"config": config, "trainer": "mlagents", "seed": 1, "env_path": build, "no_graphics": True}
    further = {"run_id": run_id, "rules": rules, "timeout_wait": 6, "env_args": ["--delay=5", *switches]}
    answer = mentor.ask("POST", "sessions/", {**body, **further})
    assert answer.get("state") in GRANTED, answer


@posix
@pytest.mark.mlagents
def test_mlagents_learn_that_is_killed_goes_on_from_its_checkpoint(mentor: RunningMentor, build: str) -> None:
    start_mlagents(mentor, "killed", build, SOON)
    eventually(lambda: checkpoint(mentor, "killed"), seconds=90, what="a checkpoint")
    trainer_of(mentor, "killed").kill()
    eventually(lambda: len(attempts(mentor.session("killed"))) > 1, what="the restart")
    done = mentor.wait_for("killed", *ENDED, seconds=120)
    assert (done["state"], attempts(done)) == ("completed", ["failed", "completed"]), done["explanation"]
    assert resumed_from(mentor, "killed") > 0
    assert "crashed by a kill from outside" in told(mentor, "killed")[0]
    assert (mentor.home / "runs/killed/results/killed/Ball.onnx").is_file()


# What Unity does, its diagnosis, and how often the training is restarted after it.
FAULTS = {"crash": ("env_exit", 0), "hang": ("timeout", 1)}


@pytest.fixture(scope="module")
def unity_fails(mentor: RunningMentor, build: str) -> None:
    """Trainings whose environments crash or hang, side by side: most of that is waiting."""
    config = "env_settings: {restarts_rate_limit_n: 0}\n" + MLAGENTS_CONFIG
    for fault, (_, restarts) in FAULTS.items():
        rules = {"restart_limit": restarts, "restart_pause_seconds": 1} if restarts else {}
        start_mlagents(mentor, f"unity-{fault}", build, rules, f"--{fault}-after=60", config=config)


@posix
@pytest.mark.mlagents
@pytest.mark.usefixtures("unity_fails")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_unity_that_crashes_or_hangs_fails_with_its_reason_and_is_restarted(
    mentor: RunningMentor, fault: str
) -> None:
    run_id = f"unity-{fault}"
    cause, restarts = FAULTS[fault]
    if restarts:
        eventually(lambda: "did not help" in mentor.session(run_id)["explanation"], seconds=240, what="the end")
    done = mentor.wait_for(run_id, *ENDED, seconds=240)
    assert attempts(done) == ["failed"] * (1 + restarts)
    assert "Unity" in done["explanation"] or "nvironment" in done["explanation"]
    assert not [one for one in mentor.attempt_processes() if run_id in " ".join(one.cmdline())]
    diagnosis = mentor.ask("GET", f"sessions/{run_id}/diagnosis/")
    assert diagnosis["id"] == cause, diagnosis
    assert any(fact.startswith("ML-Agents 1.1.0") for fact in diagnosis["facts"])


CRASHES_OFTEN = """\
env_settings: {max_lifetime_restarts: 100, restarts_rate_limit_n: 100}
"""


@posix
@pytest.mark.mlagents
def test_mlagents_learn_that_trains_badly_goes_back_to_its_best_checkpoint_and_is_given_up(
    mentor: RunningMentor, build: str
) -> None:
    config = CRASHES_OFTEN + MLAGENTS_CONFIG.replace("4000", "4000000")
    rules = {"health_action": "go_back", "restart_limit": 1, "restart_pause_seconds": 1}
    start_mlagents(mentor, "ill", build, rules, "--crash-after=150", config=config)
    eventually(lambda: len(attempts(mentor.session("ill"))) > 1, seconds=120, what="the way back")
    done = mentor.wait_for("ill", *ENDED, seconds=120)
    assert attempts(done) == ["stopped", "stopped"], done["explanation"]
    assert done["explanation"].endswith("Not restarted: 1 restart in a row did not help.")
    noticed = mentor.ask("GET", "sessions/ill/health/")["noticed"]
    assert [(one["kind"], one["attempt"]) for one in noticed] == [("restarts", 1), ("restarts", 2)]
    back = re.search(r"Restarts with Ball at step ([\d,]+) ", " ".join(told(mentor, "ill")))
    assert back is not None, told(mentor, "ill")
    assert 0 < int(back[1].replace(",", "")) < noticed[0]["step"]
    assert resumed_from(mentor, "ill") == int(back[1].replace(",", ""))
