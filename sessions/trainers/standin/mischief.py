"""What the Unity stand-in does wrong when it is asked to; run by the trainer's own Python, from 3.7 on."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

HUGE = 1e30

# What can go wrong with a Unity build, by the name under which it is asked for; the value says when or how.
MISBEHAVIOURS = {
    "never-connect": "run without ever speaking to the trainer",
    "slow-start": "speak to the trainer only after that many seconds",
    "exit-at-once": "end with that exit code, or by that signal when it is negative, and never speak",
    "needs-no-graphics": "end at once, as without a display, unless -nographics is given",
    "api": "name that version of the protocol",
    "no-observations": "observe nothing",
    "image": "observe an image of that many pixels a side",
    "group-rewards": "reward a group of all agents as well",
    "late": "announce a further behavior, Late, at that step",
    "nan-observations": "observe NaN from that step on",
    "other-size": "observe one number less from that step on",
    "nan-rewards": "give NaN as reward from that step on",
    "infinite-rewards": "give an infinite reward from that step on",
    "huge-rewards": f"give rewards of {HUGE:g} from that step on",
    "broken-channel": "send half a message of a side channel at that step",
    "quit": "close the connection at that step, as Unity does when somebody quits it",
    "crash-code": "what --crash-after ends with: an exit code, or a signal when it is negative",
    "stay": "run on when the training is over",
}


def misbehaviours(text: str) -> dict[str, str]:
    """Return the values of misbehaviours by their names; raises ArgumentTypeError for an unknown one."""
    wanted = dict(one.partition("=")[::2] for one in text.split(",") if one)
    for name in wanted:
        if name not in MISBEHAVIOURS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(MISBEHAVIOURS)}")
    return wanted


class Mischief:
    """What this player does wrong, and since when."""

    def __init__(self, wanted: dict[str, str]) -> None:
        self.wanted = wanted
        self.steps = 0

    def now(self, name: str) -> bool:
        """Tell whether a misbehaviour whose value is a step is on."""
        return name in self.wanted and self.steps >= int(self.wanted[name] or 0)

    def reward(self, value: float) -> float:
        wrong = {"nan-rewards": float("nan"), "infinite-rewards": float("inf"), "huge-rewards": HUGE}
        return next((instead for name, instead in wrong.items() if self.now(name)), value)

    def observe_into(self, info: Any, values: np.ndarray) -> None:
        if "no-observations" in self.wanted:
            return
        shape = [len(values)]
        if "image" in self.wanted:
            shape = [3, int(self.wanted["image"]), int(self.wanted["image"])]
            values = np.resize(values, shape).ravel()
        elif self.now("other-size"):
            shape, values = [len(values) - 1], values[1:]
        info.observations.add(shape=shape).float_data.data.extend(
            [float("nan")] * len(values) if self.now("nan-observations") else values.tolist()
        )

    def tell_into(self, info: Any, reward: float, observation: np.ndarray) -> Any:
        """Fill in what an agent got and sees, and return its `info`."""
        info.reward = self.reward(reward)
        if "group-rewards" in self.wanted:
            info.group_id, info.group_reward = 1, 0.5
        self.observe_into(info, observation)
        return info


def leave(code: int) -> NoReturn:
    """End as a program ends that crashes: with an exit code, or by a signal when it is negative."""
    if code < 0:
        os.kill(os.getpid(), -code)
        time.sleep(60.0)
    os._exit(code)


def hang() -> NoReturn:
    while True:
        time.sleep(1.0)


def misbehave_at_start(wanted: dict[str, str], *, arguments: list[str], say: Callable[[str], None]) -> None:
    """Do what goes wrong before Unity speaks to the trainer."""
    if "needs-no-graphics" in wanted and "-nographics" not in arguments:
        say("Unable to open display\nFailed to initialize graphics.")
        leave(1)
    if "exit-at-once" in wanted:
        say("Leaving (asked for)")
        leave(int(wanted["exit-at-once"] or 0))
    if "never-connect" in wanted:
        hang()
    time.sleep(float(wanted.get("slow-start") or 0))
