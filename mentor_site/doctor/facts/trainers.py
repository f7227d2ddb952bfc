"""Facts about GPUs, trainers and environments, asked of programs that may hang, each within its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.conf import settings

from mentor_site.doctor.checks.gpu import Gpus
from mentor_site.doctor.checks.trainers import Build
from mentor_site.doctor.known import Known, KnownEnvironment, KnownTrainer
from mentor_site.options import BASE_DIR
from sessions.services.environments import launched_by_mlagents
from sessions.services.surroundings import trainer_surroundings
from sessions.trainers import installations
from sessions.trainers.kinds import KINDS

NVML_SECONDS = 4.0
KILL_SECONDS = 0.5
CARDS = Path("/sys/bus/pci/devices")
NVIDIA, DISPLAY_CLASS = "0x10de", "0x03"

Value = TypeVar("Value")


class Once(Generic[Value]):
    """A fact that several checks want and that is found once."""

    def __init__(self, find: Callable[[], Value]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._found: list[Value] = []

    def __call__(self) -> Value:
        with self._lock:
            if not self._found:
                self._found.append(self._find())
            return self._found[0]


def gpus() -> Gpus:
    """Return what NVML says, asked in a process of its own: a driver that hangs or crashes takes only that along."""
    try:
        said = _ask_nvml()
    except subprocess.TimeoutExpired:
        return Gpus(problem=f"it was asked, and said nothing for {NVML_SECONDS:.0f} seconds", cards=_cards())
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return Gpus(problem=f"asking it failed ({type(error).__name__})", cards=_cards())
    return Gpus(
        names=tuple(said.get("names", ())),
        memory=tuple(said.get("memory", ())),
        driver=str(said.get("driver", "")),
        cuda=tuple(said.get("cuda", ())),
        problem=str(said.get("problem", "")),
        cards=_cards(),
    )


def _ask_nvml() -> dict[str, Any]:
    command = [sys.executable, "-m", "mentor_site.doctor.nvml"]
    # Not `run`: it would wait for ever for a process that its driver does not let go.
    process = subprocess.Popen(  # noqa: S603
        command, cwd=BASE_DIR, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        answer, _ = process.communicate(timeout=NVML_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=KILL_SECONDS)
        raise
    said: dict[str, Any] = json.loads(answer.decode("utf-8", "replace").strip().splitlines()[-1])
    return said


def _cards() -> int:
    """How many of NVIDIA's cards are plugged in, as far as the system tells without a driver."""
    count = 0
    with suppress(OSError):
        for device in CARDS.iterdir():
            with suppress(OSError):
                vendor = (device / "vendor").read_text(encoding="ascii").strip()
                kind = (device / "class").read_text(encoding="ascii").strip()
                count += vendor == NVIDIA and kind.startswith(DISPLAY_CLASS)
    return count


def trainers_of(known: Known) -> list[KnownTrainer]:
    """Return the trainers that train with ML-Agents: those that are registered, and what is found beside them."""
    registered = [one for one in known.trainers if one.kind == "mlagents"]
    found = installations.find_learn(settings.MENTOR["MENTOR_MLAGENTS_LEARN"])
    interpreter = installations.interpreter_behind(found[0]) if found else None
    if interpreter is not None and str(interpreter) not in {one.interpreter for one in registered}:
        registered = [one for one in registered if one.name != "mlagents"]
        registered.append(KnownTrainer("mlagents", "mlagents", str(interpreter)))
    return registered


def variables() -> Mapping[str, str]:
    """Return the variables that a trainer of ML-Agents would see."""
    extra = settings.MENTOR["MENTOR_PASS_ENVIRONMENT"]
    return trainer_surroundings(extra=extra, variables=KINDS["mlagents"].variables, cookie="")


def build_of(environment: KnownEnvironment) -> Build:
    """Return how the file of an environment stands, without reading it."""
    path = Path(environment.path)
    file = launched_by_mlagents(path) or path
    try:
        about = file.stat()
    except OSError:
        return Build(None)
    return Build(about.st_size, about.st_mtime_ns, sys.platform == "win32" or os.access(file, os.X_OK))
