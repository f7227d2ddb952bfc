"""Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347) in numpy, for one behavior."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sessions.trainers.practice.policy import Array, Policy, bounded
from sessions.trainers.standin.unity_standin import ACTIONS, OBSERVATIONS, BallWorld

LARGEST_BUFFER = 10240
GRADIENT_BOUND = 0.5


@dataclass
class Experience:
    """One step of all agents; arrays have one row or value per agent."""

    observations: Array
    chosen: Array
    likelihood: Array
    values: Array
    rewards: Array
    ended: Array
    next_values: Array


@dataclass
class Measured:
    """What happened since the last summary."""

    rewards: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    policy_losses: list[float] = field(default_factory=list)
    value_losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


class Adam:
    """Kingma and Ba 2014 (arXiv:1412.6980), with the gradient's length bounded."""

    def __init__(self, parameters: list[Array]) -> None:
        self.parameters = parameters
        self.count = np.zeros(1)
        self.first = [np.zeros_like(value) for value in parameters]
        self.second = [np.zeros_like(value) for value in parameters]

    def step(self, gradients: list[Array], rate: float) -> None:
        length = np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
        shrink = min(1.0, GRADIENT_BOUND / (length + 1e-9))
        self.count += 1
        rate = rate * np.sqrt(1 - 0.999 ** self.count[0]) / (1 - 0.9 ** self.count[0])
        for value, gradient, first, second in zip(self.parameters, gradients, self.first, self.second, strict=True):
            first += 0.1 * (shrink * gradient - first)
            second += 0.001 * ((shrink * gradient) ** 2 - second)
            value -= rate * first / (np.sqrt(second) + 1e-8)

    def state(self) -> dict[str, Array]:
        moments = {f"first_{number}": value.copy() for number, value in enumerate(self.first)}
        moments.update({f"second_{number}": value.copy() for number, value in enumerate(self.second)})
        return {**moments, "count_of_updates": self.count.copy()}

    def restore(self, state: dict[str, Array]) -> None:
        for number, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            first[...] = state[f"first_{number}"]
            second[...] = state[f"second_{number}"]
        self.count[...] = state["count_of_updates"]


class Learner:
    """Plays `agents` balls with one policy, and improves it whenever enough was experienced."""

    def __init__(self, settings: dict[str, Any], *, agents: int, episode_length: int, seed: int) -> None:
        self.hyper: dict[str, Any] = settings["hyperparameters"]
        self.max_steps = max(1, int(settings["max_steps"]))
        self.gamma = float(settings["reward_signals"].get("extrinsic", {}).get("gamma", 0.99))
        self.random = np.random.default_rng(seed)
        self.world = BallWorld(agents, episode_length, seed)
        self.policy = Policy(OBSERVATIONS, ACTIONS, settings["network_settings"], self.random)
        self.adam = Adam(self.policy.parameters)
        self.buffer: list[Experience] = []
        self.measured = Measured()
        self.returns = np.zeros(agents)
        self.lengths = np.zeros(agents, dtype=int)
        self.step = 0

    @property
    def agents(self) -> int:
        return len(self.returns)

    def play(self, *, learns: bool = True) -> None:
        """Let every agent do one step, which counts as `agents` steps; without `learns` nothing of it is remembered."""
        seen = self.world.observe().astype(float)
        if learns:
            self.policy.normalizer.learn(seen)
        inputs = self.policy.normalizer(seen)
        mean = self.policy.actor(inputs)
        chosen = mean + np.exp(self.policy.log_std) * self.random.normal(size=mean.shape)
        values = self.policy.critic(inputs)[:, 0]
        outcome = self.world.step(bounded(chosen))
        ahead = self.policy.values(outcome.last_observations)
        # An episode that only ran out of time would have gone on: its future counts.
        ahead = np.where(outcome.fallen, 0.0, ahead)
        likelihood = self.policy.likelihood(mean, chosen)
        if learns:
            self.buffer.append(Experience(inputs, chosen, likelihood, values, outcome.rewards, outcome.ended, ahead))
        self._count(outcome.rewards, outcome.ended, values)
        self.step += self.agents

    def _count(self, rewards: Array, ended: Array, values: Array) -> None:
        self.returns += rewards
        self.lengths += 1
        self.measured.values.append(float(values.mean()))
        self.measured.entropies.append(self.policy.entropy)
        for index in np.flatnonzero(ended):
            self.measured.rewards.append(float(self.returns[index]))
            self.measured.lengths.append(int(self.lengths[index]))
        self.returns[ended] = 0.0
        self.lengths[ended] = 0

    @property
    def ready(self) -> bool:
        wanted = min(int(self.hyper["buffer_size"]), LARGEST_BUFFER)
        return len(self.buffer) * self.agents >= wanted

    def scheduled(self, name: str, default: float) -> float:
        """Return a hyperparameter as its schedule has it at this step."""
        value = float(self.hyper.get(name, default))
        linear = self.hyper.get(f"{name}_schedule", "constant") == "linear"
        return value * max(1e-6, 1 - self.step / self.max_steps) if linear else value

    def improve(self) -> None:
        """Learn from what is in the buffer, and empty it."""
        inputs = np.concatenate([one.observations for one in self.buffer])
        chosen = np.concatenate([one.chosen for one in self.buffer])
        likelihood = np.concatenate([one.likelihood for one in self.buffer])
        advantages = self._advantages()
        returns = advantages + np.concatenate([one.values for one in self.buffer])
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        size = max(8, min(int(self.hyper["batch_size"]), len(inputs)))
        for _ in range(int(self.hyper.get("num_epoch", 3))):
            order = self.random.permutation(len(inputs))
            for start in range(0, len(order) - size + 1, size):
                part = order[start : start + size]
                self._descend(inputs[part], chosen[part], likelihood[part], advantages[part], returns[part])
        self.measured.rates.append(self.scheduled("learning_rate", 3e-4))
        self.buffer.clear()

    def _advantages(self) -> Array:
        """Return generalised advantages (Schulman et al. 2015, arXiv:1506.02438), in the buffer's order."""
        reach = self.gamma * float(self.hyper.get("lambd", 0.95))
        following = np.zeros(self.agents)
        found: list[Array] = []
        for one in reversed(self.buffer):
            surprise = one.rewards + self.gamma * one.next_values - one.values
            following = surprise + reach * np.where(one.ended, 0.0, following)
            found.append(following)
        return np.concatenate(found[::-1])

    def _descend(self, inputs: Array, chosen: Array, before: Array, advantages: Array, returns: Array) -> None:
        policy, count = self.policy, len(inputs)
        epsilon, beta = self.scheduled("epsilon", 0.2), self.scheduled("beta", 5e-3)
        mean = policy.actor(inputs)
        ratio = np.exp(np.clip(policy.likelihood(mean, chosen) - before, -20.0, 20.0))
        limited = np.clip(ratio, 1 - epsilon, 1 + epsilon) * advantages
        free = ratio * advantages <= limited
        slope = np.where(free, -ratio * advantages, 0.0)[:, None] / count
        off = (chosen - mean) / np.exp(policy.log_std)
        gradients = policy.actor.gradients(slope * off / np.exp(policy.log_std))
        gradients.append((slope * (off**2 - 1)).sum(axis=0) - beta)
        error = policy.critic(inputs)[:, 0] - returns
        gradients += policy.critic.gradients(error[:, None] / count)
        self.adam.step(gradients, self.scheduled("learning_rate", 3e-4))
        self.measured.policy_losses.append(abs(float(np.minimum(ratio * advantages, limited).mean())))
        self.measured.value_losses.append(float((error**2).mean()))

    def state(self) -> dict[str, Array]:
        return {**self.policy.state(), **self.adam.state(), "step": np.array(self.step)}

    def restore(self, state: dict[str, Array], *, from_step_zero: bool) -> None:
        """Go on from `state`; raises KeyError or ValueError when it belongs to another network."""
        self.policy.restore(state)
        if not from_step_zero:
            self.adam.restore(state)
            self.step = int(state["step"])
