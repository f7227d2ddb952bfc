"""The practice trainer when it is interrupted, and when it was told to go wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sessions.trainers.conftest import Trainer, small_config, summaries

Practice = Callable[..., Trainer]
posix = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT as POSIX knows it")
INTERRUPTED = "[INFO] Learning was interrupted. Please wait while the graph is generated."


@pytest.fixture
def endless(practice: Practice, tmp_path: Path) -> Callable[..., Trainer]:
    """Start a training that ends only when something ends it, at 3000 steps a second."""

    def begin(*switches: str) -> Trainer:
        config = small_config(tmp_path, max_steps=1e9)
        trainer = practice(config, "--run-id=it", switches=("--steps-per-second", "3000", *switches))
        return trainer.says("Step: 200.")

    return begin


@posix
def test_an_interrupt_saves_and_ends_well(endless: Callable[..., Trainer]) -> None:
    trainer = endless()
    assert trainer.interrupt().ended() == 0
    after = trainer.console.split(INTERRUPTED)[1]
    assert re.search(r"Copied results/it/Ball/Ball-\d+\.onnx to results/it/Ball\.onnx\.", after)
    assert (trainer.folder / "results" / "it" / "run_logs" / "training_status.json").is_file()


@posix
def test_a_second_interrupt_costs_nothing(endless: Callable[..., Trainer]) -> None:
    trainer = endless()
    trainer.interrupt().interrupt()
    assert trainer.ended() == 0
    assert (trainer.folder / "results" / "it" / "Ball.onnx").is_file()


@posix
def test_an_interrupted_training_goes_on_from_where_it_was(endless: Callable[..., Trainer], practice: Practice) -> None:
    trainer = endless()
    assert trainer.interrupt().ended() == 0
    last = summaries(trainer.console)[-1][0]
    config = small_config(trainer.folder, max_steps=last + 400)
    assert practice(config, "--run-id=it", "--resume").ended() == 0
    after = trainer.console.split("Resuming training from step ")[1]
    assert int(after.split(".")[0]) >= last
    assert min(step for step, _ in summaries(after)) > last


@posix
def test_an_ignored_interrupt_changes_nothing(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--ignore-interrupt")
    seen = len(summaries(trainer.interrupt().console))
    trainer.until(lambda: len(summaries(trainer.console)) >= seen + 2)
    assert trainer.process.poll() is None


@posix
def test_a_hanging_training_says_nothing_and_still_takes_an_interrupt(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--hang-at", "400")
    trainer.says("Step: 400.")
    assert trainer.interrupt().ended() == 0
    assert summaries(trainer.console)[-1][0] == 400


def test_it_can_leave_early_with_exit_code_0(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--exit-at", "600")
    assert trainer.ended() == 0
    assert INTERRUPTED in trainer.console


def test_a_crash_is_a_traceback_after_a_save(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--crash-at", "600")
    assert trainer.ended() == 1
    assert trainer.console.splitlines()[-1].startswith("RuntimeError: ")
    assert (trainer.folder / "results" / "it" / "Ball.onnx").is_file()


def test_a_crash_of_unity_is_reported_as_mlagents_does(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--crash-at", "600", "--crash-how", "environment", "--crash-code", "-11")
    assert trainer.ended() == 1
    assert INTERRUPTED in trainer.console
    last = trainer.console.splitlines()[-1]
    assert last == "mlagents_envs.exception.UnityEnvironmentException: Environment shut down with return code -11."


def test_it_can_go_wrong_once_and_not_when_it_resumes(endless: Callable[..., Trainer], practice: Practice) -> None:
    trainer = endless("--crash-at", "600", "--once")
    assert trainer.ended() == 1
    config = small_config(trainer.folder, max_steps=1200)
    resumed = practice(config, "--run-id=it", "--resume", switches=("--crash-at", "600", "--once"))
    assert resumed.ended() == 0


def test_it_can_vanish_without_a_word(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--crash-at", "600", "--crash-how", "exit", "--crash-code", "7")
    assert trainer.ended() == 7
    assert not (trainer.folder / "results" / "it" / "Ball.onnx").exists()


@posix
def test_it_can_be_killed_by_a_signal_of_its_own(endless: Callable[..., Trainer]) -> None:
    assert endless("--crash-at", "600", "--crash-how", "signal", "--crash-code", "9").ended() == -9


def test_a_flood_is_numbered_without_a_gap_and_mixes_with_whole_lines_only(endless: Callable[..., Trainer]) -> None:
    trainer = endless("--flood", "20000", "--exit-at", "1500")
    assert trainer.ended() == 0
    whole, _, _ = trainer.console.rpartition("\n")  # the exit may cut the last line
    numbers = [int(line[6:]) for line in whole.splitlines() if line.startswith("flood ")]
    assert numbers
    assert numbers == list(range(len(numbers)))
    assert re.findall(r"^\[INFO\] Ball\. Step: (\d+)\.", trainer.console, re.MULTILINE)[:3] == ["200", "400", "600"]
