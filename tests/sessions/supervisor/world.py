"""A machine made of steps: shims and trainers that do one thing at a time on real files, and can die between any two.

Who lives and who holds a lock is known here instead of to a kernel; everything else is on the disk.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from sessions.runtime import evidence, files
from sessions.runtime.files import create_once, size_and_crc32
from sessions.runtime.records import BY_SHIM, Claim, ExitRecord, LaunchSpec, ShimRecord, TrainerRecord, TrainExit
from sessions.runtime.rundir import AttemptDirectory

MAX_STEPS = 3
Phases = Iterator[None]


@dataclass(eq=False)
class Process:
    """A process that goes on to its next phase when it is told to."""

    kind: str
    pid: int
    cookie: str
    boot: str
    phases: Phases = field(init=False)
    # Whether a look at the processes shows its cookie: between fork and exec it does not.
    visible: bool = True
    killable: bool = True


class World:
    """The machine of one example."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids = itertools.count(100)
        self.boots = itertools.count(1)
        self.boot = "boot-0"
        self.now = 1000.0
        self.disk_is_full = False
        # Whether environments survive their end, until they do not.
        self.stubborn = False
        self.living: list[Process] = []
        self.locks: dict[Path, Process] = {}
        # How often a trainer began to train, and how far it came, by cookie.
        self.trainings: dict[str, int] = {}
        self.steps: dict[str, int] = {}
        self._patches = ExitStack()

    def __enter__(self) -> World:
        draft = files._draft
        replaced: list[tuple[Any, str, Callable[..., Any]]] = [
            (evidence, "is_held", self.locks.__contains__),
            (evidence, "alive", lambda identity: self._lives(identity.pid, identity.boot_id)),
            (evidence, "with_cookie", self.with_cookie),
            (evidence, "current_boot", lambda: self.boot),
            (evidence, "reap", lambda cookie, seconds: self.kill_all(cookie)),
            (os, "fsync", lambda descriptor: None),
            (files, "_draft", lambda path, data: self._draft(draft, path, data)),
        ]
        for owner, name, instead in replaced:
            self._patches.enter_context(mock.patch.object(owner, name, instead))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    @contextmanager
    def _draft(self, draft: Callable[..., Any], path: Path, data: bytes) -> Iterator[Path]:
        if self.disk_is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        with draft(path, data) as made:
            yield made

    # Processes

    def _lives(self, pid: int, boot: str) -> bool:
        return any(one.pid == pid and one.boot == boot for one in self.living)

    def with_cookie(self, cookie: str) -> list[int]:
        return [one.pid for one in self.living if one.kind != "shim" and one.cookie == cookie and one.visible]

    def shown(self, cookie: str) -> list[int]:
        """Return who has this cookie, after a time in which everybody has shown it."""
        for process in self.living:
            process.visible = True
        return self.with_cookie(cookie)

    def kill_all(self, cookie: str) -> list[int]:
        """Kill whoever shows this cookie, as far as they can be killed."""
        found = [one for one in self.living if one.pid in self.with_cookie(cookie) and one.killable]
        for one in found:
            self.end(one)
        return [one.pid for one in found]

    def end(self, process: Process) -> None:
        """Take a process away, and with it its locks."""
        if process in self.living:
            self.living.remove(process)
        for path in [path for path, holder in self.locks.items() if holder is process]:
            del self.locks[path]

    def reboot(self) -> None:
        for process in list(self.living):
            self.end(process)
        self.boot = f"boot-{next(self.boots)}"

    def go_on(self, process: Process) -> None:
        """Let a process do its next thing."""
        try:
            next(process.phases)
        except (StopIteration, OSError):
            self.end(process)

    def _begin(self, kind: str, cookie: str, phases: Callable[[Process], Phases]) -> Process:
        process = Process(kind, next(self.pids), cookie, self.boot)
        process.phases = phases(process)
        self.living.append(process)
        return process

    def _lock(self, path: Path, process: Process) -> bool:
        if not path.parent.is_dir():
            raise OSError(errno.ENOENT, "No such file or directory")
        path.touch()
        return self.locks.setdefault(path, process) is process

    # What shims and trainers do, one step at a time

    def prepare(self, directory: AttemptDirectory, cookie: str) -> None:
        spec = LaunchSpec("ball", int(directory.path.name), cookie, ["python"], "/", {})
        directory.prepare(spec, b"", b"")

    def spawn_shim(self, directory: AttemptDirectory) -> None:
        spec = directory.read_spec()
        if spec is not None:
            self._begin("shim", spec.cookie, lambda process: self._shim(directory, process))

    def _shim(self, directory: AttemptDirectory, own: Process) -> Phases:
        yield
        if not self._lock(directory.shim_lock, own):
            return
        yield
        if not create_once(directory.claim, asdict(Claim(BY_SHIM, False, 0.0, own.pid, own.boot, 1))):
            return
        yield
        unwanted = directory.read_stop_request() or directory.read_kill_request()
        code: int | None = 75 if unwanted else None
        if not unwanted:
            yield
            directory.console.touch()
            trainer = self._begin("trainer", own.cookie, lambda process: self._trainer(directory, process))
            trainer.visible = False
            yield
            with suppress(OSError):
                create_once(directory.shim_json, asdict(ShimRecord(own.pid, own.boot, 1, trainer.pid, 1)))
            while trainer in self.living:
                yield
                if directory.read_kill_request() is not None and trainer.killable:
                    self.end(trainer)
            inside = directory.read_train_exit()
            code = inside.code if inside else -9
        yield
        self.kill_all(own.cookie)
        size, crc = size_and_crc32(directory.console)
        killed = directory.read_kill_request() is not None and code == -9
        stop = directory.read_stop_request() is not None
        record = ExitRecord(code, 1.0, size, crc, stop_requested=stop, killed=killed)
        for _ in range(3):
            yield
            with suppress(OSError):
                create_once(directory.exit, asdict(record))
                return

    def _trainer(self, directory: AttemptDirectory, own: Process) -> Phases:
        yield
        own.visible = True
        yield
        if not self._lock(directory.train_lock, own):
            return
        yield
        if directory.exit.exists():
            return
        self.trainings[own.cookie] = self.trainings.get(own.cookie, 0) + 1
        with suppress(OSError):
            create_once(directory.train_json, asdict(TrainerRecord(own.pid, own.boot, 1)))
        yield
        environment = self._begin("environment", own.cookie, lambda process: itertools.repeat(None))
        environment.killable = not self.stubborn
        while self.steps.get(own.cookie, 0) < MAX_STEPS:
            yield
            if directory.read_stop_request() is not None:
                break
            self.steps[own.cookie] = self.steps.get(own.cookie, 0) + 1
        yield
        with suppress(OSError):
            create_once(directory.train_exit, asdict(TrainExit(0, "train", "", 1.0)))
