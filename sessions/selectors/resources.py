"""What a running session takes of its machine, as it was last seen."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from sessions.domain.resources import CPU, DISK, GPU, GPU_MEMORY, MEMORY, OF_THE_ATTEMPT, PROCESSES
from sessions.domain.states import ACTIVE, State, values
from sessions.models import Series, TrainingSession
from sessions.selectors.shapes import ResourcesShape

FIELDS = {
    "cpu_percent": CPU,
    "memory_bytes": MEMORY,
    "gpu_percent": GPU,
    "gpu_memory_bytes": GPU_MEMORY,
    "disk_bytes": DISK,
    "processes": PROCESSES,
}


def resources_of_running() -> Prefetch[str, QuerySet[Series], str]:
    """Return what fetches the series of running attempts beside them, for `resources_now`: one query for all."""
    running = Series.objects.filter(behavior=OF_THE_ATTEMPT, attempt__state__in=values(ACTIVE))
    return Prefetch("series", queryset=running)


def resources_now(session: TrainingSession) -> ResourcesShape:
    """Return what the session takes; all unknown of one that does not run."""
    attempts = list(session.attempts.all())
    if not attempts or State(attempts[-1].state) not in ACTIVE:
        return ResourcesShape()
    last = {one.tag: one.last_value for one in attempts[-1].series.all() if one.behavior == OF_THE_ATTEMPT}
    return ResourcesShape(**{name: last.get(tag) for name, tag in FIELDS.items()})
