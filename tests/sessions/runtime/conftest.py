from __future__ import annotations

import itertools
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.runtime import takeover
from sessions.runtime.launch import spawn_shim, trainer_argv
from sessions.runtime.locks import is_held
from sessions.runtime.records import LaunchSpec
from sessions.runtime.rundir import AttemptDirectory

FAKE_TRAINER = Path(__file__).with_name("fake_trainer.py")


def until(condition: Callable[[], Any], *, seconds: float = 10.0) -> Any:
    """Return the first true answer of `condition`; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(0.01)
    return answer


class Trial:
    """One attempt with the fake trainer, and what a test asks of it."""

    def __init__(self, path: Path) -> None:
        self.directory = AttemptDirectory(path)
        self.cookie = uuid.uuid4().hex

    def prepare(self, *arguments: str, **changes: Any) -> Trial:
        argv = trainer_argv(sys.executable, self.directory, str(FAKE_TRAINER), arguments)
        facts: dict[str, Any] = {
            "run_id": "trial",
            "attempt": 1,
            "cookie": self.cookie,
            "argv": argv,
            "cwd": str(self.directory.path.parent),
            # With a locale of its own, Python adds no variable for one.
            "env": {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", **system_variables()},
        }
        self.directory.prepare(LaunchSpec(**{**facts, **changes}), b"used: 1\n", b"given: 1\n")
        return self

    def launch(self) -> Trial:
        spawn_shim(self.directory)
        return self

    def start(self, *arguments: str, **changes: Any) -> Trial:
        """Launch, and return once the trainer trains."""
        self.prepare(*arguments, **changes).launch()
        until(lambda: "training" in self.console())
        return self

    def console(self) -> str:
        try:
            return self.directory.console.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def ended(self, seconds: float = 10.0) -> Any:
        """Return the exit record once the shim has written it and is gone."""
        until(lambda: self.directory.read_exit() and not is_held(self.directory.shim_lock), seconds=seconds)
        return self.directory.read_exit()

    def clean_up(self) -> None:
        claim = self.directory.read_claim()
        takeover.kill_attempt(self.directory)
        if claim and not claim.void:
            until(lambda: not is_held(self.directory.shim_lock))


def system_variables() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}


@pytest.fixture
def new_trial(tmp_path: Path) -> Iterator[Callable[[], Trial]]:
    trials: list[Trial] = []
    numbers = itertools.count(1)

    def make() -> Trial:
        trials.append(Trial(tmp_path / "attempts" / str(next(numbers))))
        return trials[-1]

    yield make
    for trial in trials:
        trial.clean_up()


@pytest.fixture
def trial(new_trial: Callable[[], Trial]) -> Trial:
    return new_trial()
