"""The rewards of episodes, out of the histograms of an event file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sessions.domain.evaluation import combined
from sessions.metrics.events import read_events
from sessions.metrics.rewards import rewards_of
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
    found = rewards_of(read_events(written(tmp_path, [1.0, 2.0], [-3.0]), 0))
    assert [(kind, one.episodes, one.total, one.squares, one.lowest, one.highest) for kind, one in found] == [
        ("reward", 2, 3.0, 5.0, 1.0, 2.0),
        ("reward", 1, -3.0, 9.0, -3.0, -3.0),
    ]


@pytest.mark.mlagents
def test_what_torch_writes_for_mlagents_is_read_to_the_last_digit(tmp_path: Path) -> None:
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    rewards = np.random.default_rng(1).normal(3.0, 2.0, 50)
    writer = tensorboard.SummaryWriter(str(tmp_path))
    writer.add_histogram(TAG, rewards[:20], 1)
    writer.add_histogram(TAG, rewards[20:], 2)
    writer.add_histogram("Environment/Group Cumulative Reward_hist", rewards, 2)
    writer.close()
    found = rewards_of(read_events(next(tmp_path.iterdir()), 0))
    together = combined([one for kind, one in found if kind == "reward"])
    assert together is not None
    assert together.episodes == 50
    assert together.mean == pytest.approx(rewards.mean(), rel=1e-12)
    assert together.std == pytest.approx(rewards.std(ddof=1), rel=1e-9)
    assert [kind for kind, _ in found] == ["reward", "reward", "group_reward"]
