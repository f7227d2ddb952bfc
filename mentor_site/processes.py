"""MENTOR's own processes: started, minded and ended together.

Each child ends when its standard input does, so that nothing is left behind however `up` itself ends. Trainings are
not among them: they belong to their shims.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mentor_site.options import BASE_DIR

END_WITH_STDIN = "--end-with-stdin"
STOP_SECONDS = 20.0
CALM_SECONDS = 30.0
MAX_PAUSE_SECONDS = 30.0


def when_stdin_ends(action: Callable[[], None]) -> None:
    """Call `action` from a thread of its own once the standard input ends."""

    def wait() -> None:
        # Read the descriptor itself: the buffered stream's lock would be held here when the interpreter ends.
        while os.read(0, 4096):
            pass
        action()

    threading.Thread(target=wait, name="stdin", daemon=True).start()


@dataclass
class Child:
    """One of MENTOR's processes and its restarts."""

    name: str
    arguments: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0
    due_at: float = 0.0

    def start(self, now: float) -> None:
        """Start the process, in a group of its own so that a terminal's Ctrl-C reaches `up` alone."""
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(BASE_DIR / "manage.py"), self.name, END_WITH_STDIN, *self.arguments],
            stdin=subprocess.PIPE,
            cwd=BASE_DIR,
            env={**os.environ, **self.variables},
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.started_at = now

    def mind(self, now: float) -> str | None:
        """Start the process if it is due; return a sentence when it died unexpectedly."""
        if self.process is None:
            if now >= self.due_at:
                self.start(now)
            return None
        code = self.process.poll()
        if code is None:
            return None
        # Who was killed from outside would have lived; who keeps failing by itself is given time.
        calm = code < 0 or now - self.started_at > CALM_SECONDS
        self.pause = 0.2 if calm or not self.pause else min(self.pause * 2, MAX_PAUSE_SECONDS)
        self.close()
        self.process, self.due_at = None, now + self.pause
        return f"{self.name} ended with code {code}; it is started again."

    def close(self) -> None:
        """Ask the process to end by ending its standard input."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def end(self, seconds: float) -> None:
        """Wait for the process; kill it when it takes longer than `seconds`."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Minder:
    """Keeps a set of children running until told to stop."""

    children: list[Child]
    say: Callable[[str], None]
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start all children."""
        for child in self.children:
            child.start(time.monotonic())

    def mind(self) -> None:
        """Look after the children once."""
        for child in self.children:
            if (sentence := child.mind(time.monotonic())) is not None:
                self.say(sentence)

    def run_until(self, done: Callable[[], bool], *, pause: float = 0.25) -> None:
        """Look after the children until `done()`, or `stop()` is called."""
        while not self._stopping.is_set() and not done():
            self.mind()
            self._stopping.wait(pause)

    def stop(self) -> None:
        """End `run_until`; safe to call from a signal handler."""
        self._stopping.set()

    def resume(self) -> None:
        """Let `run_until` wait again."""
        self._stopping.clear()

    @property
    def stopped(self) -> bool:
        """Whether `stop()` was called."""
        return self._stopping.is_set()

    def close(self) -> None:
        """End the children in reverse order of their start."""
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            child.close()
        for child in reversed(self.children):
            child.end(deadline - time.monotonic())
