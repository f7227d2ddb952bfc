"""Facts about this machine for `doctor`, gathered where they are; what they mean is in `findings`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings
from django.utils import timezone

from mentor_site.findings import PARTS, Home, Ports, Unit
from sessions.domain.queue import EDITOR_PORT
from sessions.domain.states import ACTIVE, State, values
from sessions.domain.trouble import GONE, Trouble
from sessions.models import Attempt, Machine, PortLease
from sessions.runtime.locks import holder, is_held
from sessions.selectors.database import database_trouble
from sessions.selectors.disk import reserve_bytes
from sessions.selectors.remains import runs_in
from sessions.services.launching import directory_of
from sessions.services.queue import port_is_free
from sessions.supervisor.recovering import unknown_runs

SYSTEMCTL_SECONDS = 5.0
SERVICE = re.compile(r"/([^/]+\.service)(?:/|$)")
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def trouble_with_database() -> Trouble | None:
    """Return what is the matter with the database; a new installation has none yet, and that is as it should be."""
    trouble = database_trouble()
    return None if trouble is GONE and not runs_in(Path(settings.MENTOR_HOME)) else trouble


def home() -> Home:
    """Return where MENTOR_HOME lies."""
    path = Path(settings.MENTOR_HOME)
    return Home(
        path=str(path),
        file_system=file_system_of(path),
        free=shutil.disk_usage(path).free,
        reserve=reserve_bytes(),
        unknown_runs=len(list(unknown_runs(path))),
    )


def file_system_of(path: Path) -> str:
    """Return the type of the file system, by the longest mount point above `path`."""
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next((mounts[parent] for parent in (path, *path.parents) if parent in mounts), "")


def unit() -> Unit | None:
    """Return the systemd unit in whose control group MENTOR runs: the supervisor's, or without one this process's."""
    pid = holder(Path(settings.MENTOR_HOME) / "supervisor.lock") or os.getpid()
    try:
        name, by_user = unit_in(Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii", errors="replace"))
    except OSError:
        return None
    mode = _kill_mode(name, by_user=by_user) if name else ""
    return Unit(name, mode) if mode else None


def unit_in(cgroup: str) -> tuple[str, bool]:
    """Return the innermost service in the text of a `/proc/<pid>/cgroup`, and whether a user's systemd runs it."""
    for line in cgroup.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        services = SERVICE.findall(path) if controllers in ("", "name=systemd") else []
        own = [name for name in services if not name.startswith("user@")]
        if own:
            return own[-1], len(own) < len(services)
    return "", False


def _kill_mode(name: str, *, by_user: bool) -> str:
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return ""
    command = [systemctl, *(["--user"] if by_user else []), "show", "--property=KillMode", "--value", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SYSTEMCTL_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def in_container() -> bool:
    """Tell whether this machine is a container."""
    return any(Path(mark).exists() for mark in CONTAINER_MARKS) or "KUBERNETES_SERVICE_HOST" in os.environ


def first_process() -> str:
    """Return the name of process 1; empty where it cannot be asked."""
    try:
        return psutil.Process(1).name()
    except psutil.Error:
        return ""


def attempts_in_jobs() -> list[str]:
    """Return the unfinished attempts whose shims said that they are in their parent's job."""
    active = (
        Attempt.objects.filter(state__in=values(ACTIVE)).exclude(session__origin="imported").select_related("session")
    )
    return [
        attempt.session.run_id
        for attempt in active
        if (shim := directory_of(attempt).read_shim()) is not None and shim.in_parent_job
    ]


def seconds_in_the_future() -> float:
    """Return how far the latest time that MENTOR wrote lies ahead of the clock; 0 when it does not."""
    seen = Machine.objects.filter(name=settings.MENTOR_MACHINE).values_list("supervisor_seen_at", flat=True).first()
    moments = [seen.timestamp()] if seen else []
    with suppress(OSError):
        moments.append((Path(settings.MENTOR_HOME) / "supervisor.lock").stat().st_mtime)
    return max(0.0, max(moments, default=0.0) - time.time())


def ports() -> Ports:
    """Return which ports programs hold that are not MENTOR's trainings."""
    leased = set(PortLease.objects.values_list("port", flat=True))
    base: int = settings.MENTOR["MENTOR_BASE_PORT"]
    return Ports(
        editor_taken=EDITOR_PORT not in leased and not port_is_free(EDITOR_PORT),
        base_taken=base not in leased and not port_is_free(base),
        base_port=base,
        web_taken=_listens(settings.MENTOR["MENTOR_PORT"]),
        web_port=settings.MENTOR["MENTOR_PORT"],
    )


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def house_is_up() -> bool:
    """Tell whether `up` runs for this home."""
    return is_held(Path(settings.MENTOR_HOME) / "up.lock")


def running_parts() -> frozenset[str] | None:
    """Return which of MENTOR's processes `up` has; None where it does not run or cannot be asked.

    A web process that `up` leaves to others counts as there.
    """
    pid = holder(Path(settings.MENTOR_HOME) / "up.lock")
    return frozenset(_parts_of(pid)) if pid else None


def _parts_of(pid: int) -> Iterator[str]:
    with suppress(psutil.Error):
        if "--without-web" in psutil.Process(pid).cmdline():
            yield "web"
        for child in psutil.Process(pid).children():
            with suppress(psutil.Error):
                yield from (part for part in PARTS if part in child.cmdline())


def longest_wait_for_a_launch() -> float:
    """Return how many seconds the oldest launch that no worker took has waited; 0 without one."""
    waiting = Attempt.objects.filter(state=State.LAUNCHING.value, launched_at__isnull=True, granted_at__isnull=False)
    oldest = waiting.order_by("granted_at").values_list("granted_at", flat=True).first()
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0
