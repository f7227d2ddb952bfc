"""The rewards of episodes, out of the histograms of an event file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sessions.domain.evaluation import combined
from sessions.metrics.rewards import read_rewards
from sessions.trainers.practice.events import EventFile

TAG = "Environment/Cumulative Reward_hist"


def written(folder: Path, *summaries: list[float]) -> Path:
    """An event file as the practice trainer writes it."""
    file = EventFile(folder)
    for step, rewards in enumerate(summaries, start=1):
        file.scalar("Environment/Cumulative Reward", sum(rewards) / len(rewards), step)
        file.histogram(TAG, rewards, step)
        file.histogram("Environment/Other_hist", [99.0], step)
    file.close()
    return file.path


def test_each_summary_keeps_number_sum_squares_and_extremes(tmp_path: Path) -> None:
    found, offset = read_rewards(path := written(tmp_path, [1.0, 2.0], [-3.0]), 0)
    assert [(kind, one.episodes, one.total, one.squares, one.lowest, one.highest) for kind, one in found] == [
        ("reward", 2, 3.0, 5.0, 1.0, 2.0),
        ("reward", 1, -3.0, 9.0, -3.0, -3.0),
    ]
    assert offset == path.stat().st_size
    assert read_rewards(path, offset) == ([], offset)


def test_a_file_that_grows_byte_by_byte_gives_every_summary_once(tmp_path: Path) -> None:
    data = written(tmp_path, [1.0], [2.0, 4.0]).read_bytes()
    growing, offset, found = tmp_path / "growing", 0, []
    for size in range(0, len(data) + 1, 5):
        growing.write_bytes(data[:size])
        new, offset = read_rewards(growing, offset)
        found += new
    growing.write_bytes(data)
    new, offset = read_rewards(growing, offset)
    assert [one.total for _, one in found + new] == [1.0, 6.0]


def test_a_damaged_record_costs_only_itself(tmp_path: Path) -> None:
    path = written(tmp_path, [1.0], [2.0], [3.0])
    data = bytearray(path.read_bytes())
    second = data.index(TAG.encode(), data.index(TAG.encode()) + 1)
    data[second + len(TAG) + 12] ^= 0xFF
    path.write_bytes(data)
    assert [one.total for _, one in read_rewards(path, 0)[0]] == [1.0, 3.0]


@pytest.mark.mlagents
def test_what_torch_writes_for_mlagents_is_read_to_the_last_digit(tmp_path: Path) -> None:
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    rewards = np.random.default_rng(1).normal(3.0, 2.0, 50)
    writer = tensorboard.SummaryWriter(str(tmp_path))
    writer.add_histogram(TAG, rewards[:20], 1)
    writer.add_histogram(TAG, rewards[20:], 2)
    writer.add_histogram("Environment/Group Cumulative Reward_hist", rewards, 2)
    writer.close()
    found, _ = read_rewards(next(tmp_path.iterdir()), 0)
    together = combined([one for kind, one in found if kind == "reward"])
    assert together is not None
    assert together.episodes == 50
    assert together.mean == pytest.approx(rewards.mean(), rel=1e-12)
    assert together.std == pytest.approx(rewards.std(ddof=1), rel=1e-9)
    assert [kind for kind, _ in found] == ["reward", "reward", "group_reward"]
