"""Which process is meant: a number alone is given away again, with boot and start time it is not."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial

from sessions.runtime.records import COOKIE_VARIABLE
from sessions.runtime.system import here

REAP_SECONDS = 10.0
REAP_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class ProcessIdentity:
    """One process for all time. `started` is in the system's own unit; 0 means that it is not known."""

    pid: int
    boot_id: str
    started: int


def current_boot() -> str:
    """Return the name of this machine's current boot; empty when the system does not tell."""
    return here.boot_id()


def identity_of(pid: int) -> ProcessIdentity | None:
    """Return the identity of a living process; None when there is none (or a zombie)."""
    started = here.started_at(pid)
    return None if started is None else ProcessIdentity(pid, current_boot(), started)


def own_identity() -> ProcessIdentity:
    """Return the identity of this process."""
    return identity_of(os.getpid()) or ProcessIdentity(os.getpid(), current_boot(), 0)


def alive(identity: ProcessIdentity) -> bool:
    """Tell whether that very process lives: another with its number, or of another boot, is not it."""
    if identity.pid <= 0 or identity.started == 0:
        return False
    return identity_of(identity.pid) == identity


def _is_of(cookie: str, own_children: set[int], pid: int) -> bool:
    # The number of an own child cannot be given away before this process has collected it.
    return pid in own_children or here.was_given(pid, _entry(cookie))


def _entry(cookie: str) -> str:
    return f"{COOKIE_VARIABLE}={cookie}"


def with_cookie(cookie: str) -> list[int]:
    """Return the processes that were started for the attempt with this cookie, except this one."""
    return sorted(here.pids_with(_entry(cookie))) if cookie else []


def reap(cookie: str, *, seconds: float = REAP_SECONDS, children_too: bool = False) -> list[int]:
    """Kill every process of the attempt with this cookie until none is left, for at most `seconds`.

    With `children_too` every child of this process is one of them, also if it hides its environment.
    Returns the numbers of those that were killed.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + seconds
    while True:
        own = set(here.children_of(os.getpid())) if children_too else set()
        found = own | set(with_cookie(cookie))
        killed |= {pid for pid in found if here.kill(pid, partial(_is_of, cookie, own, pid))}
        if not found or time.monotonic() > deadline:
            return sorted(killed)
        time.sleep(REAP_LOOK_SECONDS)
