"""What the weights of a policy tell of its network, and where that differs from what is configured or there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]

_BODY = "network_body._body_endoder.seq_layers."  # ML-Agents' own spelling
_LSTM = "network_body.lstm.lstm.weight_hh_l0"
_CONTINUOUS = "action_model._continuous_distribution.mu.weight"
_BRANCH = re.compile(r"action_model\._discrete_distribution\.branches\.(\d+)\.weight")


@dataclass(frozen=True)
class Network:
    """A saved policy, as far as its weights tell: None is what they do not.

    `inputs` is the number of values that go into the first layer: observations, and what encoders make of images.
    """

    hidden_units: int | None
    num_layers: int | None
    inputs: int | None
    normalize: bool
    memory_size: int | None
    continuous: int
    discrete: Shape


def network_of(shapes: Mapping[str, Shape]) -> Network:
    """Return the network whose weights have these names and shapes, as ML-Agents 0.20 to 1.1.0 saves a policy."""
    body = {name: shape for name, shape in shapes.items() if name.startswith(_BODY) and name.endswith(".weight")}
    first = body.get(f"{_BODY}0.weight", ())
    lstm = shapes.get(_LSTM, ())
    branches = {int(found[1]): shape[0] for name, shape in shapes.items() if (found := _BRANCH.fullmatch(name))}
    return Network(
        hidden_units=first[0] if len(first) == 2 else None,
        num_layers=len(body) or None,
        inputs=first[1] if len(first) == 2 else None,
        normalize=any(".normalizer." in name for name in shapes),
        memory_size=2 * lstm[1] if len(lstm) == 2 else None,
        continuous=next(iter(shapes.get(_CONTINUOUS, ())), 0),
        discrete=tuple(branches[number] for number in sorted(branches)),
    )


def changes_of_settings(saved: Network, settings: Mapping[str, Any]) -> Iterator[str]:
    """Tell where a network differs from settings as `training.shape_of` returns them, as "hidden_units was 16"."""
    for key in ("hidden_units", "num_layers"):
        before = getattr(saved, key)
        if before is not None and before != settings[key]:
            yield f"{key} was {before} and is {settings[key]}"
    for key in ("normalize", "memory_size"):
        before = getattr(saved, key)
        if saved.hidden_units is not None and before != settings[key]:
            yield f"{key} was {before} and is {settings[key]}"


def changes_of_sizes(saved: Network, there: Mapping[str, Any]) -> Iterator[str]:
    """Tell where a network differs from a behavior as `Connected` has it: its observations and its actions."""
    inputs = _inputs(there["observations"])
    if saved.inputs is not None and inputs is not None and saved.inputs != inputs:
        yield f"it observed {saved.inputs} values and would observe {inputs}"
    if saved.continuous != there["continuous"]:
        yield f"it had {saved.continuous} continuous actions and would have {there['continuous']}"
    if saved.discrete != tuple(there["discrete"]):
        yield f"its discrete branches were {_sizes(saved.discrete)} and would be {_sizes(there['discrete'])}"


def _inputs(observations: Sequence[Sequence[int]]) -> int | None:
    """The sum of vectors; what an image becomes is its encoder's affair."""
    if any(len(shape) != 1 for shape in observations):
        return None
    return sum(shape[0] for shape in observations)


def _sizes(branches: Sequence[int]) -> str:
    return ", ".join(map(str, branches)) or "none"
