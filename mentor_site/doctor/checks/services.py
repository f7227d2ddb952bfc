"""MENTOR's own processes, and what starts and ends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mentor_site.doctor.findings import ERROR, WARNING, Finding, ok

INITS = {"init", "systemd", "tini", "dumb-init", "catatonit", "docker-init", "s6-svscan", "podman-init", "launchd"}
LAUNCH_SECONDS = 60.0
PARTS = ("web", "worker", "supervise")
PROCESSES = "MENTOR's processes"
MESSAGES = "Look at the messages in the terminal, or in the journal, of manage.py up."


@dataclass(frozen=True)
class Unit:
    """The systemd unit in whose control group MENTOR runs."""

    name: str
    kill_mode: str


@dataclass(frozen=True)
class Parts:
    """How MENTOR's processes stand.

    `running` is None where `up` cannot be found; `halted` are the numbers of those that a signal stopped.
    """

    running: frozenset[str] | None
    halted: Mapping[str, int]
    supervisor_online: bool
    seen_seconds: float | None = None


def of_unit(unit: Unit | None) -> Iterator[Finding]:
    """A service that ends its whole control group ends the trainings in it."""
    if unit is not None and unit.kill_mode not in ("process", "none"):
        yield Finding(
            ERROR,
            "KillMode",
            f"{unit.name} has KillMode={unit.kill_mode}.",
            "Restarting the service ends every training in its control group, without saving.",
            "Add KillMode=process under [Service], as deploy/mentor.service has it; then systemctl daemon-reload.",
        )
    elif unit is not None:
        yield ok("KillMode", f"A restart of {unit.name} leaves trainings alone.")


def of_container(in_container: bool, first_process: str) -> Iterator[Finding]:
    """In a container nobody but its first process collects what shims leave."""
    if not in_container:
        return
    if first_process not in INITS:
        yield Finding(
            WARNING,
            "First process",
            f"The container's first process is {first_process or 'not known'}, which is no init.",
            "Processes that ended are not collected, and a signal to the container may reach nobody.",
            "Start the container with --init (compose: init: true).",
        )
    yield Finding(
        WARNING,
        "Container",
        "MENTOR runs in a container.",
        "Trainings end with the container that holds worker and supervisor, whatever else is restarted.",
        "Serve the pages from a container of their own, as deploy/compose.yaml does, and restart only that one.",
    )


def of_jobs(attempts: Iterable[str]) -> Iterator[Finding]:
    """On Windows, shims that could not leave their parent's job end with it."""
    names = ", ".join(attempts)
    if names:
        yield Finding(
            WARNING,
            "Job",
            f"These trainings are in the job of the program that started MENTOR: {names}.",
            "They end when that program does: a terminal of an editor, a CI runner, a service wrapper.",
            "Start MENTOR at logon with deploy/windows/register-task.ps1, or from a plain terminal.",
        )


def of_parts(parts: Parts) -> Iterator[Finding]:
    """Which of MENTOR's processes are there, and whether they answer."""
    missing = [part for part in PARTS if parts.running is not None and part not in parts.running]
    if parts.running is None and not parts.supervisor_online:
        yield Finding(
            WARNING,
            PROCESSES,
            "MENTOR does not run.",
            "Nothing is started and nothing stored.",
            "Start it: manage.py up",
        )
    elif missing:
        yield Finding(
            WARNING,
            PROCESSES,
            f"MENTOR runs without its {' and '.join(missing)} process.",
            "up starts again what dies, after a pause that grows while it keeps dying.",
            MESSAGES,
        )
    elif parts.halted:
        names = " and ".join(sorted(parts.halted))
        yield Finding(
            WARNING,
            PROCESSES,
            f"The {names} process was halted by a signal (SIGSTOP), and does nothing.",
            "Trainings go on; nothing is started or stored until it goes on too.",
            f"Let it go on: kill -CONT {' '.join(str(parts.halted[name]) for name in sorted(parts.halted))}",
        )
    elif not parts.supervisor_online:
        yield Finding(
            WARNING,
            PROCESSES,
            "The supervisor's process runs, but has not been heard of for a while.",
            "Trainings go on; what they write is stored once it can write to the database.",
            MESSAGES,
        )
    else:
        yield ok(PROCESSES, _all_there(parts))


def _all_there(parts: Parts) -> str:
    seen = "" if parts.seen_seconds is None else f" The supervisor was seen {max(0.0, parts.seen_seconds):.0f} s ago."
    return f"They run.{seen}"


def of_launches(seconds: float) -> Iterator[Finding]:
    """Launches that no worker takes; `seconds` is how long the oldest has waited."""
    if seconds > LAUNCH_SECONDS:
        yield Finding(
            WARNING,
            "Launches",
            f"A launch has waited {seconds:.0f} s for the worker.",
            "Sessions stay in the state launching.",
            "Restart MENTOR; trainings go on meanwhile.",
        )
    else:
        yield ok("Launches", "None waits for the worker.")


def of_machines(silent: Iterable[str], *, here: str) -> Iterator[Finding]:
    """Trainings of machines whose supervisor nobody hears of, as after this one was given another name."""
    for name in silent:
        yield Finding(
            WARNING,
            "Machines",
            f"Trainings belong to the machine {name}, whose supervisor is not heard of.",
            f"Nobody follows or ends them. This machine calls itself {here}.",
            f"Start MENTOR on {name}; if it is this machine, give it its old name back until they have ended.",
        )


def of_restore(unfinished: bool) -> Iterator[Finding]:
    """A restore that was interrupted while it moved in."""
    if unfinished:
        yield Finding(
            ERROR,
            "Restore",
            "A restore was interrupted while it moved in.",
            "Some of what is in MENTOR_HOME is from before, and some from the backup.",
            "Stop MENTOR, then start it again with manage.py up: it finishes the restore first.",
        )
