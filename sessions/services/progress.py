"""Where the behaviors of a session stand, as summaries and saved files tell it."""

from __future__ import annotations

from dataclasses import replace

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
    columns = {"step": summary.step, "elapsed_seconds": summary.elapsed_seconds, "seen": True}
    reward = summary.mean_reward if summary.group_reward is None else summary.group_reward
    if reward is not None:
        columns |= {"mean_reward": finite(reward), "std_reward": finite(summary.std_reward)}
    known = _behavior(session_id, summary.behavior)
    BehaviorProgress.objects.filter(pk=known.pk).update(**columns)
    return summary.step != known.step or not known.seen


def advance(session_id: int, behavior: str, step: int) -> None:
    """Raise a behavior's step to that of a file it saved; it never goes back."""
    known = _behavior(session_id, behavior)
    BehaviorProgress.objects.filter(pk=known.pk, step__lt=step).update(step=step)
    BehaviorProgress.objects.filter(pk=known.pk).update(seen=True)


def _behavior(session_id: int, name: str) -> BehaviorProgress:
    """Return the row of a behavior; one that the configuration does not name is planned by its default_settings."""
    name = name[:NAME_CHARACTERS]
    plan = {"max_steps": lambda: _planned(session_id, name)}
    return BehaviorProgress.objects.get_or_create(session_id=session_id, name=name, defaults=plan)[0]


def _planned(session_id: int, name: str) -> int | None:
    config = TrainingSession.objects.values_list("config_used", flat=True).get(pk=session_id)
    try:
        plan = read_config(bytes(config)).plan_of(name)
    except ConfigError:  # was right for the version that stored it
        return None
    return plan.max_steps if plan else None
