"""Faults: processes killed and stopped, tasks delivered twice, shims that come late, a second supervisor."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
from django_q.tasks import async_task

from sessions.domain.states import ACTIVE, ENDED, values
from sessions.models import Attempt
from sessions.runtime.identity import current_boot, identity_of, with_cookie
from sessions.runtime.launch import spawn_shim
from sessions.runtime.records import TrainerRecord
from sessions.runtime.rundir import AttemptDirectory, atomic_write
from sessions.services.launching import LAUNCH_TASK, directory_of
from tests.running import RunningMentor

# A process that has nothing to do with MENTOR and tells of every signal it could survive.
BYSTANDER = """
import signal, sys, time
def tell(number, frame): print(number, flush=True)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1): signal.signal(number, tell)
print("ready", flush=True)
time.sleep(1e6)
"""


class Faults:
    """Strikes at random; knows what it did, and undoes what would last."""

    def __init__(self, mentor: RunningMentor, chance: random.Random, folder: Path) -> None:
        self.mentor, self.chance, self.folder = mentor, chance, folder
        self.counts: Counter[str] = Counter()
        self.kinds: list[tuple[float, str, Callable[[], bool]]] = [
            (3, "web killed", lambda: self._kill_part("web")),
            (6, "supervisor killed", lambda: self._kill_part("supervise")),
            (3, "worker killed", lambda: self._kill_part("worker")),
            (3, "part of the worker killed", self._kill_part_of_worker),
            (0.3, "up killed and started again", self._restart),
            (2, "supervisor held", lambda: self._hold(self._part("supervise"))),
            (2, "worker held", lambda: self._hold(self._part("worker"))),
            (1, "web held", lambda: self._hold(self._part("web"))),
            (10, "shim killed", lambda: self._kill(self._shim())),
            (8, "shim held", lambda: self._hold(self._shim())),
            (8, "trainer killed", lambda: self._kill(self._trainer())),
            (8, "trainer held", lambda: self._hold(self._trainer())),
            (4, "environment killed", lambda: self._kill(self._environment())),
            (3, "launch delivered again", self._deliver_again),
            (2, "shim spawned once more", self._spawn_again),
            (0.4, "shim held before its claim", self._hold_before_claim),
            (0.5, "second supervisor", self._second_supervisor),
            (4, "trainer's number forged", self._forge),
        ]
        self.timers: list[threading.Thread] = []
        self.over = threading.Event()
        self.bystanders = [self._bystander() for _ in range(2)]

    def strike(self) -> None:
        """Do one thing at random, if there is somebody it can be done to."""
        _, name, act = self.chance.choices(self.kinds, [weight for weight, _, _ in self.kinds])[0]
        with contextlib.suppress(psutil.Error, OSError, subprocess.SubprocessError):
            if act():
                self.counts[name] += 1

    def end(self) -> None:
        """Let everybody go on who is held."""
        self.over.set()
        for timer in self.timers:
            timer.join(60)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def wait() -> None:
            self.over.wait(seconds)
            with contextlib.suppress(psutil.Error, OSError):
                act()

        self.timers = [timer for timer in self.timers if timer.is_alive()]
        self.timers.append(threading.Thread(target=wait, daemon=True))
        self.timers[-1].start()

    # Who

    def _part(self, name: str) -> psutil.Process | None:
        return self.mentor.parts().get(name)

    def _attempt(self) -> Attempt | None:
        found = Attempt.objects.filter(state__in=values(ACTIVE)).select_related("session")
        return self.chance.choice(list(found) or [None])

    def _shim(self) -> psutil.Process | None:
        attempt = self._attempt()
        claim = directory_of(attempt).read_claim() if attempt else None
        return self._of_attempt(claim.pid, attempt) if claim and attempt and not claim.void else None

    def _trainer(self) -> psutil.Process | None:
        attempt = self._attempt()
        shim = directory_of(attempt).read_shim() if attempt else None
        return self._of_attempt(shim.trainer_pid, attempt) if shim and attempt else None

    def _environment(self) -> psutil.Process | None:
        attempt = self._attempt()
        if attempt is None:
            return None
        trainer = directory_of(attempt).read_shim()
        others = [pid for pid in with_cookie(attempt.cookie) if trainer and pid != trainer.trainer_pid]
        return psutil.Process(self.chance.choice(others)) if others else None

    def _of_attempt(self, pid: int, attempt: Attempt) -> psutil.Process | None:
        """The process with this number, if it is one of the attempt's: numbers are given away again."""
        process = psutil.Process(pid)
        return process if any(str(directory_of(attempt).path) in word for word in process.cmdline()) else None

    # What

    def _kill(self, process: psutil.Process | None) -> bool:
        if process is None:
            return False
        process.kill()
        return True

    def _hold(self, process: psutil.Process | None) -> bool:
        if process is None:
            return False
        process.suspend()
        self._later(self.chance.uniform(0.3, 5.0), process.resume)
        return True

    def _kill_part(self, name: str) -> bool:
        """Mostly after it was calm for a while: `up` starts again what keeps dying at growing pauses."""
        part = self._part(name)
        if part is None or time.time() - part.create_time() < self.chance.choice([1, 31, 31]):
            return False
        return self._kill(part)

    def _kill_part_of_worker(self) -> bool:
        worker = self._part("worker")
        if worker is None or time.time() - worker.create_time() < 31:
            return False
        parts = [one for one in worker.children(recursive=True) if "worker" in one.cmdline()]
        return bool(parts) and self._kill(self.chance.choice(parts))

    def _restart(self) -> bool:
        assert self.mentor.process is not None
        self.mentor.process.kill()
        self.mentor.process.wait(30)
        for _ in range(3):
            try:
                self.mentor.start()
                return True
            except AssertionError:
                self.mentor.process.kill()  # a busy machine: once more
                self.mentor.process.wait(30)
        raise AssertionError("MENTOR does not start any more")

    def _deliver_again(self) -> bool:
        """Enqueue a launch once more, several times, of an attempt in whatever state."""
        found = Attempt.objects.order_by("-pk")[:20]
        if not found:
            return False
        attempt = self.chance.choice(list(found))
        for _ in range(self.chance.randint(2, 8)):
            async_task(LAUNCH_TASK, attempt.pk)
        return True

    def _spawn_again(self) -> bool:
        """Start a further shim for an attempt that was claimed, may never start, or is over."""
        recent = Attempt.objects.filter(state__in=values(ACTIVE | ENDED)).select_related("session").order_by("-pk")[:20]
        ready = [directory for one in recent if (directory := directory_of(one)).claim.exists()]
        if not ready:
            return False
        spawn_shim(self.chance.choice(ready))
        return True

    def _hold_before_claim(self) -> bool:
        """Catch the next shim before its claim, and let it go on only when it may not start any more."""
        self._later(0.0, self._catch)
        return True

    def _catch(self) -> None:
        known = set(self._shims())
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not self.over.is_set():
            for pid in set(self._shims()) - known:
                process = psutil.Process(pid)
                directory = AttemptDirectory(Path(process.cmdline()[-1]))
                process.suspend()
                if directory.claim.exists():
                    process.resume()
                    continue
                self.counts["shim caught before its claim"] += 1
                while not directory.claim.exists() and not self.over.wait(0.5):
                    pass
                process.resume()
                return
            time.sleep(0.01)

    def _shims(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit():
                    words = (entry / "cmdline").read_bytes()
                    if b"sessions.runtime.shim" in words and str(self.mentor.home).encode() in words:
                        found.append(int(entry.name))
        return found

    def _second_supervisor(self) -> bool:
        with (self.folder / "second-supervisor.log").open("ab") as log:
            second = subprocess.Popen(
                self.mentor.manage("supervise"),
                env=self.mentor.environ,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

        def end() -> None:
            second.kill()
            second.wait(30)

        self._later(self.chance.uniform(3, 15), end)
        return True

    def _forge(self) -> bool:
        """Let an attempt's files say that its trainer is a process that is none of MENTOR's."""
        attempt = self._attempt()
        if attempt is None or not (directory := directory_of(attempt)).train_json.exists():
            return False
        bystander = self.chance.choice(self.bystanders)
        identity = identity_of(bystander.pid)
        assert identity is not None, "a bystander is dead"
        forged = TrainerRecord(bystander.pid, current_boot(), identity.started + self.chance.choice([-1, 1]))
        atomic_write(directory.train_json, asdict(forged))
        return True

    def _bystander(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", BYSTANDER], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def harmed_bystanders(self) -> list[str]:
        """End the bystanders and tell what happened to them before."""
        harmed = []
        for process in self.bystanders:
            if process.poll() is not None:
                harmed.append(f"bystander {process.pid} ended with {process.returncode}")
            process.send_signal(signal.SIGKILL)
            told, _ = process.communicate()
            if told:
                harmed.append(f"bystander {process.pid} was sent the signals {told.split()}")
        return harmed
