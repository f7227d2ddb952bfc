"""What every running attempt takes of the machine, looked at in one pass and stored as series."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.utils import timezone

from sessions.domain import resources
from sessions.domain.resources import Look, children_by_parent, descendants, readings, seconds_between
from sessions.models import Attempt
from sessions.runtime.evidence import trainer_identities
from sessions.runtime.identity import ProcessIdentity, alive
from sessions.runtime.rundir import AttemptDirectory
from sessions.selectors.disk import folder_bytes
from sessions.selectors.files import kept_bytes
from sessions.services import resources as service
from sessions.services.launching import directory_of
from sessions.supervisor import processes
from sessions.supervisor.gpus import Gpus, GpuUse, of_processes

logger = logging.getLogger(__name__)

DISK_SECONDS = 60.0
# Beyond this many entries the walk ends and what it saw so far counts.
MOST_ENTRIES = 20_000


@dataclass
class Watched:
    """What is remembered of one attempt between two looks; all of it can be forgotten."""

    attempt: Attempt
    last: Look | None = None
    due: float = float("-inf")
    disk_due: float = float("-inf")
    trainer: int | None = None
    directory: AttemptDirectory = field(init=False)

    def __post_init__(self) -> None:
        self.directory = directory_of(self.attempt)

    @property
    def age(self) -> float:
        """Seconds since it was granted its slot."""
        return (timezone.now() - self.attempt.granted_at).total_seconds() if self.attempt.granted_at else 0.0

    def processes(self, children: Mapping[int, list[int]]) -> set[int]:
        """Return the numbers of the attempt's processes: the trainer's and all below it.

        The shim adopts what loses its parent, so all below the shim belongs to the attempt; the shim itself is
        MENTOR's and does not count. Without a shim, what lost its parent is not found here: the cookie would find
        it, but to ask every process for its environment is too dear to do all the time.
        """
        shim, trainer = self.directory.read_shim(), self.directory.read_trainer()
        self.trainer = trainer.pid if trainer is not None else None
        trainers = trainer_identities(trainer, shim)
        if shim is not None:
            own = ProcessIdentity(shim.pid, shim.boot_id, shim.started)
            if alive(own):
                return descendants(children, [shim.pid]) - {shim.pid}
        return descendants(children, {one.pid for one in trainers if alive(one)})


@dataclass
class ResourceWatch:
    """Looks at the process table every few seconds, once for all attempts."""

    gpus: Gpus = field(default_factory=Gpus)
    parents: Callable[[], Mapping[int, int]] = processes.parents
    uses: Callable[[Iterable[int]], tuple[resources.ProcessUse, ...]] = processes.uses
    _watched: dict[int, Watched] = field(default_factory=dict)
    _due: float = float("-inf")

    def tick(self, now: float, attempts: Iterable[Attempt]) -> None:
        """Store what the attempts take if it is time to; `now` is a monotonic clock in seconds."""
        if now < self._due:
            return
        self._due = now + resources.SAMPLE_SECONDS
        self._watched = {one.pk: self._watched.get(one.pk) or Watched(one) for one in attempts}
        due = [one for one in self._watched.values() if one.due <= now]
        if due:
            samples = list(self._samples(due, now))
            if samples:
                service.store(samples)

    def _samples(self, due: Iterable[Watched], now: float) -> Iterator[service.Sample]:
        children = children_by_parent(self.parents())
        on_gpus = self.gpus.uses()
        for one in due:
            one.due = now + seconds_between(one.age)
            pids = one.processes(children)
            values = self._processes(one, pids, now) | _gpu(of_processes(on_gpus, pids))
            if values and one.disk_due <= now:
                one.disk_due = now + DISK_SECONDS
                values[resources.DISK] = float(bytes_of(one))
            if values:
                yield service.Sample(one.attempt.pk, values)

    def _processes(self, one: Watched, pids: Iterable[int], now: float) -> dict[str, float]:
        look = Look(now, self.uses(pids))
        if not look.processes:
            return {}
        before, one.last = one.last, look
        return readings(before, look, trainer=one.trainer)


def _gpu(use: GpuUse) -> dict[str, float]:
    values = {resources.GPU: use.percent, resources.GPU_MEMORY: use.memory}
    return {tag: float(value) for tag, value in values.items() if value is not None}


def bytes_of(one: Watched) -> int:
    """Return the bytes of the attempt's console, of its session's results, links not followed, and of what is kept."""
    console = folder_bytes(one.directory.path, most=100)
    return console + folder_bytes(one.attempt.results, most=MOST_ENTRIES) + kept_bytes(one.attempt.session)
