"""A policy as an ONNX model, with the inputs and outputs that Unity expects of an ML-Agents model.

Field numbers are those of onnx.proto3; operators are those of opset 9, which mlagents 1.1.0 exports too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sessions.trainers.practice.policy import ACTION_BOUND, OBSERVATION_BOUND, Network, Policy
from sessions.trainers.practice.protobuf import block, integer, single

FLOAT = 1  # TensorProto.DataType.FLOAT
ATTRIBUTE_FLOAT = 1  # AttributeProto.AttributeType.FLOAT
IR_VERSION = 4
OPSET = 9
MODEL_VERSION = 3.0  # the model format of ML-Agents' actions since its release 18


class Graph:
    """Collects nodes and constants; names are made up as they are needed."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []

    def constant(self, name: str, value: Any) -> str:
        array = np.asarray(value, dtype="<f4")
        dimensions = b"".join(integer(1, size) for size in array.shape)
        tensor = dimensions + integer(2, FLOAT) + block(8, name) + block(9, array.tobytes())
        self.constants.append(block(5, tensor))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: float) -> str:
        wired = b"".join(block(1, name) for name in inputs) + block(2, output)
        settings = b"".join(block(5, _attribute(name, value)) for name, value in attributes.items())
        self.nodes.append(block(1, wired + block(3, f"{operator}_{output}") + block(4, operator) + settings))
        return output

    def network(self, network: Network, entered: str) -> str:
        last = len(network.weights) - 1
        for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            names = [self.constant(f"weight_{number}", weight), self.constant(f"bias_{number}", bias)]
            entered = self.node("Gemm", [entered, *names], f"layer_{number}")
            if number < last:
                entered = self.node("Tanh", [entered], f"active_{number}")
        return entered

    def bounded(self, actions: str, output: str) -> str:
        clipped = self.node("Clip", [actions], f"{output}_clipped", min=-ACTION_BOUND, max=ACTION_BOUND)
        return self.node("Div", [clipped, "action_bound"], output)


def _attribute(name: str, value: float) -> bytes:
    return block(1, name) + single(2, value) + integer(20, ATTRIBUTE_FLOAT)


def _tensor(name: str, *shape: str | int) -> bytes:
    sizes = (block(2, size) if isinstance(size, str) else integer(1, size) for size in shape)
    dimensions = b"".join(block(1, size) for size in sizes)
    return block(1, name) + block(2, block(1, integer(1, FLOAT) + block(2, dimensions)))


def encode(policy: Policy) -> bytes:
    """Return the model's file content.

    Input `obs_0`, shape (batch, observations); outputs `continuous_actions` (sampled) and
    `deterministic_continuous_actions`, shape (batch, actions), in [-1, 1].
    """
    graph, actions = Graph(), len(policy.log_std)
    graph.constant("action_bound", ACTION_BOUND)
    mean = graph.network(policy.actor, _normalized(graph, policy))
    graph.bounded(mean, "deterministic_continuous_actions")
    noise = graph.node("RandomNormalLike", [mean], "noise", mean=0.0, scale=1.0)
    spread = graph.node("Mul", [noise, graph.constant("deviation", np.exp(policy.log_std))], "spread")
    graph.bounded(graph.node("Add", [mean, spread], "sampled"), "continuous_actions")
    facts = {"version_number": MODEL_VERSION, "memory_size": 0.0, "continuous_action_output_shape": float(actions)}
    for name, value in facts.items():
        graph.node("Identity", [graph.constant(f"{name}_value", [value])], name)
    outputs = [_tensor(name, 1) for name in facts]
    for name in ("continuous_actions", "deterministic_continuous_actions"):
        outputs.append(_tensor(name, "batch", actions))
    return _model(graph, _tensor("obs_0", "batch", len(policy.normalizer.mean)), outputs)


def _normalized(graph: Graph, policy: Policy) -> str:
    if not policy.normalizer.active:
        return "obs_0"
    middle = graph.constant("observation_mean", policy.normalizer.mean)
    scale = graph.constant("observation_scale", policy.normalizer.scale)
    scaled = graph.node("Mul", [graph.node("Sub", ["obs_0", middle], "centred"), scale], "scaled")
    return graph.node("Clip", [scaled], "normalized", min=-OBSERVATION_BOUND, max=OBSERVATION_BOUND)


def _model(graph: Graph, entered: bytes, outputs: list[bytes]) -> bytes:
    content = b"".join(graph.nodes) + block(2, "practice") + b"".join(graph.constants)
    content += block(11, entered) + b"".join(block(12, output) for output in outputs)
    head = integer(1, IR_VERSION) + block(2, "MENTOR practice trainer")
    return head + block(7, content) + block(8, block(1, "") + integer(2, OPSET))
