"""Where the behaviors of a session stand, as summaries and saved files tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import timezone

from sessions.domain import console
from sessions.domain.config import ConfigError, read_config
from sessions.domain.numbers import finite
from sessions.models import BehaviorProgress, TrainingSession

NAME_CHARACTERS = 255


def with_reward_of(earlier: console.Summary | None, summary: console.Summary) -> console.Summary:
    """Return the summary; one without an episode has the reward of the one before, however the console was cut."""
    if earlier is None or summary.mean_reward is not None or summary.group_reward is not None:
        return summary
    return replace(
        summary,
        mean_reward=earlier.mean_reward,
        std_reward=earlier.std_reward,
        group_reward=earlier.group_reward,
    )


def store_summary(session_id: int, summary: console.Summary) -> bool:
    """Store a behavior's headline and return whether it tells of a new step.

    NaN and infinite rewards are stored as unknown: JSON has no word for them.
    """
    columns: dict[str, Any] = {"step": summary.step, "elapsed_seconds": summary.elapsed_seconds, "seen": True}
    columns["trained_at"] = timezone.now()
    reward = summary.mean_reward if summary.group_reward is None else summary.group_reward
    known = _behavior(session_id, summary.behavior)
    if reward is not None:
        columns |= {"mean_reward": finite(reward), "std_reward": finite(summary.std_reward)}
        columns["best_reward"] = best_of(known.best_reward, reward)
    BehaviorProgress.objects.filter(pk=known.pk).update(**columns)
    return summary.step != known.step or not known.seen


def best_of(known: float | None, reward: float) -> float | None:
    """Return the larger of the best reward so far and a new one; what is no number is none."""
    found = finite(reward)
    return known if found is None else found if known is None else max(known, found)


def advance(session_id: int, behavior: str, step: int) -> None:
    """Raise a behavior's step to that of a file it saved; it never goes back."""
    known = _behavior(session_id, behavior)
    BehaviorProgress.objects.filter(pk=known.pk, step__lt=step).update(step=step)
    BehaviorProgress.objects.filter(pk=known.pk).update(seen=True)


def _behavior(session_id: int, name: str) -> BehaviorProgress:
    """Return the row of a behavior; one that the configuration does not name is planned by its default_settings."""
    name = name[:NAME_CHARACTERS]
    rows = BehaviorProgress.objects.filter(session_id=session_id, name=name)
    return rows.first() or rows.get_or_create(session_id=session_id, name=name, defaults=_planned(session_id, name))[0]


def _planned(session_id: int, name: str) -> dict[str, Any]:
    config = TrainingSession.objects.values_list("config_used", flat=True).get(pk=session_id)
    try:
        plan = read_config(bytes(config)).plan_of(name)
    except ConfigError:  # was right for the version that stored it
        return {}
    return {"max_steps": plan.max_steps, "trainer_type": plan.trainer_type} if plan else {}
