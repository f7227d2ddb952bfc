"""A whole training with the practice trainer, from the command line to the exit code."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from sessions.trainers.practice import console
from sessions.trainers.practice.commandline import Switches, parse, parse_switches
from sessions.trainers.practice.configuration import load
from sessions.trainers.practice.console import Console
from sessions.trainers.practice.errors import UnityEnvironmentException, UnityTimeOutException
from sessions.trainers.practice.results import Results
from sessions.trainers.practice.trainee import Trainee

EDITOR_PORT = 5004
NAP_SECONDS = 0.02
TIMEOUT = (
    "The Unity environment took too long to respond. Make sure that :\n"
    "\t The environment does not need user interaction to launch\n"
    '\t The Agents\' Behavior Parameters > Behavior Type is set to "Default"\n'
    "\t The environment and the Python interface have compatible versions.\n"
    "\t If you're running on a headless server without graphics support, turn off display by either passing "
    "--no-graphics option or build your Unity executable as server build."
)


class Interrupt:
    """Notes an interrupt, so that the training ends between two steps and its save is never cut short.

    An interrupt that is ignored when this begins stays ignored, as it is for mlagents-learn.
    """

    def __init__(self, *, ignored: bool) -> None:
        self.asked = False
        self.ignored = ignored
        for name in ("SIGINT", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = not self.ignored

    def check(self) -> None:
        """Raise KeyboardInterrupt once one was noted."""
        if self.asked:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Wait, unless interrupted."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, NAP_SECONDS))


class Training:
    """All behaviors of one configuration, side by side."""

    def __init__(self, settings: dict[str, Any], switches: Switches) -> None:
        self.settings = settings
        self.switches = switches
        self.interrupt = Interrupt(ignored=switches.ignore_interrupt)
        self.results = Results(settings)
        self.trainees: list[Trainee] = []

    def run(self) -> None:
        """Train until every behavior is done or somebody interrupts, and save; raises what broke it."""
        self.results.check()
        if self.switches.flood:
            Console().flood(self.switches.flood)
        try:
            self._learn()
        finally:
            self.results.close()

    def _learn(self) -> None:
        try:
            self._connect()
            self._train()
        except KeyboardInterrupt:
            Console().say(console.INTERRUPTED)
        except UnityEnvironmentException:
            Console().say(console.INTERRUPTED)
            raise
        finally:
            for trainee in self.trainees:
                trainee.save()
                trainee.close()

    def _connect(self) -> None:
        """Do what is seen of the meeting with Unity; there is none behind it."""
        chosen = self.settings["env_settings"]
        if chosen["env_path"] is None:
            self._wait_for_play(float(chosen["timeout_wait"]))
        elif not _executable_is_there(chosen["env_path"]):
            raise UnityEnvironmentException(
                f"Couldn't launch the {chosen['env_path']} environment. Provided filename does not match any "
                "environments."
            )
        for _ in range(int(chosen["num_envs"])):
            self._greet()
        seed = int(chosen["seed"] if chosen["seed"] != -1 else np.random.default_rng().integers(0, 10000))
        for number, (name, settings) in enumerate(self.settings["behaviors"].items()):
            self.trainees.append(Trainee(name, settings, self.results, self.switches, seed + 1000 * number))

    def _wait_for_play(self, patience: float) -> None:
        if self.switches.wait is None:
            return
        Console().say(
            f"Listening on port {EDITOR_PORT}. Start training by pressing the Play button in the Unity Editor."
        )
        self.interrupt.sleep(min(self.switches.wait, patience))
        if self.switches.wait >= patience:
            raise UnityTimeOutException(TIMEOUT)

    def _greet(self) -> None:
        Console().say(
            f"Connected to Unity environment with package version {console.PACKAGE_VERSION} "
            f"and communication version {console.API_VERSION}"
        )
        for name in self.settings["behaviors"]:
            Console().say(f"Connected new brain: {name}?team=0")

    def _train(self) -> None:
        start, played = time.monotonic(), 0
        while waiting := [trainee for trainee in self.trainees if trainee.training]:
            self.interrupt.check()
            for trainee in waiting:
                trainee.advance()
            self._misbehave(max(trainee.learner.step for trainee in self.trainees))
            played += self.switches.agents
            if self.switches.steps_per_second > 0:
                due = start + played / self.switches.steps_per_second
                self.interrupt.sleep(due - time.monotonic())

    def _misbehave(self, step: int) -> None:
        switches = self.switches
        if switches.once and self.settings["checkpoint_settings"]["resume"]:
            return
        if switches.crash_at is not None and step >= switches.crash_at:
            crash(switches.crash_how, switches.crash_code)
        if switches.exit_at is not None and step >= switches.exit_at:
            raise KeyboardInterrupt
        while switches.hang_at is not None and step >= switches.hang_at:
            self.interrupt.sleep(1.0)


def crash(how: str, code: int) -> None:
    """End the training by a Python error or Unity's end, or the process at once by code or signal."""
    if how == "exit":
        os._exit(code)
    if how == "signal":
        signal.raise_signal(code)
        os._exit(1)  # a signal that was survived
    if how == "environment":
        raise UnityEnvironmentException(f"Environment shut down with return code {code}.")
    raise RuntimeError(f"The practice trainer was asked to crash ({how}).")


def _executable_is_there(path: str) -> bool:
    return any(Path(path + ending).exists() for ending in ("", ".x86_64", ".app", ".exe"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line asks; the exit code is 0, or what an exception or argparse makes of it."""
    Console().write(console.FIRST_LINE)
    settings = load(parse(sys.argv[1:] if arguments is None else arguments))
    switches = parse_switches(settings["env_settings"]["env_args"] or [])
    Console().write(console.version_block())
    Training(settings, switches).run()
