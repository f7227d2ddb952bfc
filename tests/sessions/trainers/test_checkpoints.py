"""Whether a checkpoint is whole is told from its bytes; nothing of it is loaded."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.trainers.checkpoints import Condition, blank, condition, model_condition, step_of
from sessions.trainers.practice import model
from sessions.trainers.practice.policy import Policy
from sessions.trainers.practice.results import encode_state, read_state

WEIGHTS = encode_state({"step": np.arange(40.0), "first_0": np.ones((4, 4))})


def torch_like(weights: bytes = b"\1\2\3\4" * 64, *, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A file as torch.save writes it: what is pickled, then each array by its number."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("checkpoint/data.pkl", pickle.dumps({"a": 1}, protocol=2))
        archive.writestr("checkpoint/data/0", weights)
        archive.writestr("checkpoint/version", "3\n")
    return stream.getvalue()


def of(tmp_path: Path, data: bytes) -> Condition:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(data)
    return condition(path)


@pytest.mark.parametrize("data", [torch_like(), WEIGHTS], ids=["torch", "practice"])
def test_a_whole_checkpoint_of_either_trainer_is_whole(tmp_path: Path, data: bytes) -> None:
    assert of(tmp_path, data) is Condition.WHOLE


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, b"1")
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"model", id="something else"),
        pytest.param(zipped("notes.txt"), id="another archive"),
        pytest.param(torch_like(compression=zipfile.ZIP_DEFLATED), id="compressed, which torch never does"),
        pytest.param(torch_like().replace(b"\1\2\3\4", b"\1\2\3\5", 1), id="one bit is another"),
        pytest.param(pickle.dumps({"a": 1}), id="a bare pickle"),
    ],
)
def test_what_torch_could_not_load_is_broken(tmp_path: Path, data: bytes) -> None:
    assert of(tmp_path, data) is Condition.BROKEN


@given(data=st.sampled_from([torch_like(), WEIGHTS]), cut=st.integers(1, 200_000))
def test_a_checkpoint_that_was_cut_anywhere_is_broken(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    assert of(tmp_path_factory.mktemp("cut"), data[: -(cut % len(data)) or 1]) is Condition.BROKEN


def test_a_folder_or_nothing_is_a_missing_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "folder.pt").mkdir()
    assert condition(tmp_path / "folder.pt") is Condition.MISSING
    assert condition(tmp_path / "none.pt") is Condition.MISSING


def test_looking_at_a_checkpoint_runs_nothing_of_it(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return exec, (f"open({str(tmp_path / 'sprung')!r}, 'w')",)

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("checkpoint/data.pkl", pickle.dumps(Trap()))
        archive.writestr("checkpoint/data/0", b"1")
    assert of(tmp_path, stream.getvalue()) is Condition.WHOLE
    assert not (tmp_path / "sprung").exists()


def test_a_blank_checkpoint_is_no_checkpoint_to_go_on_from_and_no_broken_one(tmp_path: Path) -> None:
    assert of(tmp_path, blank()) is Condition.BLANK
    assert read_state(str(tmp_path / "checkpoint.pt")) == {}


@pytest.mark.mlagents
@pytest.mark.slow
def test_torch_s_own_files_are_whole_and_it_loads_the_blank_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    torch.save({"Policy": {"weight": torch.ones(3, 3)}, "step": torch.tensor(7)}, tmp_path / "saved.pt")
    assert condition(tmp_path / "saved.pt") is Condition.WHOLE
    (tmp_path / "blank.pt").write_bytes(blank())
    assert torch.load(tmp_path / "blank.pt") == {}


MODEL = bytes.fromhex("0808") + b"\x3a\x05graph" + b"\x42\x02ok"


@pytest.mark.parametrize(
    ("data", "is_whole"),
    [
        (MODEL, True),
        (b"", False),
        (MODEL[:-1], False),
        (bytes.fromhex("0808"), False),
        (b"model", False),
        (b"\x3a\xff\xff\xff\xff\x7fgraph", False),
        (b"\xff" * 50, False),
        (b"\x08\x01" * 5000, False),
    ],
)
def test_a_model_is_whole_when_its_fields_end_where_the_file_ends(tmp_path: Path, data: bytes, is_whole: bool) -> None:
    path = tmp_path / "Ball.onnx"
    path.write_bytes(data)
    assert (model_condition(path) is Condition.WHOLE) is is_whole


def test_a_missing_model_is_missing(tmp_path: Path) -> None:
    assert model_condition(tmp_path / "Ball.onnx") is Condition.MISSING


@given(cut=st.integers(1, 200_000))
def test_a_model_that_was_cut_anywhere_is_broken(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    settings = {"hidden_units": 8, "num_layers": 1, "normalize": False}
    data = model.encode(Policy(8, 2, settings, np.random.default_rng(1)))
    path = tmp_path_factory.mktemp("cut") / "Ball.onnx"
    path.write_bytes(data)
    assert model_condition(path) is Condition.WHOLE
    path.write_bytes(data[: -(cut % (len(data) - 1) + 1)])
    assert model_condition(path) is Condition.BROKEN


@pytest.mark.parametrize(
    ("name", "step"),
    [("Ball-500.pt", 500), ("Ball-0.pt", 0), ("checkpoint.pt", None), ("Ball-500.onnx", None), ("Other-5.pt", None)],
)
def test_the_step_stands_in_the_name(name: str, step: int | None) -> None:
    assert step_of(name, "Ball") == step
