"""What an ONNX model says of itself, read field by field and never loaded: `python -m sessions.runtime.onnx_facts F`.

Somebody else may have written the file, so it is read in a process of its own that limits its own memory and time.
Field numbers are those of onnx.proto3. Weights are passed over by seeking, and what is told is bounded, whatever the
file claims.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sessions.runtime.system import here

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 20
MOST_FIELDS = 1_000_000
MOST_LISTED = 64
MOST_CHARACTERS = 200
# Of tensors with more values than this only the size is of interest.
MOST_VALUES = 64
MOST_CONSTANTS = 10_000
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
FLOATS = {1: 4, 10: 2, 11: 8, 16: 2}
CODES = {1: "f", 6: "i", 7: "q", 11: "d"}
EXTERNAL = 1


class NotAModel(ValueError):
    """The file is no ONNX model; the message is one sentence."""


@dataclass(frozen=True)
class Part:
    """A stretch of the file: from byte `start` up to `end`."""

    start: int
    end: int


@dataclass
class Tensor:
    """A constant of the graph; `values` only of small ones."""

    name: str = ""
    kind: int = 0
    dimensions: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    external: bool = False

    @property
    def count(self) -> int:
        return math.prod(self.dimensions)


@dataclass
class Graph:
    """What is kept of a graph while it is read."""

    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    nodes: int = 0
    weights: dict[str, int] = field(default_factory=dict)
    constants: dict[str, list[float]] = field(default_factory=dict)
    # Where an Identity node has its output from.
    same: dict[str, str] = field(default_factory=dict)


class Model:
    """One file, read once from beginning to end."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream = stream
        self.size = size
        self.left = MOST_FIELDS
        self.graph: Graph | None = None
        self.about: dict[str, Any] = {"ir_version": None, "producer": "", "producer_version": "", "opsets": {}}
        self.metadata: dict[str, str] = {}

    def facts(self) -> dict[str, Any]:
        """Return what is told of the model; raises NotAModel."""
        for number, kind, value in self.fields(Part(0, self.size)):
            if number == 1 and kind == VARINT:
                self.about["ir_version"] = value
            elif kind == BYTES and number in (2, 3):
                self.about["producer" if number == 2 else "producer_version"] = self.text(value)
            elif kind == BYTES and number == 7:
                self.graph = self.read_graph(value)
            elif kind == BYTES and number == 8:
                self.read_opset(value)
            elif kind == BYTES and number == 14:
                self.read_metadata(value)
        if self.graph is None or not self.about["opsets"]:
            raise NotAModel("This is no ONNX model: it has no graph or names no operator set.")
        return {**self.about, **_told(self.graph), "metadata": self.metadata}

    def fields(self, part: Part) -> Iterator[tuple[int, int, Any]]:
        """Yield number, wire type and value (a number, or the part of the file) of each field."""
        position = part.start
        while position < part.end:
            self.left -= 1
            if self.left < 0:
                raise NotAModel("The file has more parts than any model.")
            key, position = self.varint(position, part.end)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                value, position = self.varint(position, part.end)
                yield number, kind, value
                continue
            if kind == BYTES:
                length, position = self.varint(position, part.end)
            elif kind in (FIXED64, FIXED32):
                length = 8 if kind == FIXED64 else 4
            else:
                raise NotAModel("This is no ONNX model: it is not written in protobuf's format.")
            if length > part.end - position:
                raise NotAModel(
                    f"The file is damaged or cut short: a part of it claims {length:,} bytes, "
                    f"and {part.end - position:,} are there."
                )
            yield number, kind, Part(position, position + length)
            position += length

    def varint(self, position: int, end: int) -> tuple[int, int]:
        self.stream.seek(position)
        value = 0
        for index, byte in enumerate(self.stream.read(min(10, end - position))):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value & (2**64 - 1), position + index + 1
        raise NotAModel("This is no ONNX model: it is not written in protobuf's format.")

    def content(self, part: Part, most: int) -> bytes:
        self.stream.seek(part.start)
        return self.stream.read(min(most, part.end - part.start))

    def text(self, part: Part) -> str:
        """The text of a field, at most so many characters of it, without what a page or a console could not show."""
        found = self.content(part, MOST_CHARACTERS * 4).decode("utf-8", "replace")[:MOST_CHARACTERS]
        return "".join(character if character.isprintable() else " " for character in found).strip()

    def read_opset(self, part: Part) -> None:
        domain, version = "", None
        for number, kind, value in self.fields(part):
            if number == 1 and kind == BYTES:
                domain = self.text(value)
            elif number == 2 and kind == VARINT:
                version = value
        if version is not None and len(self.about["opsets"]) < MOST_LISTED:
            self.about["opsets"][domain or "ai.onnx"] = version

    def read_metadata(self, part: Part) -> None:
        pair = {number: self.text(value) for number, kind, value in self.fields(part) if kind == BYTES}
        if len(self.metadata) < MOST_LISTED and pair.get(1):
            self.metadata[pair[1]] = pair.get(2, "")

    def read_graph(self, part: Part) -> Graph:
        graph = Graph()
        for number, kind, value in self.fields(part):
            if kind != BYTES:
                continue
            if number == 1:
                self.read_node(value, graph)
            elif number == 5:
                self.keep(self.read_tensor(value), graph)
            elif number in (11, 12):
                listed = graph.inputs if number == 11 else graph.outputs
                if len(listed) < MOST_LISTED:
                    listed.append(self.read_value(value))
        return graph

    def keep(self, tensor: Tensor, graph: Graph) -> None:
        if tensor.kind in FLOATS:
            if not tensor.external and tensor.count * FLOATS[tensor.kind] > self.size * 2:
                raise NotAModel("The file is damaged: it claims more weights than it holds.")
            graph.weights[tensor.name] = tensor.count
        if tensor.values and len(graph.constants) < MOST_CONSTANTS:
            graph.constants[tensor.name] = tensor.values

    def read_node(self, part: Part, graph: Graph) -> None:
        graph.nodes += 1
        entered, left, operator, attributes = "", "", "", []
        for number, kind, value in self.fields(part):
            if kind != BYTES:
                continue
            if number == 1:
                entered = entered or self.text(value)
            elif number == 2:
                left = left or self.text(value)
            elif number == 4:
                operator = self.text(value)
            elif number == 5:
                attributes.append(value)
        if len(graph.same) + len(graph.constants) >= MOST_CONSTANTS:
            return
        if operator == "Identity":
            graph.same[left] = entered
        elif operator == "Constant":
            graph.constants[left] = self.constant_of(attributes)

    def constant_of(self, attributes: list[Part]) -> list[float]:
        for attribute in attributes:
            for number, kind, value in self.fields(attribute):
                if number == 5 and kind == BYTES:
                    return self.read_tensor(value).values
        return []

    def read_tensor(self, part: Part) -> Tensor:
        tensor = Tensor()
        raw: bytes | None = None
        for number, kind, value in self.fields(part):
            if number == 1:
                tensor.dimensions += [value] if kind == VARINT else self.numbers(value)
            elif number == 2 and kind == VARINT:
                tensor.kind = value
            elif number == 4 and kind == BYTES:
                tensor.values += _unpacked(self.content(value, 4 * MOST_VALUES), "f")
            elif number == 7 and kind == BYTES:
                tensor.values += [float(one) for one in self.numbers(value)]
            elif number == 8 and kind == BYTES:
                tensor.name = self.text(value)
            elif number == 9 and kind == BYTES:
                raw = self.content(value, 8 * MOST_VALUES)
            elif number == 14 and kind == VARINT:
                tensor.external = value == EXTERNAL
        if len(tensor.dimensions) > MOST_LISTED:
            raise NotAModel("The file is damaged: a tensor has more dimensions than there can be.")
        if raw is not None:
            tensor.values = _unpacked(raw, CODES.get(tensor.kind, ""))
        if tensor.count > MOST_VALUES or tensor.count != len(tensor.values):
            tensor.values = []
        return tensor

    def numbers(self, part: Part) -> list[int]:
        found: list[int] = []
        position = part.start
        while position < part.end and len(found) <= MOST_LISTED:
            value, position = self.varint(position, part.end)
            found.append(value)
        return found

    def read_value(self, part: Part) -> dict[str, Any]:
        """A named input or output: ValueInfoProto with name 1 and type 2, of which field 1 is the type of a tensor."""
        found: dict[str, Any] = {"name": "", "type": "", "shape": None}
        for number, kind, value in self.fields(part):
            if number == 1 and kind == BYTES:
                found["name"] = self.text(value)
            elif number == 2 and kind == BYTES:
                for inner, inner_kind, tensor in self.fields(value):
                    if inner == 1 and inner_kind == BYTES:
                        found.update(self.read_tensor_type(tensor))
        return found

    def read_tensor_type(self, part: Part) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, kind, value in self.fields(part):
            if number == 1 and kind == VARINT:
                found["type"] = TYPES.get(value, f"type {value}")
            elif number == 2 and kind == BYTES:
                shape = [self.read_dimension(one) for inner, of, one in self.fields(value) if (inner, of) == (1, BYTES)]
                found["shape"] = shape[:MOST_LISTED]
        return found

    def read_dimension(self, part: Part) -> int | str:
        for number, kind, value in self.fields(part):
            if number == 1 and kind == VARINT:
                return int(value)
            if number == 2 and kind == BYTES:
                return self.text(value)
        return "?"


def _unpacked(data: bytes, code: str) -> list[float]:
    size = struct.calcsize(code)
    return (
        [float(one) for one in struct.unpack(f"<{len(data) // size}{code}", data[: len(data) // size * size])]
        if size
        else []
    )


def _told(graph: Graph) -> dict[str, Any]:
    """What of a graph is told. Outputs that never change are constants: in these ML-Agents describes its models."""
    constants: dict[str, list[float]] = {}
    told = set()
    for output in graph.outputs:
        source = _source(output["name"], graph)
        values = graph.constants.get(source)
        if values and all(map(math.isfinite, values)):
            constants[output["name"]] = values
            told.add(source)
    return {
        "inputs": graph.inputs,
        "outputs": [one for one in graph.outputs if one["name"] not in constants],
        "constants": constants,
        "nodes": graph.nodes,
        "parameters": sum(count for name, count in graph.weights.items() if name not in told),
    }


def _source(name: str, graph: Graph) -> str:
    for _ in range(MOST_LISTED):
        if name not in graph.same:
            break
        name = graph.same[name]
    return name


def read_facts(stream: BinaryIO) -> dict[str, Any]:
    """Return what the model in a file says of itself, with the file's size; raises NotAModel or OSError."""
    size = stream.seek(0, io.SEEK_END)
    if not size:
        raise NotAModel("The file is empty.")
    return {"size": size, **Model(stream, size).facts()}


def answer(path: Path) -> dict[str, Any]:
    """Return {"facts": …} or {"problem": one sentence}, and the SHA-256 of the file if it could be read."""
    told: dict[str, Any] = {}
    try:
        with path.open("rb") as stream:
            told["sha256"] = _digest(stream)
            told["facts"] = read_facts(stream)
    except NotAModel as error:
        told["problem"] = str(error)
    except OSError as error:
        told["problem"] = f"The file cannot be read: {error.strerror or error}."
    except (MemoryError, RecursionError):
        told["problem"] = "The file cannot be understood within the memory that is given to it."
    return told


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    here.limit_itself(memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS)
    sys.stdout.write(json.dumps(answer(Path(sys.argv[1]))))
