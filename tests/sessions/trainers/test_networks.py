"""Networks told from checkpoints: those that ML-Agents itself makes, and files that want to harm."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sessions.domain.preflight.networks import Network
from sessions.trainers.networks import network_in, shapes_in


def archive(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as stream:
        stream.writestr("checkpoint/data.pkl", content)
    return path


@pytest.mark.mlagents
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("settings", "continuous", "branches", "expected"),
    [
        ({"hidden_units": 16, "num_layers": 2}, 2, (), Network(16, 2, 8, False, None, 2, ())),
        ({"hidden_units": 32, "num_layers": 3, "normalize": True}, 0, (3, 2), Network(32, 3, 8, True, None, 0, (3, 2))),
        ({"hidden_units": 8, "num_layers": 1, "memory": 64}, 1, (4,), Network(8, 1, 8, False, 64, 1, (4,))),
    ],
)
def test_a_policy_of_mlagents_is_told_as_it_was_made(
    tmp_path: Path, settings: dict[str, Any], continuous: int, branches: tuple[int, ...], expected: Network
) -> None:
    import torch
    from mlagents.trainers.settings import NetworkSettings
    from mlagents.trainers.torch_entities.networks import SimpleActor
    from mlagents_envs.base_env import ActionSpec, DimensionProperty, ObservationSpec, ObservationType

    memory = settings.pop("memory", None)
    network = NetworkSettings(**settings, memory=NetworkSettings.MemorySettings(memory_size=memory) if memory else None)
    observed = ObservationSpec((8,), (DimensionProperty.NONE,), ObservationType.DEFAULT, "v")
    actor = SimpleActor([observed], network, ActionSpec(continuous, branches))
    path = tmp_path / "checkpoint.pt"
    torch.save({"Policy": actor.state_dict(), "Optimizer:x": torch.optim.Adam(actor.parameters()).state_dict()}, path)
    assert network_in(path) == expected


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch harmed",)


def test_nothing_that_a_checkpoint_names_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = archive(tmp_path / "checkpoint.pt", pickle.dumps({"Policy": {"a": Harm(), "b": (1, 2)}}, protocol=2))
    assert shapes_in(path) == {"Policy": {"b": (1, 2)}}
    assert not Path("harmed").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04" + b"(" * 100_000,
        b"\x80\x02r\xff\xff\xff\x7f.",
        b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b".",
        b"\x80\x02\x82\x01.",
        pickle.dumps([1, 2]),
        pickle.dumps({"Policy": 3}),
    ],
)
def test_what_is_no_checkpoint_tells_nothing(tmp_path: Path, content: bytes) -> None:
    assert network_in(archive(tmp_path / "checkpoint.pt", content)) is None


def test_a_file_that_unpacks_to_too_much_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        stream.writestr("checkpoint/data.pkl", pickle.dumps({"Policy": {"x" * 5_000_000: (1, 2)}}))
    assert shapes_in(path) == {}


def test_the_practice_trainers_own_and_what_is_gone_tell_nothing(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as own:
        own.writestr("policy.npy", b"")
    (tmp_path / "own.pt").write_bytes(stream.getvalue())
    assert network_in(tmp_path / "own.pt") is None
    assert network_in(tmp_path / "gone.pt") is None
