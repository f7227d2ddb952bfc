"""What this machine offers and how it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from sessions.domain.disk import room_left
from sessions.domain.states import ACTIVE, values
from sessions.models import Attempt, Connection, Environment, Machine, Trainer
from sessions.selectors.disk import reserve_bytes
from sessions.selectors.shapes import EnvironmentShape, TrainerShape

OFFLINE_SECONDS = 15.0


@dataclass(frozen=True)
class SystemShape:
    """How the machine stands, shown in the header of every page."""

    supervisor_online: bool
    supervisor_seen_seconds: float | None
    busy_slots: int
    slots: int
    gpus: list[str] = field(metadata={"help": "The names of its GPUs, in the order of their numbers."})
    disk_free: int | None = field(metadata={"help": "Bytes, on the fullest disk that runs are written to."})
    disk_reserve: int = field(metadata={"help": "Bytes; below it nothing is started and what trains is stopped."})
    disk: str = field(metadata={"help": "enough; low: below twice the reserve; short: below the reserve."})


def system_shape() -> SystemShape:
    """Return how this machine stands now."""
    machine = Machine.objects.filter(name=settings.MENTOR_MACHINE).first()
    seen = machine.supervisor_seen_at if machine else None
    free = machine.disk_free if machine else None
    seconds = (timezone.now() - seen).total_seconds() if seen else None
    return SystemShape(
        supervisor_online=seconds is not None and seconds < OFFLINE_SECONDS,
        supervisor_seen_seconds=seconds,
        busy_slots=Attempt.objects.filter(state__in=values(ACTIVE)).exclude(session__origin="imported").count(),
        slots=settings.MENTOR["MENTOR_MAX_PARALLEL"],
        gpus=machine.gpus if machine else [],
        disk_free=free,
        disk_reserve=reserve_bytes(),
        disk=room_left(free, reserve_bytes()).value,
    )


def trainer_shapes() -> list[TrainerShape]:
    """Return all trainers that can be on this machine, with what is wrong with them."""
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
        for trainer in Trainer.objects.exclude(kind="imported")
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
        behaviors=behaviors_of(environment),
    )


def behaviors_of(environment: Environment) -> list[str]:
    """Return the behaviors that a build had when it was last connected; none when it never was, or changed since."""
    answered = Connection.objects.filter(environment=environment, sha256=environment.sha256, behaviors__isnull=False)
    last = answered.order_by("-answered_at").first()
    return sorted({one["name"] for one in last.behaviors or []}) if last else []
