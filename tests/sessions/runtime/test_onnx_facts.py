"""What an ONNX model says of itself, read in a process of its own, whoever wrote it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.runtime.inspecting import NOT_UNDERSTOOD, TOO_LONG, inspect_model
from sessions.runtime.onnx_facts import answer
from sessions.trainers.practice import model
from sessions.trainers.practice.policy import Policy
from sessions.trainers.practice.protobuf import block, integer

NETWORK = {"hidden_units": 16, "num_layers": 1, "normalize": False}


def practice_model() -> bytes:
    return model.encode(Policy(8, 2, NETWORK, np.random.default_rng(1)))


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "Ball.onnx"
    path.write_bytes(content)
    return path


def problem_of(folder: Path, content: bytes) -> str:
    told = inspect_model(file_of(folder, content))
    facts, problem = told.facts, told.problem
    assert facts == {}
    assert problem.endswith(".")
    return problem


def test_the_practice_trainers_model_tells_its_inputs_outputs_and_constants(tmp_path: Path) -> None:
    told = inspect_model(file_of(tmp_path, practice_model()))
    facts, problem = told.facts, told.problem
    assert problem == ""
    assert facts["inputs"] == [{"name": "obs_0", "type": "float32", "shape": ["batch", 8]}]
    assert [one["name"] for one in facts["outputs"]] == ["continuous_actions", "deterministic_continuous_actions"]
    assert facts["constants"] == {
        "version_number": [3.0],
        "memory_size": [0.0],
        "continuous_action_output_shape": [2.0],
    }
    assert (facts["opsets"], facts["producer"]) == ({"ai.onnx": 9}, "MENTOR practice trainer")
    assert facts["size"] == len(practice_model())


@pytest.mark.mlagents
def test_a_model_as_torch_exports_it_is_read_as_onnx_reads_it(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = exported(tmp_path)
    told = inspect_model(path)
    facts, problem = told.facts, told.problem
    assert problem == ""
    theirs = onnx.load(path)
    assert facts["producer"] == theirs.producer_name == "pytorch"
    assert facts["opsets"] == {one.domain or "ai.onnx": one.version for one in theirs.opset_import}
    assert facts["nodes"] == len(theirs.graph.node)
    named = {one["name"] for one in facts["outputs"]} | set(facts["constants"])
    assert named == {one.name for one in theirs.graph.output}
    assert facts["constants"] == {"version_number": [3.0], "discrete_action_output_shape": [3.0, 2.0]}
    assert facts["parameters"] == 8 * 4 + 4


def exported(folder: Path) -> Path:
    """A network with two constants beside it, exported as ML-Agents does it; torch warns of what lies ahead."""
    script = """
import sys, torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 4)
        self.version_number = torch.nn.Parameter(torch.Tensor([3.0]), requires_grad=False)
        self.shape = torch.nn.Parameter(torch.Tensor([3.0, 2.0]), requires_grad=False)
    def forward(self, x):
        return self.layer(x), self.version_number, self.shape
names = ["actions", "version_number", "discrete_action_output_shape"]
torch.onnx.export(Net(), torch.zeros(1, 8), sys.argv[1], opset_version=9, input_names=["obs_0"], output_names=names,
                  dynamic_axes={"obs_0": {0: "batch"}})
"""
    path = folder / "Ball.onnx"
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(path)], check=True, timeout=120)
    return path


def test_a_file_that_was_cut_says_so_wherever_it_was_cut(tmp_path: Path) -> None:
    whole = practice_model()
    assert "cut short" in problem_of(tmp_path, whole[: len(whole) // 2])
    for length in range(1, len(whole), 7):
        assert "problem" in answer(file_of(tmp_path, whole[:length])), length


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 no model at all", "no ONNX model"),
        (b"\xff" * 100, "protobuf"),
        (integer(1, 4), "no graph"),
        # A graph of 2 GB and more, and of 2^63 bytes, in a file of a few.
        (b"\x3a\xff\xff\xff\xff\x07", "claims 2,147,483,647 bytes"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "claims"),
    ],
)
def test_what_is_no_model_is_one_clear_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in problem_of(tmp_path, content)


def test_weights_that_are_not_there_are_not_believed(tmp_path: Path) -> None:
    tensor = integer(1, 2**31) + integer(1, 2**31) + integer(2, 1) + block(8, "weight")
    assert "claims more weights" in problem_of(tmp_path, a_model(block(5, tensor)))


def test_a_model_of_a_million_nodes_is_refused_in_a_moment(tmp_path: Path) -> None:
    began = time.monotonic()
    assert "more parts" in problem_of(tmp_path, a_model(block(1, block(4, "Relu")) * 1_000_000))
    assert time.monotonic() - began < 20


def test_nesting_without_end_costs_nothing(tmp_path: Path) -> None:
    nested = b""
    for _ in range(1000):
        nested = block(5, block(6, nested))
    told = inspect_model(file_of(tmp_path, a_model(block(1, block(4, "If") + nested))))
    facts, problem = told.facts, told.problem
    assert (facts.get("nodes"), problem) == (1, "")


def test_names_are_short_and_harmless(tmp_path: Path) -> None:
    named = block(12, block(1, "x" * 100_000)) + block(12, block(1, "a\x1b[31m\nb"))
    facts = inspect_model(file_of(tmp_path, a_model(named))).facts
    assert [one["name"] for one in facts["outputs"]] == ["x" * 200, "a [31m b"]


def test_a_missing_file_and_one_that_takes_too_long_say_so(tmp_path: Path) -> None:
    assert "cannot be read" in inspect_model(tmp_path / "gone.onnx").problem
    assert inspect_model(file_of(tmp_path, practice_model()), seconds=0.0).problem == TOO_LONG


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_are_a_model_or_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(practice_model())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    told: dict[str, Any] = answer(file_of(tmp_path, bytes(content)))
    assert set(told) in ({"facts", "sha256"}, {"problem", "sha256"})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    told = answer(file_of(tmp_path, content))
    assert set(told) in ({"facts", "sha256"}, {"problem", "sha256"})


def a_model(graph: bytes) -> bytes:
    return integer(1, 4) + block(7, graph) + block(8, integer(2, 9))


def test_an_answer_that_is_none_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false" if sys.platform != "win32" else sys.executable)
    if sys.platform == "win32":
        pytest.skip("there is no /bin/false")
    assert inspect_model(file_of(tmp_path, practice_model())).problem == NOT_UNDERSTOOD
