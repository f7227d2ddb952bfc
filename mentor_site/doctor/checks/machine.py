"""The machine itself: system, Python, processors, memory, clock, and variables that trainers inherit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mentor_site.doctor.findings import WARNING, Finding, ok

CLOCK_SECONDS = 60.0
MEMORY_BYTES = 2 * 1024**3
GIGABYTE = 1024**3
FEW_DESCRIPTORS = 1024
OLDEST, BEYOND = (3, 10), (3, 13)


@dataclass(frozen=True)
class Machine:
    """What this machine is. Bytes; `memory_limit` is that of a control group, `descriptors` that of open files."""

    system: str
    python: tuple[int, int, int]
    bits: int
    processors: int
    memory: int
    available: int
    memory_limit: int | None = None
    descriptors: int | None = None


def of_python(machine: Machine) -> Iterator[Finding]:
    """The Python that runs MENTOR itself."""
    version = ".".join(map(str, machine.python))
    title = "MENTOR's Python"
    if not OLDEST <= machine.python[:2] < BEYOND:
        yield Finding(
            WARNING,
            title,
            f"MENTOR runs on Python {version}, for which it was not made.",
            "It is tested with Python 3.10 to 3.12.",
            "Make its environment with one of those. Trainers may have another Python.",
        )
    elif machine.bits != 64:
        yield Finding(
            WARNING,
            title,
            f"MENTOR runs on a Python of {machine.bits} bits.",
            "It can use little memory, and neither PyTorch nor ML-Agents are made for it.",
            "Install a Python of 64 bits.",
        )
    else:
        yield ok(title, f"Python {version} on {machine.system}.")


def of_processors(machine: Machine, *, slots: int) -> Iterator[Finding]:
    """Whether there is a processor for each training that may run."""
    title = "Processors"
    if slots > machine.processors:
        yield Finding(
            WARNING,
            title,
            f"{slots} trainings may run at the same time, on {machine.processors} processors.",
            "Each needs about one for the trainer and one for Unity; together they are slower than one after another.",
            "Set MENTOR_MAX_PARALLEL lower.",
        )
    else:
        yield ok(title, f"{machine.processors}, for at most {slots} trainings at the same time.")


def of_memory(machine: Machine) -> Iterator[Finding]:
    """Whether a training would find memory."""
    title = "Memory"
    free = f"{machine.available / GIGABYTE:.1f} of {machine.memory / GIGABYTE:.1f} GB are free."
    if machine.memory_limit is not None and machine.memory_limit < MEMORY_BYTES:
        yield Finding(
            WARNING,
            title,
            f"MENTOR and its trainings may use {machine.memory_limit / GIGABYTE:.1f} GB together (control group).",
            "A trainer with PyTorch takes about 1 GB, and the kernel ends what goes beyond the limit.",
            "Raise the memory limit of the container or the service.",
        )
    elif machine.available < MEMORY_BYTES // 2:
        yield Finding(
            WARNING,
            title,
            free,
            "A trainer with PyTorch takes about 1 GB; without it the system slows down or ends programs.",
            "End other programs.",
        )
    else:
        yield ok(title, free)


def of_descriptors(machine: Machine) -> Iterator[Finding]:
    """How many files a process of MENTOR's may have open."""
    if machine.descriptors is not None and machine.descriptors < FEW_DESCRIPTORS:
        yield Finding(
            WARNING,
            "Open files",
            f"A process may have only {machine.descriptors} files open.",
            "Each page that is watched takes some, and so does each training.",
            "Raise the limit: ulimit -n 4096, or LimitNOFILE=4096 in the unit.",
        )


def of_clock(ahead_seconds: float) -> Iterator[Finding]:
    """The clock went back since MENTOR last wrote a time."""
    if ahead_seconds > CLOCK_SECONDS:
        yield Finding(
            WARNING,
            "Clock",
            f"MENTOR has written times that are {ahead_seconds:.0f} s in the future.",
            "The clock was set back: sessions that wait for a time wait longer, and ages are shown too small.",
            "Let the clock be kept by the network (timedatectl set-ntp true; on Windows, w32tm /resync).",
        )
    else:
        yield ok("Clock", "It has not gone back.")


def of_variables(names: Collection[str]) -> Iterator[Finding]:
    """Variables that trainers inherit and that change what they import."""
    wrong = [name for name in ("PYTHONHOME", "PYTHONPATH") if name in names]
    if wrong:
        yield Finding(
            WARNING,
            "Variables",
            f"{' and '.join(wrong)} {'are' if len(wrong) > 1 else 'is'} set where MENTOR runs.",
            "Trainers inherit it, and import from there before their own packages: versions that fit no longer do.",
            f"Start MENTOR without: unset {' '.join(wrong)}",
        )


def of_display(platform: str, names: Collection[str]) -> Iterator[Finding]:
    """Whether builds have something to draw on."""
    if platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(names):
        yield ok("Display", "There is none: builds need No graphics or a server build, or MENTOR under xvfb-run.")
