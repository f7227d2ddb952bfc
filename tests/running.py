"""A MENTOR that really runs: its processes on a free port with a home of their own."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil

from mentor_site.options import BASE_DIR

# Blocks of ports below those that the system gives to connections; workers that run side by side share none.
BLOCKS = 312
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_blocks = itertools.count(
    (os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()) + _worker * BLOCKS // 2
)
READY_SECONDS = 120.0
T = TypeVar("T")


def own_ports() -> int:
    """Return the first of 64 ports that are this test's own."""
    return 10_000 + next(_blocks) % BLOCKS * 64


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(ask: Callable[[], T | None], *, seconds: float = 60.0, what: str = "it") -> T:
    """Ask until there is an answer that is not None or False; fail with the last one after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


@functools.cache
def empty_database() -> bytes:
    """A database of which only the tables are there. To make them takes longer than all else of a first start."""
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "MENTOR_HOME": home}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), "migrate", "--verbosity=0"], env=environ, check=True
        )
        return Path(home, "mentor.sqlite3").read_bytes()


class RunningMentor:
    """`manage.py up` and a token for its API."""

    def __init__(self, home: Path, *, variables: Mapping[str, str] | None = None, ignore_sigint: bool = False) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ignore_sigint = ignore_sigint
        # Several MENTORs on one machine know nothing of each other's leases.
        own = {"MENTOR_HOME": str(home), "MENTOR_BASE_PORT": str(own_ports())}
        self.environ = {**os.environ, **own, **(variables or {})}
        self.environ.pop("DJANGO_SETTINGS_MODULE", None)
        self.token = ""
        self.link = ""
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(BASE_DIR / "manage.py"), *arguments]

    def call(self, *arguments: str) -> str:
        """Run a command and return what it printed."""
        done = subprocess.run(
            self.manage(*arguments), env=self.environ, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout.strip()

    def start(self, *command: str) -> None:
        """Start `up` (or another command that includes it) and wait for its sign-in link."""
        command = command or ("up", "--no-browser")
        log = self.home.parent / f"{self.home.name}-up.log"
        argv = self.manage(*command, "--port", str(self.port))
        if self.ignore_sigint:
            # What a shell does to a program it starts in the background.
            inner = "import os, signal as s, sys; s.signal(s.SIGINT, s.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
            argv = [sys.executable, "-c", inner, *argv]
        with log.open("ab") as out:
            begin = out.tell()
            self.process = subprocess.Popen(argv, env=self.environ, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

        def link() -> str | None:
            assert self.process is not None
            text = log.read_bytes()[begin:].decode()
            assert self.process.poll() is None, text
            found = re.search(r"http://\S+/accounts/enter/\S+", text)
            return found[0] if found else None

        self.link = eventually(link, seconds=READY_SECONDS, what="the sign-in link")
        self.token = self.token or self.call("token")

    def stop(self) -> None:
        """End `up` and all attempts of this home."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(40)
        for process in self.attempt_processes():
            process.kill()

    def attempt_processes(self) -> list[psutil.Process]:
        """Shims, trainers and environments of this home."""
        found = []
        for process in psutil.process_iter():
            try:
                if any(str(self.home / "runs") in word for word in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def parts(self) -> dict[str, psutil.Process]:
        """MENTOR's own processes by name: up, web, worker, supervise (main processes only)."""
        assert self.process is not None
        up = psutil.Process(self.process.pid)
        named = {"up": up}
        for child in up.children():
            try:
                words = child.cmdline()
            except psutil.Error:
                continue  # just killed
            for name in ("web", "worker", "supervise"):
                if name in words:
                    named[name] = child
        return named

    def ask(self, method: str, path: str, body: Any = None, *, raw: bool = False) -> Any:
        """Call the API; returns the answer's JSON, with the status under "status" when it is an error."""
        request = urllib.request.Request(
            f"{self.url}/api/{path.replace(' ', '%20')}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            return {"status": error.code, **json.loads(error.read())}
        return data if raw else json.loads(data or b"null")

    def wait_until_it_answers(self) -> None:
        """Wait until the web process, which may just have been killed, answers again."""

        def answers() -> bool:
            try:
                return bool(self.ask("GET", "system/"))
            except OSError:
                return False

        eventually(answers, seconds=READY_SECONDS, what="an answer")

    def session(self, run_id: str) -> dict[str, Any]:
        answer = self.ask("GET", f"sessions/{run_id}/")
        assert isinstance(answer, dict)
        return answer

    def wait_for(self, run_id: str, *states: str, seconds: float = 120.0) -> dict[str, Any]:
        """Wait until the session is in one of these states and return it."""
        last: dict[str, Any] = {}

        def there() -> dict[str, Any] | None:
            nonlocal last
            last = self.session(run_id)
            return last if last.get("state") in states else None

        try:
            return eventually(there, seconds=seconds, what=f"{run_id} becoming {' or '.join(states)}")
        except AssertionError as error:
            console = self.ask("GET", f"sessions/{run_id}/log/").get("text", "")
            raise AssertionError(f"{error}; it is {last.get('state')}: {last.get('explanation')}\n{console}") from None

    def console(self, run_id: str) -> str:
        """The whole console through the API, part by part."""
        text = ""
        after = 0
        while True:
            part = self.ask("GET", f"sessions/{run_id}/log/?after={after}&limit=65536")
            text, before, after = text + str(part["text"]), after, part["next_offset"]
            if after == before:
                return text


@contextmanager
def running_mentor(home: Path, **options: Any) -> Iterator[RunningMentor]:
    """A MENTOR for the time of a with block; nothing of it is left behind."""
    mentor = RunningMentor(home, **options)
    database = home / "mentor.sqlite3"
    if not database.exists():
        home.mkdir(parents=True, exist_ok=True)
        database.write_bytes(empty_database())
    try:
        mentor.start()
        yield mentor
    finally:
        mentor.stop()
