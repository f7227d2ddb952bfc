"""The Unity stand-in against mlagents_envs, which is what a trainer uses to talk to Unity."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessions.trainers.standin.launcher import make_launcher

pytestmark = [
    pytest.mark.mlagents,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only"),
]

# Holds an environment until it is killed, as a worker of ML-Agents does, and tells both process ids.
WORKER = """\
import os, sys, time
from mlagents_envs.environment import UnityEnvironment
environment = UnityEnvironment(sys.argv[1], base_port=int(sys.argv[2]), timeout_wait=20)
environment.reset()
print("pids", os.getpid(), environment._process.pid, flush=True)
time.sleep(60)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def launcher(tmp_path: Path) -> str:
    return str(make_launcher(tmp_path / "a build", Path(sys.executable)))


@pytest.fixture
def connect(launcher: str, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    from mlagents_envs.environment import UnityEnvironment

    opened: list[Any] = []

    def begin(*arguments: str, **options: Any) -> Any:
        opened.append(
            UnityEnvironment(
                launcher,
                base_port=free_port(),
                additional_args=list(arguments),
                no_graphics=True,
                log_folder=str(tmp_path),
                **{"seed": 1, "timeout_wait": 20, **options},
            )
        )
        return opened[-1]

    yield begin
    for environment in opened:
        environment._close()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_introduces_its_behaviors_and_agents(connect: Callable[..., Any]) -> None:
    environment = connect("--behaviors", "Ball,Ball2", "--agents", "5")
    environment.reset()
    assert list(environment.behavior_specs) == ["Ball?team=0", "Ball2?team=0"]
    spec = environment.behavior_specs["Ball?team=0"]
    assert spec.observation_specs[0].shape == (8,)
    assert spec.action_spec.continuous_size == 2
    decisions, ended = environment.get_steps("Ball2?team=0")
    assert (len(decisions), len(ended)) == (5, 0)


def test_every_agent_asks_at_every_step_and_a_finished_one_comes_back_with_a_new_id(
    connect: Callable[..., Any],
) -> None:
    environment = connect("--agents", "3", "--episode-length", "4")
    environment.reset()
    known: set[int] = set()
    for step in range(1, 9):
        decisions, _ = environment.get_steps("Ball?team=0")
        known |= set(decisions.agent_id)
        environment.step()
        _, ended = environment.get_steps("Ball?team=0")
        assert len(ended) == (3 if step % 4 == 0 else 0)
        assert set(ended.agent_id) <= known
        assert ended.interrupted.all()
    assert len(environment.get_steps("Ball?team=0")[0]) == 3
    assert len(known) == 6


def test_the_trainers_seed_decides(connect: Callable[..., Any]) -> None:
    seen = []
    for seed in (5, 5, 6):
        environment = connect(seed=seed)
        environment.reset()
        environment.step()
        seen.append(environment.get_steps("Ball?team=0")[0].obs[0])
        environment.close()
    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.allclose(seen[0], seen[2])


def test_it_tells_a_statistic_of_its_own(connect: Callable[..., Any]) -> None:
    from mlagents_envs.side_channel.stats_side_channel import StatsSideChannel

    channel = StatsSideChannel()
    environment = connect(side_channels=[channel])
    environment.reset()
    for _ in range(10):
        environment.step()
    values = channel.get_and_reset_stats()["Ball/Distance from Center"]
    assert all(0.0 < value < 3.0 for value, _ in values)
    assert len(values) >= 1


def test_goodbye_ends_it_and_its_log_says_so(connect: Callable[..., Any], tmp_path: Path) -> None:
    environment = connect()
    environment.reset()
    process = environment._process
    environment.close()
    assert process.returncode == 0
    log = (tmp_path / "Player-0.log").read_text(encoding="utf-8")
    assert "stand-in" in log.splitlines()[0]
    assert "The trainer ended the training after 0 steps" in log


def test_it_crashes_with_exit_code_3_when_told_to(connect: Callable[..., Any]) -> None:
    from mlagents_envs.exception import UnityEnvironmentException

    environment = connect("--crash-after", "2", timeout_wait=10)
    environment.reset()
    environment.step()
    environment.step()
    with pytest.raises(UnityEnvironmentException, match="return code 3"):
        environment.step()


def test_it_stops_answering_when_told_to(connect: Callable[..., Any]) -> None:
    from mlagents_envs.exception import UnityTimeOutException

    environment = connect("--hang-after", "1")
    environment.reset()
    environment.step()
    environment._communicator.timeout_wait = 1
    with pytest.raises(UnityTimeOutException):
        environment.step()
    environment._process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="looks the processes up in /proc")
@pytest.mark.parametrize("killed", ["worker", "trainer"])
def test_it_does_not_outlive_the_trainer_nor_its_worker(launcher: str, killed: str) -> None:
    worker = [sys.executable, "-c", WORKER, launcher, str(free_port())]
    # The shell plays the trainer: the worker's parent, which the stand-in has no connection to.
    argv = ["/bin/sh", "-c", '"$@"; true', "sh", *worker]
    trainer = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert trainer.stdout is not None
    told = next(line for line in trainer.stdout if line.startswith("pids "))
    worker_pid, standin_pid = map(int, told.split()[1:])
    assert is_running(standin_pid)
    os.kill(worker_pid if killed == "worker" else trainer.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_running(standin_pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    gone = not is_running(standin_pid)
    for pid in (worker_pid, standin_pid):
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)
    trainer.wait()
    trainer.stdout.close()
    assert gone
