"""mlagents-learn started many times, its modules imported once: each start is a fork of a process that has them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SECONDS = 120.0
SERVER = """\
import json, os, sys
sys.argv = ["mlagents-learn"]
from mlagents.trainers import learn
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
os.chdir(job["folder"])
out = os.open(job["console"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(out, 1)
os.dup2(out, 2)
sys.argv = job["argv"]
learn.main()
"""


class Forks:
    """One such process for each thread that asks; `close` ends them all."""

    def __init__(self) -> None:
        self.own = threading.local()
        self.all: list[subprocess.Popen[str]] = []

    def _server(self) -> subprocess.Popen[str]:
        if not hasattr(self.own, "server"):
            self.own.server = subprocess.Popen(
                [sys.executable, "-c", SERVER],
                env={**os.environ, "PYTHONUTF8": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            self.all.append(self.own.server)
        server: subprocess.Popen[str] = self.own.server
        return server

    def run(self, argv: list[str], *, folder: Path, console: Path) -> int:
        """Run mlagents-learn with these arguments and return its exit code; fails when it does not end."""
        server = self._server()
        assert server.stdin is not None and server.stdout is not None
        job: dict[str, Any] = {"argv": argv, "folder": str(folder), "console": str(console)}
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        ready, _, _ = select.select([server.stdout], [], [], SECONDS)
        assert ready, f"mlagents-learn did not end: {' '.join(argv)}\n{console.read_text(errors='replace')}"
        return int(server.stdout.readline())

    def close(self) -> None:
        for server in self.all:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
            server.communicate()
