"""What the supervisor saw of a machine and of what runs on it, stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from sessions import nudge
from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.domain.states import ACTIVE, values
from sessions.metrics.events import Point
from sessions.models import Attempt, BehaviorProgress, Machine, TrainingSession
from sessions.services import points


@dataclass(frozen=True)
class Sample:
    """What one attempt takes at one moment: values by tag, in the units of `sessions.domain.resources`."""

    attempt: int
    values: Mapping[str, float]


def store(samples: Sequence[Sample]) -> int:
    """Append the samples to the series of their attempts, all in one transaction; return how many there were.

    Attempts that ended meanwhile are left out. The step of a point is that of its session at this moment.
    """
    now = timezone.now().timestamp()
    with transaction.atomic():
        sessions = _sessions_of([one.attempt for one in samples])
        steps = _steps_of(sessions.values())
        kept = [one for one in samples if one.attempt in sessions]
        points.append_all(
            (one.attempt, OF_THE_ATTEMPT, Point(tag, steps.get(sessions[one.attempt], 0), now, value))
            for one in kept
            for tag, value in one.values.items()
        )
        TrainingSession.objects.filter(pk__in=sessions.values()).update(version=F("version") + 1)
        for key in sessions.values():
            transaction.on_commit(lambda key=key: nudge.session(key))  # type: ignore[misc]
    return len(kept)


def _sessions_of(attempts: Sequence[int]) -> dict[int, int]:
    running = Attempt.objects.filter(pk__in=attempts, state__in=values(ACTIVE))
    return dict(running.values_list("pk", "session_id"))


def _steps_of(sessions: Iterable[int]) -> dict[int, int]:
    furthest = BehaviorProgress.objects.filter(session__in=sessions).values("session_id")
    return dict(furthest.annotate(furthest=Max("step")).values_list("session_id", "furthest"))


def note_gpus(machine: Machine, names: list[str]) -> None:
    """Store which GPUs the machine has, in the order of their numbers."""
    machine.gpus = names
    Machine.objects.filter(pk=machine.pk).update(gpus=names)


def note_disk(machine: Machine, free: int | None) -> None:
    """Store how many bytes are left on the fullest disk that the machine's runs are on."""
    machine.disk_free = free
    Machine.objects.filter(pk=machine.pk).update(disk_free=free)
