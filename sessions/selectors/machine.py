"""What this machine offers and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from sessions.domain.states import ACTIVE, values
from sessions.models import Attempt, Environment, Machine, Trainer
from sessions.selectors.shapes import EnvironmentShape, TrainerShape

OFFLINE_SECONDS = 15.0


@dataclass(frozen=True)
class SystemShape:
    """How the machine stands, shown in the header of every page."""

    supervisor_online: bool
    supervisor_seen_seconds: float | None
    busy_slots: int
    slots: int


def system_shape() -> SystemShape:
    """Return how this machine stands now."""
    machine = Machine.objects.filter(name=settings.MENTOR_MACHINE).first()
    seen = machine.supervisor_seen_at if machine else None
    seconds = (timezone.now() - seen).total_seconds() if seen else None
    return SystemShape(
        supervisor_online=seconds is not None and seconds < OFFLINE_SECONDS,
        supervisor_seen_seconds=seconds,
        busy_slots=Attempt.objects.filter(state__in=values(ACTIVE)).count(),
        slots=settings.MENTOR["MENTOR_MAX_PARALLEL"],
    )


def trainer_shapes() -> list[TrainerShape]:
    """Return all trainers, with what is wrong with them."""
    return [
        TrainerShape(
            id=trainer.pk,
            kind=trainer.kind,
            name=trainer.name,
            version=trainer.version,
            python_version=trainer.python_version,
            interpreter=trainer.interpreter,
            ok=not trainer.problem,
            problem=trainer.problem,
        )
        for trainer in Trainer.objects.all()
    ]


def environment_shapes() -> list[EnvironmentShape]:
    """Return all environments; one whose file is gone is not ok."""
    return [_environment(environment) for environment in Environment.objects.all()]


def _environment(environment: Environment) -> EnvironmentShape:
    there = Path(environment.path).exists()
    return EnvironmentShape(
        id=environment.pk,
        name=environment.name,
        path=environment.path,
        ok=there,
        problem="" if there else "The file is gone.",
    )
