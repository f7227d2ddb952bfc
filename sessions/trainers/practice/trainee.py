"""One behavior in training: its learner, its summaries, its checkpoints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from sessions.trainers.practice import console
from sessions.trainers.practice.commandline import Switches
from sessions.trainers.practice.console import Console
from sessions.trainers.practice.errors import UnityTrainerException
from sessions.trainers.practice.events import EventFile
from sessions.trainers.practice.learner import Learner, Measured
from sessions.trainers.practice.policy import Array
from sessions.trainers.practice.results import CHECKPOINT, Results, read_state

REWARD = "Environment/Cumulative Reward"


class Trainee:
    """Trains one behavior step by step, and tells and saves what its settings ask for."""

    def __init__(self, name: str, settings: dict[str, Any], results: Results, switches: Switches, seed: int) -> None:
        self.name = name
        self.settings = settings
        self.results = results
        self.started = time.monotonic()
        self.since_update: list[float] = []
        Console().say(console.hyperparameters_block(name, settings))
        self.learner = Learner(settings, agents=switches.agents, episode_length=switches.episode_length, seed=seed)
        self.folder = results.path(name)
        self._begin()
        self.events = EventFile(Path(self.folder))
        self.events.text("Hyperparameters/text_summary", console.tree(settings))
        self.events.flush()

    def _begin(self) -> None:
        chosen = self.results.settings["checkpoint_settings"]
        if chosen["resume"] or chosen["load_model"]:
            Console().say(f"Resuming from {self.folder}.")
            self._go_on(read_state(str(Path(self.folder, CHECKPOINT))))
            Console().say(f"Resuming training from step {self.learner.step}.")
            return
        if self.results.source:
            self._take_over(str(Path(self.results.source, self.name, CHECKPOINT)))
        self._delete_old_events()

    def _go_on(self, state: dict[str, Array]) -> None:
        if state:
            self.learner.restore(state, from_step_zero=False)
        else:
            Console().say("Failed to load for module Policy. Initializing", level="WARNING")

    def _take_over(self, path: str) -> None:
        if not Path(path).is_file():
            raise UnityTrainerException(
                f"Could not initialize from {path}. file does not exists or is not a `.pt` file"
            )
        Console().say(f"Initializing from {path}.")
        self.learner.restore(read_state(path), from_step_zero=True)
        Console().say(f"Starting training from step 0 and saving to {self.folder}.")

    def _delete_old_events(self) -> None:
        for old in sorted(Path(self.folder).glob("events.out*")):
            sentence = f"Deleting TensorBoard data {old.name} that was left over from a previous run."
            Console().say(sentence, level="WARNING")
            old.unlink(missing_ok=True)

    @property
    def training(self) -> bool:
        return not self.learns or self.learner.step < int(self.settings["max_steps"])

    @property
    def learns(self) -> bool:
        """Whether it does more than act. With --inference it never ends; like mlagents it saves at intervals."""
        return not self.results.settings["checkpoint_settings"]["inference"]

    def advance(self) -> None:
        """Play one step with every agent, save and summarise on the way, and learn when it is time."""
        before = self.learner.step
        self.learner.play(learns=self.learns)
        self.learner.step = before
        after = before + self.learner.agents
        if crossed := _crossed(before, after, int(self.settings["summary_freq"])):
            self._summarise(crossed)
        if _crossed(before, after, self.checkpoint_interval):
            self.results.checkpoint(self.name, self.learner, self.reward, keep=self.keep)
        self.learner.step = after
        if self.learner.ready:
            self.learner.improve()
            self.since_update.clear()

    @property
    def checkpoint_interval(self) -> int:
        if self.settings["even_checkpoints"] and self.keep:
            return int(self.settings["max_steps"]) // self.keep
        return int(self.settings["checkpoint_interval"])

    @property
    def keep(self) -> int:
        return int(self.settings["keep_checkpoints"])

    @property
    def reward(self) -> float | None:
        """Mean return of the episodes since the policy last changed."""
        rewards = self.since_update + self.learner.measured.rewards
        return float(np.mean(rewards)) if rewards else None

    def _summarise(self, step: int) -> None:
        measured, self.learner.measured = self.learner.measured, Measured()
        rewards = measured.rewards
        headline = (float(np.mean(rewards)), float(np.std(rewards))) if rewards else None
        elapsed = time.monotonic() - self.started
        Console().say(console.summary_line(self.name, step, elapsed, headline, learns=self.learns))
        for tag, value in self._scalars(measured).items():
            self.events.scalar(tag, value, step)
            self.results.gauge(self.name, tag, value)
        if rewards:
            self.events.histogram(f"{REWARD}_hist", rewards, step)
        self.events.flush()
        self.since_update += rewards

    def _scalars(self, measured: Measured) -> dict[str, float]:
        """Return the means of what was measured, under the tags of mlagents' PPO."""
        lists: dict[str, list[float]] = {
            "Policy/Entropy": measured.entropies,
            "Environment/Episode Length": [float(length) for length in measured.lengths],
            "Policy/Extrinsic Value Estimate": measured.values,
            REWARD: measured.rewards,
            "Policy/Extrinsic Reward": measured.rewards,
            "Losses/Policy Loss": measured.policy_losses,
            "Losses/Value Loss": measured.value_losses,
            "Policy/Learning Rate": measured.rates,
        }
        found = {tag: float(np.mean(values)) for tag, values in lists.items() if values}
        if measured.rates:
            found["Policy/Epsilon"] = self.learner.scheduled("epsilon", 0.2)
            found["Policy/Beta"] = self.learner.scheduled("beta", 0.005)
        return found

    def save(self) -> None:
        if self.learns:
            self.results.finish(self.name, self.learner, self.reward, keep=self.keep)

    def close(self) -> None:
        self.events.close()


def _crossed(before: int, after: int, interval: int) -> int:
    """Return the multiple of `interval` reached on the way from `before`; 0 if none, or at the start."""
    following = before + interval - before % interval
    return following if before and after >= following else 0
