"""The shim, one per attempt: `python -m sessions.runtime.shim [--attached] <attempt directory>`.

It starts the trainer, waits, does what files ask of it, ends what the trainer leaves behind, and writes
exit.json last. It needs nothing else of MENTOR, so nothing else of MENTOR can take it down.

Exit codes: 0 the attempt is over and exit.json says how; 3 the spec is unreadable; 4 the attempt is not ours.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sessions.runtime.files import create_once, size_and_crc32
from sessions.runtime.identity import own_identity, reap
from sessions.runtime.locks import FileLock
from sessions.runtime.patience import Patience
from sessions.runtime.records import BY_SHIM, Claim, ExitRecord, LaunchSpec, ShimRecord
from sessions.runtime.rundir import AttemptDirectory
from sessions.runtime.system import here

POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 5.0
WRITE_TRIES = 60
UNREADABLE_SPEC = 3
NOT_OURS = 4
STOPPED_BEFORE_TRAINING = 75
CANNOT_EXECUTE = 126
NOT_FOUND = 127


class Shim:
    """One attempt, from its claim to its exit record."""

    def __init__(self, directory: AttemptDirectory, spec: LaunchSpec, umask: int) -> None:
        self.directory = directory
        self.spec = spec
        self.umask = umask
        self.killed = False
        self._patience = Patience(spec.grace_seconds, spec.interrupt_after_seconds)
        self._next_beat = 0.0

    def conduct(self) -> ExitRecord:
        """Start the trainer, see it through to its end, leave nothing running, and return how it ended."""
        if self._unwanted():
            return self._record(STOPPED_BEFORE_TRAINING, [])
        console = here.open_console(self.directory.console)
        try:
            child = here.Child(self.spec.argv, cwd=self.spec.cwd, env=self.spec.env, console=console, umask=self.umask)
        except OSError as error:
            os.write(console, f"The trainer could not be started: {self.spec.argv[0]}: {error}\n".encode())
            return self._record(NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_EXECUTE, [])
        finally:
            os.close(console)
        self._announce(child)
        code = self._watch(child)
        ended_at = time.time()
        reaped = reap(self.spec.cookie, seconds=self.spec.reap_seconds, children_too=True)
        child.collect()
        return self._record(code, reaped, ended_at)

    def _unwanted(self) -> bool:
        directory = self.directory
        return directory.read_stop_request() is not None or directory.read_kill_request() is not None

    def _announce(self, child: here.Child) -> None:
        own = own_identity()
        trainer_started = here.started_at(child.pid) or 0
        facts = ShimRecord(
            own.pid, own.boot_id, own.started, child.pid, trainer_started, in_parent_job=here.in_parent_job()
        )
        with suppress(OSError):  # a full disk must not keep the shim from watching
            create_once(self.directory.shim_json, asdict(facts))

    def _watch(self, child: here.Child) -> int:
        while (code := child.wait(POLL_SECONDS)) is None:
            self._beat()
            self._act(child)
        return code

    def _beat(self) -> None:
        now = time.monotonic()
        if now < self._next_beat:
            return
        self._next_beat = now + HEARTBEAT_SECONDS
        with suppress(OSError):
            self.directory.heartbeat.touch()

    def _act(self, child: here.Child) -> None:
        directory = self.directory
        due = self._patience.due(
            stop=directory.read_stop_request(),
            kill=directory.read_kill_request() is not None,
            seen=directory.stop_seen.exists(),
        )
        if due == "kill":
            self.killed = True
            child.kill()
        elif due == "interrupt":
            with suppress(OSError):
                if directory.see_stop("unanswered"):
                    child.interrupt()

    def _record(self, code: int, reaped: list[int], ended_at: float | None = None) -> ExitRecord:
        size, crc = size_and_crc32(self.directory.console)
        return ExitRecord(
            code=code,
            ended_at=time.time() if ended_at is None else ended_at,
            log_size=size,
            log_crc32=crc,
            stop_requested=self.directory.read_stop_request() is not None,
            killed=self.killed,
            reaped=reaped,
        )


def supervise(directory: AttemptDirectory, umask: int) -> int:
    """See the attempt through if it is ours to start; returns the shim's exit code."""
    spec = directory.read_spec()
    if spec is None:
        return UNREADABLE_SPEC
    lock = FileLock(directory.shim_lock)
    if not lock.acquire():
        return NOT_OURS
    own = own_identity()
    claim = Claim(BY_SHIM, void=False, at=time.time(), pid=own.pid, boot_id=own.boot_id, started=own.started)
    if not create_once(directory.claim, asdict(claim)):
        return NOT_OURS
    here.adopt_orphans()
    _write_exit(directory, Shim(directory, spec, umask).conduct())
    return 0


def _write_exit(directory: AttemptDirectory, record: ExitRecord) -> None:
    """Write the exit record, also when the disk is full for a while."""
    for tries_left in reversed(range(WRITE_TRIES)):
        try:
            create_once(directory.exit, asdict(record))
            return
        except OSError:
            if not tries_left:
                raise
            time.sleep(1.0)


def main(arguments: list[str]) -> int:
    """Detach (unless `--attached`), then see the attempt through."""
    directory = AttemptDirectory(Path(arguments[-1]).resolve())
    umask = -1 if "--attached" in arguments else here.detach(directory.path)
    here.ignore_interrupts()
    try:
        return supervise(directory, umask)
    except Exception:
        with suppress(OSError):
            directory.shim_error.write_text(traceback.format_exc(), encoding="utf-8")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
