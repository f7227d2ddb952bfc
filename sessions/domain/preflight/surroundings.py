"""Checks of the machine: GPU, display, memory, disk, ports, paths."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sessions.domain.command import RESERVED
from sessions.domain.disk import Room, room_left
from sessions.domain.preflight.checks import Check, Level, passed
from sessions.domain.preflight.installed import Installed

MEBIBYTE = 1024 * 1024
# What a trainer with PyTorch takes before it learns, and the least that a Unity player takes.
TRAINER_BYTES, PLAYER_BYTES = 800 * MEBIBYTE, 150 * MEBIBYTE
# Windows counts the character that ends a path as well.
WINDOWS_PATH_CHARACTERS = 260
NAME_BYTES = 255
NOT_IN_NAMES_OF_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]')
LONGEST_STEP = 12
EVENT_FILE = "events.out.tfevents.1700000000.a-machine-of-some-name.1234567.0"
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True)
class GpuFacts:
    """The names of the machine's GPUs, and what was asked for: a device, or none, which leaves it to PyTorch."""

    names: Sequence[str]
    device: str | None


def check_gpu(gpus: GpuFacts, installed: Installed) -> Check:
    """Say whether the device that was asked for is there, and PyTorch built for it."""
    title, device = "GPU", gpus.device or ""
    if device.startswith("cuda"):
        if installed.cuda == "":
            found = f"PyTorch {installed.packages.get('torch', '')} was built without CUDA; {device} cannot be used."
            return Check("gpu", title, Level.ERROR, found, "Choose cpu, or install a CUDA build of torch.", "device")
        number = int(device.partition(":")[2] or 0)
        if not gpus.names:
            found = f"{device} was asked for, but no NVIDIA GPU is known on this machine."
            return Check("gpu", title, Level.WARNING, found, "Choose cpu, or look at the driver with nvidia-smi.")
        if number >= len(gpus.names):
            found = f"There is no {device}: the machine has {len(gpus.names)} GPU{'s' * (len(gpus.names) > 1)}."
            return Check("gpu", title, Level.ERROR, found, f"The last is cuda:{len(gpus.names) - 1}.", "device")
        return passed("gpu", title, f"{device} is {gpus.names[number]}.")
    if gpus.names and not device and installed.cuda == "":
        found = f"{gpus.names[0]} stays idle: PyTorch was built without CUDA."
        return Check("gpu", title, Level.WARNING, found, "Install a CUDA build of torch, if the network is large.")
    return passed("gpu", title, "PyTorch chooses between GPU and CPU." if gpus.names and not device else "On the CPU.")


def check_display(*, platform: str, variables: Mapping[str, str], no_graphics: bool, native: bool) -> Check:
    """Say whether a player that draws has something to draw on; `native` is a program of the system, not a script."""
    title = "Display"
    if no_graphics:
        return passed("display", title, "The environment draws nothing.")
    if platform != "linux" or not native or any(variables.get(name) for name in DISPLAYS):
        return passed("display", title, "The environment may draw.")
    return Check(
        "display",
        title,
        Level.WARNING,
        "This machine has no display, and the environment would draw: only a server build starts so.",
        "Tick No graphics, or start MENTOR under xvfb-run when the agents use cameras.",
        "no_graphics",
    )


def check_memory(available: int | None, *, players: int, torch: bool) -> Check:
    """Say whether the free memory (bytes) is more than the least that a training takes."""
    needed = players * PLAYER_BYTES + (TRAINER_BYTES if torch else 0)
    if available is None or available >= needed:
        free = "" if available is None else f"{available / MEBIBYTE:,.0f} MB are free."
        return passed("memory", "Memory", free or "The system does not tell.")
    found = f"{available / MEBIBYTE:,.0f} MB of memory are free; this training takes {needed / MEBIBYTE:,.0f} or more."
    return Check(
        "memory", "Memory", Level.WARNING, found, "End other programs, or take fewer environments.", "num_envs"
    )


def check_disk(free: int | None, reserve: int) -> Check:
    """Say whether there is room for results; `free` and `reserve` in bytes."""
    room = room_left(free, reserve)
    if free is None or room is Room.ENOUGH:
        return passed("disk", "Disk", "" if free is None else f"{free / 1024**3:,.1f} GB are free.")
    found = f"{free / 1024**3:.1f} GB are free where results are written."
    if room is Room.SHORT:
        found += " That is less than the reserve: the session would wait."
    return Check("disk", "Disk", Level.WARNING, found, "Make room; MENTOR_DISK_RESERVE_MB is the reserve.")


def check_paths(behaviors: Collection[str], folder: str, *, platform: str) -> Check:
    """Say whether what a training writes below `folder` can have the names it will have."""
    title = "Names and paths"
    for name in behaviors:
        if (wrong := _name_problem(name, platform)) is not None:
            return Check("paths", title, Level.ERROR, wrong, "Give the behavior another name, also in Unity.", "config")
    longest = max((len(folder) + 1 + len(path) for path in map(_longest_below, behaviors)), default=len(folder))
    if platform == "win32" and longest + 1 > WINDOWS_PATH_CHARACTERS:
        found = f"The longest path will have about {longest} characters; Windows takes {WINDOWS_PATH_CHARACTERS - 1}."
        fix = "Shorten the run id, set MENTOR_RESULTS_DIR to a short folder, or turn long paths on in Windows."
        return Check("paths", title, Level.WARNING, found, fix, "run_id")
    return passed("paths", title, "All files can have the names that they will have.")


def _longest_below(behavior: str) -> str:
    checkpoint = f"{behavior}/{behavior}-{'9' * LONGEST_STEP}.onnx"
    return max(checkpoint, f"{behavior}/{EVENT_FILE}", key=len)


def _name_problem(name: str, platform: str) -> str | None:
    if len(f"{name}-{'9' * LONGEST_STEP}.onnx".encode()) > NAME_BYTES:
        return f"The behavior {name[:40]}… has too long a name: its files could not be written."
    if platform != "win32":
        return None
    if RESERVED.fullmatch(name):
        return f"Windows reserves the name {name}; its folder could not be made."
    if (found := NOT_IN_NAMES_OF_WINDOWS.search(name)) is not None:
        return f"Windows allows no {found[0]!r} in a name, and the behavior {name} has one."
    if name.endswith((" ", ".")):
        return f"Windows cuts off what the name of the behavior {name!r} ends with."
    return None
