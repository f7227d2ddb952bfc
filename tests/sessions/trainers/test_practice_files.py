"""The files that the practice trainer writes itself, read by those for whom they are meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessions.trainers.practice import model
from sessions.trainers.practice.configuration import NETWORK
from sessions.trainers.practice.events import EventFile
from sessions.trainers.practice.learner import Learner
from sessions.trainers.practice.policy import Policy
from sessions.trainers.practice.results import encode_state, read_state
from sessions.trainers.standin.unity_standin import ACTIONS, OBSERVATIONS

SCALARS = {
    "Environment/Cumulative Reward",
    "Environment/Episode Length",
    "Policy/Entropy",
    "Policy/Extrinsic Reward",
    "Policy/Extrinsic Value Estimate",
    "Policy/Learning Rate",
    "Policy/Epsilon",
    "Policy/Beta",
    "Losses/Policy Loss",
    "Losses/Value Loss",
}


def policy_of(**settings: Any) -> Policy:
    """Make a policy that has seen something, with random weights everywhere."""
    random = np.random.default_rng(3)
    policy = Policy(OBSERVATIONS, ACTIONS, {**NETWORK, "hidden_units": 24, **settings}, random)
    for value in policy.parameters:
        value += random.normal(0.0, 0.5, value.shape)
    policy.normalizer.learn(random.normal(2.0, 5.0, (50, OBSERVATIONS)))
    return policy


def exported(policy: Policy) -> Any:
    onnx = pytest.importorskip("onnx")
    found = onnx.load_from_string(model.encode(policy))
    onnx.checker.check_model(found, full_check=True)
    return found


@pytest.mark.mlagents
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_a_model_computes_what_the_policy_does(normalize: bool, num_layers: int) -> None:
    policy = policy_of(normalize=normalize, num_layers=num_layers)
    reference = pytest.importorskip("onnx.reference")
    seen = np.random.default_rng(4).normal(0.0, 3.0, (40, OBSERVATIONS)).astype(np.float32)
    outputs = ["deterministic_continuous_actions", "continuous_actions"]
    computed, sampled = reference.ReferenceEvaluator(exported(policy)).run(outputs, {"obs_0": seen})
    np.testing.assert_allclose(computed, policy.act(seen.astype(float)), atol=1e-5)
    assert sampled.shape == computed.shape
    assert np.abs(sampled).max() <= 1.0
    assert not np.allclose(sampled, computed)


@pytest.mark.mlagents
def test_a_model_has_the_outputs_that_unity_looks_for() -> None:
    graph = exported(policy_of(normalize=True)).graph
    assert [entry.name for entry in graph.input] == ["obs_0"]
    assert {entry.name for entry in graph.output} == {
        "version_number",
        "memory_size",
        "continuous_actions",
        "continuous_action_output_shape",
        "deterministic_continuous_actions",
    }


def accumulated(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_an_event_file_to_the_last_flush(tmp_path: Path) -> None:
    events = EventFile(tmp_path)
    events.text("Hyperparameters/text_summary", "\tmax_steps:\t4")
    for step in (1000, 2000):
        events.scalar("Environment/Cumulative Reward", step / 3, step)
        events.histogram("Environment/Cumulative Reward_hist", [-2.0, 0.0, 0.5, 0.5, 9.0], step)
    events.flush()
    read = accumulated(tmp_path)
    points = [(point.step, point.value) for point in read.Scalars("Environment/Cumulative Reward")]
    assert points == [(1000, pytest.approx(1000 / 3)), (2000, pytest.approx(2000 / 3))]
    spread = read.Histograms("Environment/Cumulative Reward_hist")[0].histogram_value
    assert (spread.min, spread.max, spread.num, spread.sum) == (-2.0, 9.0, 5.0, 8.0)
    assert sum(spread.bucket) == 5
    assert len(spread.bucket) == len(spread.bucket_limit)
    (text,) = read.Tensors("Hyperparameters/text_summary")
    assert text.tensor_proto.string_val[0] == b"\tmax_steps:\t4"
    events.close()


@pytest.mark.filterwarnings("ignore")
def test_a_training_writes_the_tags_of_ppo(practice: Any, tmp_path: Path) -> None:
    from tests.sessions.trainers.conftest import small_config, summaries

    trainer = practice(small_config(tmp_path, max_steps=2000), "--run-id=tags", "--seed=3")
    assert trainer.ended() == 0
    read = accumulated(tmp_path / "results" / "tags" / "Ball")
    assert set(read.Tags()["scalars"]) == SCALARS
    told = [(point.step, round(point.value, 3)) for point in read.Scalars("Environment/Cumulative Reward")]
    assert told == [(step, pytest.approx(mean, abs=0.0011)) for step, mean in summaries(trainer.console)]


def test_a_checkpoint_holds_all_that_was_learned_and_no_code(tmp_path: Path) -> None:
    settings = {
        "hyperparameters": {"batch_size": 64, "buffer_size": 240, "learning_rate": 1e-3},
        "network_settings": {**NETWORK, "hidden_units": 8, "normalize": True},
        "reward_signals": {"extrinsic": {"gamma": 0.99}},
        "max_steps": 1000,
    }
    first, second = (Learner(settings, agents=12, episode_length=50, seed=seed) for seed in (1, 2))
    for _ in range(20):
        first.play()
    first.improve()
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(encode_state(first.state()))
    second.restore(read_state(str(path)), from_step_zero=False)
    assert second.step == 240
    for name, value in second.state().items():
        np.testing.assert_array_equal(value, first.state()[name])
    path.write_bytes(b"\x80\x04\x95 a pickle")
    with pytest.raises(ValueError, match="pickle"):
        read_state(str(path))
