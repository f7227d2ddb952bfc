"""MENTOR's processes on one address, as a value."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from mentor_site.processes import Child, Minder

READY_SECONDS = 60.0


@dataclass
class House:
    """Web, worker and supervisor; `with_web` is false where the web process runs elsewhere."""

    host: str
    port: int
    minder: Minder
    with_web: bool = True

    @classmethod
    def at(cls, host: str, port: int, *, say: Callable[[str], None], with_web: bool = True) -> House:
        """Return the house, not yet started."""
        # Reports made by the worker link to the pages that are served here.
        here = {"MENTOR_HOST": host, "MENTOR_PORT": str(port)}
        web = [Child("web", ["--host", host, "--port", str(port)], here)] if with_web else []
        children = [*web, Child("worker", [], here), Child("supervise", [], here)]
        return cls(host, port, Minder(children, say), with_web)

    def wait_until_ready(self) -> bool:
        """Look after the children until the web process, if it is one of them, answers; return whether it does."""
        if not self.with_web:
            return not self.minder.stopped
        deadline = time.monotonic() + READY_SECONDS
        self.minder.run_until(lambda: self.answers() or time.monotonic() > deadline)
        return self.answers()

    def answers(self) -> bool:
        """Tell whether the web process accepts connections."""
        try:
            with socket.create_connection((self.host, self.port), timeout=0.5):
                return True
        except OSError:
            return False


@contextmanager
def interruptible(minder: Minder) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the wait instead of this process, also where SIGINT was ignored at the start."""

    def leave(number: int, frame: FrameType | None) -> None:
        minder.stop()

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
