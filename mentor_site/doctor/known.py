"""What the database says that `doctor` needs, read at once: its checks run beside each other and ask it nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone

from sessions.domain.states import ACTIVE, State, values
from sessions.models import Attempt, Environment, Machine, PortLease, Trainer
from sessions.runtime.rundir import AttemptDirectory
from sessions.services.launching import directory_of


@dataclass(frozen=True)
class KnownTrainer:
    """A trainer as it is registered."""

    name: str
    kind: str
    interpreter: str
    version: str = ""
    problem: str = ""


@dataclass(frozen=True)
class KnownEnvironment:
    """A build as it was when it was registered; size in bytes, time of change in nanoseconds."""

    name: str
    path: str
    size: int
    modified_ns: int


@dataclass(frozen=True)
class Known:
    """What the database knows; nothing when it cannot be asked.

    `seen_seconds` is how long ago the supervisor was heard of, negative when that lies in the future, None for never.
    `silent_machines` are other machines with trainings whose supervisors were not heard of.
    """

    database_answers: bool = False
    trainers: tuple[KnownTrainer, ...] = ()
    environments: tuple[KnownEnvironment, ...] = ()
    leases: frozenset[int] = frozenset()
    active: Mapping[str, AttemptDirectory] = field(default_factory=dict)
    attempts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    seen_seconds: float | None = None
    launch_waits: float = 0.0
    silent_machines: tuple[str, ...] = ()

    @property
    def supervisor_online(self) -> bool:
        return self.seen_seconds is not None and abs(self.seen_seconds) < OFFLINE_SECONDS


OFFLINE_SECONDS = 15.0


def ask() -> Known:
    """Return what the database knows now. Raises Django's database errors."""
    return Known(
        database_answers=True,
        trainers=tuple(
            KnownTrainer(one.name, one.kind, one.interpreter, one.version, one.problem)
            for one in Trainer.objects.exclude(kind="imported")
        ),
        environments=tuple(
            KnownEnvironment(one.name, one.path, one.size, one.modified_ns) for one in Environment.objects.all()
        ),
        leases=frozenset(
            PortLease.objects.filter(machine__name=settings.MENTOR_MACHINE).values_list("port", flat=True)
        ),
        active=active_attempts(),
        attempts=_attempts(),
        seen_seconds=_seen_seconds(),
        launch_waits=longest_wait_for_a_launch(),
        silent_machines=_silent_machines(),
    )


def active_attempts() -> dict[str, AttemptDirectory]:
    """Return the directories of the attempts that have not ended, by run id."""
    active = Attempt.objects.filter(state__in=values(ACTIVE)).exclude(session__origin="imported")
    return {one.session.run_id: directory_of(one) for one in active.select_related("session")}


def longest_wait_for_a_launch() -> float:
    """Return how many seconds the oldest launch that no worker took has waited; 0 without one."""
    waiting = Attempt.objects.filter(state=State.LAUNCHING.value, launched_at__isnull=True, granted_at__isnull=False)
    oldest = waiting.order_by("granted_at").values_list("granted_at", flat=True).first()
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def _attempts() -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for run_id, number, state in Attempt.objects.values_list("session__run_id", "number", "state"):
        found.setdefault(run_id.lower(), {})[number] = state
    return found


def _seen_seconds() -> float | None:
    seen = Machine.objects.filter(name=settings.MENTOR_MACHINE).values_list("supervisor_seen_at", flat=True).first()
    return (timezone.now() - seen).total_seconds() if seen else None


def _silent_machines() -> tuple[str, ...]:
    """Other machines that trainings belong to and whose supervisors are not heard of."""
    active = Attempt.objects.filter(state__in=values(ACTIVE)).exclude(session__origin="imported")
    names = active.exclude(machine=None).values_list("machine__name", "machine__supervisor_seen_at").distinct()
    now = timezone.now()
    return tuple(
        name
        for name, seen in names
        if name != settings.MENTOR_MACHINE and (seen is None or (now - seen).total_seconds() > OFFLINE_SECONDS)
    )
