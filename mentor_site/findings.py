"""What `doctor` makes of the facts about a machine: pure functions, each finding with its reason and its fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sessions.domain.trouble import BEHIND, Trouble

ERROR, WARNING = "error", "warning"
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "9p", "fuse.sshfs", "webdav"}
SYNCED_FOLDERS = re.compile(r"onedrive|dropbox|google ?drive|icloud|nextcloud|pcloud|syncthing", re.IGNORECASE)
INITS = {"init", "systemd", "tini", "dumb-init", "catatonit", "docker-init", "s6-svscan", "podman-init", "launchd"}
CLOCK_SECONDS = 60.0
LAUNCH_SECONDS = 60.0
PARTS = ("web", "worker", "supervise")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or will be: what, why it matters, and what to do about it."""

    kind: str
    what: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Unit:
    """The systemd unit in whose control group MENTOR runs."""

    name: str
    kill_mode: str


@dataclass(frozen=True)
class Home:
    """Where MENTOR_HOME lies. Bytes; `file_system` is the type's name, empty when it is not known."""

    path: str
    file_system: str
    free: int
    reserve: int
    unknown_runs: int


@dataclass(frozen=True)
class Ports:
    """Ports that another program holds."""

    editor_taken: bool
    base_taken: bool
    base_port: int
    web_taken: bool
    web_port: int


def of_unit(unit: Unit | None) -> Iterator[Finding]:
    """A service that ends its whole control group ends the trainings in it."""
    if unit is not None and unit.kill_mode not in ("process", "none"):
        yield Finding(
            ERROR,
            f"{unit.name} has KillMode={unit.kill_mode}.",
            "Restarting the service ends every training in its control group, without saving.",
            "Add KillMode=process under [Service], as deploy/mentor.service has it; then systemctl daemon-reload.",
        )


def of_container(in_container: bool, first_process: str) -> Iterator[Finding]:
    """In a container nobody but its first process collects what shims leave."""
    if not in_container:
        return
    if first_process not in INITS:
        yield Finding(
            WARNING,
            f"The container's first process is {first_process or 'not known'}, which is no init.",
            "Processes that ended are not collected, and a signal to the container may reach nobody.",
            "Start the container with --init (compose: init: true).",
        )
    yield Finding(
        WARNING,
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
            f"These trainings are in the job of the program that started MENTOR: {names}.",
            "They end when that program does: a terminal of an editor, a CI runner, a service wrapper.",
            "Start MENTOR at logon with deploy/windows/register-task.ps1, or from a plain terminal.",
        )


def of_home(home: Home) -> Iterator[Finding]:
    """Databases and locks want a disk of this machine, with room on it."""
    if home.path.startswith(("\\\\", "//")) or home.file_system.lower() in NETWORK_FILE_SYSTEMS:
        yield Finding(
            ERROR,
            f"{home.path} lies on another machine.",
            "SQLite and the locks by which living trainings are known are not safe on network drives.",
            "Set MENTOR_HOME to a folder on a disk of this machine.",
        )
    if (synced := SYNCED_FOLDERS.search(home.path)) is not None:
        yield Finding(
            WARNING,
            f"{home.path} lies in a folder that {synced[0]} keeps in step.",
            "Such programs hold, move and copy files while they are written; a database does not survive that.",
            "Set MENTOR_HOME to a folder outside of it.",
        )
    if home.free < home.reserve:
        yield Finding(
            WARNING,
            f"Only {home.free / 1024**3:.1f} GB are free for {home.path}.",
            f"Below {home.reserve / 1024**3:.1f} GB nothing is started, and what trains is stopped while it can save.",
            "Make room, or set MENTOR_HOME to a larger disk. MENTOR_DISK_RESERVE_MB is the limit.",
        )
    if home.unknown_runs:
        yield Finding(
            WARNING,
            f"The database does not know everything of {home.unknown_runs} runs in {home.path}.",
            "Their history is on the disk, and not on any page.",
            "Stop MENTOR, then run manage.py recover.",
        )


def of_database(trouble: Trouble | None) -> Iterator[Finding]:
    """What keeps the database from being used."""
    if trouble is not None:
        kind = WARNING if trouble.passing or trouble is BEHIND else ERROR
        yield Finding(
            kind, trouble.detail, "Until then no page shows what trains, and nothing is started.", trouble.hint
        )


def of_clock(ahead_seconds: float) -> Iterator[Finding]:
    """The clock went back since MENTOR last wrote a time."""
    if ahead_seconds > CLOCK_SECONDS:
        yield Finding(
            WARNING,
            f"MENTOR has written times that are {ahead_seconds:.0f} s in the future.",
            "The clock was set back: sessions that wait for a time wait longer, and ages are shown too small.",
            "Let the clock be kept by the network (timedatectl set-ntp true; on Windows, w32tm /resync).",
        )


def of_ports(ports: Ports, *, mentor_runs: bool) -> Iterator[Finding]:
    """Ports that trainings, or the pages, would need."""
    if ports.web_taken and not mentor_runs:
        yield Finding(
            WARNING,
            f"Port {ports.web_port} is used by another program.",
            "The pages cannot be served there.",
            "End that program, or set MENTOR_PORT to another port.",
        )
    if ports.editor_taken:
        yield Finding(
            WARNING,
            "Port 5004 is used by a program that is no training of MENTOR's.",
            "No session can wait for the Unity Editor.",
            "End it; most often it is an mlagents-learn that was started in a terminal.",
        )
    if ports.base_taken:
        yield Finding(
            WARNING,
            f"Port {ports.base_port} is used by a program that is no training of MENTOR's.",
            "Trainings with a build are given the ports behind it, which works, but may surprise.",
            "End it, or set MENTOR_BASE_PORT to another port.",
        )


def of_parts(running: frozenset[str] | None, supervisor_online: bool, launch_waits: float) -> Iterator[Finding]:
    """MENTOR's own processes. `running` is None where `up` cannot be found, `launch_waits` in seconds."""
    if running is None and not supervisor_online:
        yield Finding(
            WARNING, "MENTOR does not run.", "Nothing is started and nothing stored.", "Start it: manage.py up"
        )
        return
    missing = [part for part in PARTS if running is not None and part not in running]
    if missing:
        yield Finding(
            WARNING,
            f"MENTOR runs without its {' and '.join(missing)} process.",
            "up starts again what dies, after a pause that grows while it keeps dying.",
            "Look at the messages in the terminal, or in the journal, of manage.py up.",
        )
    elif not supervisor_online:
        yield Finding(
            WARNING,
            "The supervisor's process runs, but has not been heard of for a while.",
            "Trainings go on; what they write is stored once it can write to the database.",
            "Look at its messages in the terminal, or in the journal, of manage.py up.",
        )
    if launch_waits > LAUNCH_SECONDS:
        yield Finding(
            WARNING,
            f"A launch has waited {launch_waits:.0f} s for the worker.",
            "Sessions stay in the state launching.",
            "Restart MENTOR; trainings go on meanwhile.",
        )
