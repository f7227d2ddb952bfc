"""Starting a shim: from any process, also from a daemonic worker with its interrupts ignored."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sessions.runtime.records import Claim
from sessions.runtime.rundir import AttemptDirectory
from sessions.runtime.system import here

PROJECT = Path(__file__).resolve().parents[2]
BOOT = Path(__file__).resolve().with_name("boot.py")
CLAIM_LOOK_SECONDS = 0.02
# What an interpreter and its C library need; nothing of MENTOR's own settings and secrets.
SHIM_VARIABLES = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
]


def trainer_argv(
    interpreter: Path | str, directory: AttemptDirectory, target: str, arguments: Sequence[str]
) -> list[str]:
    """Return the trainer's whole command for the spec; `target` is a module or the path of a script."""
    return [str(interpreter), str(BOOT), str(directory.path.resolve()), target, "--", *arguments]


def spawn_shim(directory: AttemptDirectory) -> None:
    """Start the shim of a prepared attempt; it lives on when the caller ends, however that ends.

    Returns once the shim is detached, before its claim. Raises OSError when it cannot be started.
    """
    # -E and -s: no variable and no folder of the user's may change what the shim imports.
    argv = [sys.executable, "-E", "-s", "-m", "sessions.runtime.shim", str(directory.path.resolve())]
    here.spawn_detached(argv, cwd=PROJECT, env=shim_environment())


def shim_environment() -> dict[str, str]:
    """Return the variables that a shim is given; the trainer is given those of its spec instead."""
    return {name: value for name, value in os.environ.items() if name.upper() in SHIM_VARIABLES}


def wait_for_claim(directory: AttemptDirectory, seconds: float) -> Claim | None:
    """Return the claim on the attempt as soon as there is one, or None after `seconds`."""
    deadline = time.monotonic() + seconds
    while (claim := directory.read_claim()) is None and time.monotonic() < deadline:
        time.sleep(CLAIM_LOOK_SECONDS)
    return claim
