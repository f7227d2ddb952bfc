"""The real mlagents-learn under shim and boot, as far as it goes without an environment that answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sessions.runtime.identity import with_cookie
from sessions.runtime.launch import PROJECT, trainer_argv
from tests.sessions.runtime.conftest import Trial, until

pytestmark = [pytest.mark.mlagents, pytest.mark.slow]

LEARN = "mlagents.trainers.learn"


def prepare(trial: Trial, config: str, *arguments: str) -> Trial:
    argv = trainer_argv(sys.executable, trial.directory, LEARN, [str(trial.directory.config), *arguments])
    trial.prepare(argv=argv)
    trial.directory.config.write_text(config, encoding="utf-8")
    return trial


def test_a_bad_configuration_ends_with_code_1(trial: Trial) -> None:
    prepare(trial, "behaviors:\n  Ball:\n    no_such_key: 1\n", "--run-id=bad").launch()
    record = trial.ended(60)
    inside = trial.directory.read_train_exit()
    assert record.code == 1
    assert inside is not None
    assert (inside.code, inside.exception) == (1, "TrainerConfigError")
    assert "no_such_key" in trial.console()


def test_a_wrong_option_ends_with_code_2(trial: Trial) -> None:
    prepare(trial, "behaviors: {}\n", "--no-such-option").launch()
    assert trial.ended(60).code == 2
    assert "usage: mlagents-learn" in trial.console()


def test_a_stop_while_torch_is_loaded_ends_at_once(trial: Trial) -> None:
    prepare(trial, "behaviors: {}\n", "--run-id=early").launch()
    until(trial.directory.train_json.exists)
    trial.directory.request_stop("ada")
    record = trial.ended(10)
    assert (record.code, record.stop_requested) == (75, True)
    assert trial.console().endswith("Stopped while the trainer was loading: nothing was trained.\n")


@pytest.mark.skipif(os.name == "nt", reason="the environment is a shell script")
def test_a_stop_while_the_environment_does_not_answer_leaves_no_process(trial: Trial, tmp_path: Path) -> None:
    silent = tmp_path / "Silent.x86_64"
    silent.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    silent.chmod(0o755)
    port = f"--base-port={free_port()}"
    prepare(trial, "behaviors: {}\n", "--run-id=silent", f"--env={silent}", port, "--timeout-wait=5").launch()
    until(lambda: len(with_cookie(trial.cookie)) == 3, seconds=60)  # trainer, worker, environment
    trial.directory.request_stop("ada")
    record = trial.ended(40)
    assert (record.code, record.stop_requested, record.killed) == (0, True, False)
    assert "Learning was interrupted" in trial.console()
    assert with_cookie(trial.cookie) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


SNAPSHOT_AND_RESUME = """
import pathlib, sys
from mlagents.trainers import training_status
from mlagents.trainers.training_status import GlobalTrainingStatus, StatusType
from sessions.runtime.boot import StatusSnapshots

path = pathlib.Path(sys.argv[1]) / "training_status.json"
checkpoint = {"steps": 500, "file_path": "Ball-500.onnx", "reward": None, "creation_time": 1.5}
GlobalTrainingStatus.set_parameter_state("Ball", StatusType.CHECKPOINTS, [checkpoint])
GlobalTrainingStatus.set_parameter_state("wall_height", StatusType.LESSON_NUM, 2)
StatusSnapshots(training_status, path).take()
GlobalTrainingStatus.saved_state.clear()
GlobalTrainingStatus.load_state(str(path))
print(GlobalTrainingStatus.get_parameter_state("wall_height", StatusType.LESSON_NUM))
print(GlobalTrainingStatus.get_parameter_state("Ball", StatusType.CHECKPOINTS) == [checkpoint])
"""


def test_mlagents_resumes_from_a_snapshot_without_a_warning(tmp_path: Path) -> None:
    argv = [sys.executable, "-W", "ignore", "-c", SNAPSHOT_AND_RESUME, str(tmp_path)]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("2\nTrue\n", "")
