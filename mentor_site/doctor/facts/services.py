"""Facts about MENTOR's own processes, gathered where they are; what they mean is in `checks.services`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings

from mentor_site.doctor.checks.services import PARTS, Parts, Unit
from mentor_site.doctor.known import Known
from sessions.runtime.locks import holder, is_held

SYSTEMCTL_SECONDS = 5.0
SERVICE = re.compile(r"/([^/]+\.service)(?:/|$)")
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


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


def attempts_in_jobs(known: Known) -> list[str]:
    """Return the unfinished attempts whose shims said that they are in their parent's job."""
    shims = {run_id: directory.read_shim() for run_id, directory in known.active.items()}
    return [run_id for run_id, shim in shims.items() if shim is not None and shim.in_parent_job]


def house_is_up() -> bool:
    """Tell whether `up` runs for this home."""
    return is_held(Path(settings.MENTOR_HOME) / "up.lock")


def parts(known: Known) -> Parts:
    """Return how MENTOR's processes stand; a web process that `up` leaves to others counts as there."""
    pid = holder(Path(settings.MENTOR_HOME) / "up.lock")
    found = list(_parts_of(pid)) if pid else None
    halted = {part: number for part, number, status in found or () if status == psutil.STATUS_STOPPED}
    running = None if found is None else frozenset(part for part, *_ in found)
    return Parts(running, halted, known.supervisor_online, known.seen_seconds)


def _parts_of(pid: int) -> Iterator[tuple[str, int, str]]:
    with suppress(psutil.Error):
        if "--without-web" in psutil.Process(pid).cmdline():
            yield "web", 0, psutil.STATUS_RUNNING
        for child in psutil.Process(pid).children():
            with suppress(psutil.Error):
                command, status = child.cmdline(), child.status()
                yield from ((part, child.pid, status) for part in PARTS if part in command)
