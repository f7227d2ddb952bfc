"""What the practice trainer learns: two small networks with tanh layers, one that acts and one that foresees.

Arrays are float64 with one row per agent or experience.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ACTION_BOUND = 3.0  # as in mlagents: an action is clipped to ±3 and divided by 3
OBSERVATION_BOUND = 5.0


class Network:
    """Linear layers with tanh between them."""

    def __init__(self, sizes: list[int], random: np.random.Generator, *, last_scale: float) -> None:
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            self.weights.append(random.normal(0.0, fan_in**-0.5, (fan_in, fan_out)))
            self.biases.append(np.zeros(fan_out))
        self.weights[-1] *= last_scale
        self.inputs: list[Array] = []

    @property
    def parameters(self) -> list[Array]:
        return [*self.weights, *self.biases]

    def __call__(self, values: Array) -> Array:
        self.inputs = [values]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.tanh(values @ weight + bias)
            self.inputs.append(values)
        return np.asarray(values @ self.weights[-1] + self.biases[-1])

    def gradients(self, slope: Array) -> list[Array]:
        """Return the loss' derivatives by `parameters`, given those by the outputs of the last call."""
        weights: list[Array] = []
        biases: list[Array] = []
        for weight, entered in zip(reversed(self.weights), reversed(self.inputs), strict=True):
            weights.append(entered.T @ slope)
            biases.append(slope.sum(axis=0))
            slope = slope @ weight.T * (1.0 - entered**2)
        return [*reversed(weights), *reversed(biases)]


class Normalizer:
    """Running mean and variance of the observations, shape (observations,)."""

    def __init__(self, size: int, *, active: bool) -> None:
        self.active = active
        self.count = np.array(1e-4)
        self.mean = np.zeros(size)
        self.variance = np.ones(size)

    def learn(self, values: Array) -> None:
        """Take further rows into account (Chan's parallel update)."""
        if not self.active:
            return
        total = self.count + len(values)
        shift = values.mean(axis=0) - self.mean
        spread = self.variance * self.count + values.var(axis=0) * len(values)
        self.variance = (spread + shift**2 * self.count * len(values) / total) / total
        self.mean = self.mean + shift * len(values) / total
        self.count = np.asarray(total)

    @property
    def scale(self) -> Array:
        return 1.0 / np.sqrt(self.variance + 1e-6)

    def __call__(self, values: Any) -> Array:
        if not self.active:
            return np.asarray(values, dtype=float)
        return np.clip((values - self.mean) * self.scale, -OBSERVATION_BOUND, OBSERVATION_BOUND)


class Policy:
    """A Gaussian policy with a critic beside it."""

    def __init__(self, observations: int, actions: int, settings: dict[str, Any], random: np.random.Generator) -> None:
        hidden = [int(settings["hidden_units"])] * int(settings["num_layers"])
        self.normalizer = Normalizer(observations, active=bool(settings["normalize"]))
        self.actor = Network([observations, *hidden, actions], random, last_scale=0.1)
        self.critic = Network([observations, *hidden, 1], random, last_scale=1.0)
        self.log_std = np.zeros(actions)

    @property
    def parameters(self) -> list[Array]:
        return [*self.actor.parameters, self.log_std, *self.critic.parameters]

    def act(self, observations: Array) -> Array:
        """Return the actions without any trying out, in [-1, 1]: what the exported model computes."""
        return bounded(self.actor(self.normalizer(observations)))

    def values(self, observations: Array) -> Array:
        return np.asarray(self.critic(self.normalizer(observations))[:, 0])

    def likelihood(self, mean: Array, chosen: Array) -> Array:
        """Return the log density of the chosen, unbounded actions; one value per row."""
        off = (chosen - mean) / np.exp(self.log_std)
        return np.asarray((-0.5 * off**2 - self.log_std - 0.5 * np.log(2 * np.pi)).sum(axis=1))

    @property
    def entropy(self) -> float:
        """Return the policy's entropy per action, in nats."""
        return float((self.log_std + 0.5 * np.log(2 * np.pi * np.e)).mean())

    def state(self) -> dict[str, Array]:
        """Return copies of all that was learned, by name."""
        learned = {f"parameter_{number}": value.copy() for number, value in enumerate(self.parameters)}
        norm = self.normalizer
        return {**learned, "count": norm.count, "mean": norm.mean, "variance": norm.variance}

    def restore(self, state: dict[str, Array]) -> None:
        """Take over `state`; raises KeyError or ValueError when it is another network's."""
        for number, value in enumerate(self.parameters):
            value[...] = state[f"parameter_{number}"]
        self.normalizer.count = state["count"]
        self.normalizer.mean, self.normalizer.variance = state["mean"], state["variance"]


def bounded(actions: Array) -> Array:
    return np.clip(actions, -ACTION_BOUND, ACTION_BOUND) / ACTION_BOUND
