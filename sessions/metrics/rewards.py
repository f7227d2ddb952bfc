"""The rewards of episodes, out of the histograms that ML-Agents writes beside every mean since its release 18 (0.24).

A histogram keeps the exact number of its values, their sum, the sum of their squares and their extremes.
"""

from __future__ import annotations

from sessions.domain.evaluation import Rewards
from sessions.metrics.events import Batch

TAGS = {"Environment/Cumulative Reward_hist": "reward", "Environment/Group Cumulative Reward_hist": "group_reward"}


def rewards_of(batch: Batch) -> list[tuple[str, Rewards]]:
    """Return "reward" or "group_reward" and the rewards of each summary that was read."""
    return [
        (TAGS[one.tag], Rewards(int(told.number), told.total, told.squares, told.least, told.most))
        for one in batch.histograms
        if one.tag in TAGS and (told := one.moments) is not None
    ]
