"""Linux and macOS: detaching, spawning, signalling, locking, and the files of a process' life."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sessions.runtime.exhaustion import raise_if_exhausted
from sessions.runtime.unix_limits import limit_itself as limit_itself
from sessions.runtime.unix_processes import boot_id as boot_id
from sessions.runtime.unix_processes import children_of as children_of
from sessions.runtime.unix_processes import pids_with as pids_with
from sessions.runtime.unix_processes import started_at as started_at
from sessions.runtime.unix_processes import was_given as was_given

assert sys.platform != "win32"  # noqa: S101  (for the type checker)

SPAWN_SECONDS = 20.0
PR_SET_CHILD_SUBREAPER = 36
# struct flock, of which fcntl.F_GETLK fills in the holder.
FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi4x"


def spawn_detached(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
    """Start a program that detaches itself, and return once it has; raises OSError if it fails.

    Its first process ends at once and is waited for, so that no zombie is left to a long-lived caller.
    """
    done = subprocess.run(  # noqa: S603
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        timeout=SPAWN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace").strip() or f"{argv[0]} ended with {done.returncode}")


def detach(folder: Path) -> int:
    """Leave caller, session and terminal behind, and go on in `folder`, privately; returns the old umask."""
    for new_session in (True, False):
        if os.fork():
            os._exit(0)
        if new_session:
            os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, max(null + 1, 256))
    os.chdir(folder)
    return os.umask(0o077)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux only), so that none is lost."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ignore_interrupts() -> None:
    """Survive SIGINT and SIGHUP, and give every other signal its default meaning back.

    A handler that does nothing, not SIG_IGN: the trainer would inherit that one and be deaf.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}:
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, _do_nothing)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _do_nothing(*_: object) -> None:
    pass


def in_parent_job() -> bool:
    """Job objects are a matter of Windows."""
    return False


def open_console(path: Path) -> int:
    """Open the console file so that every write of every process goes to its end."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)


class Child:
    """The trainer's process, and everything adopted from it."""

    def __init__(self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], console: int, umask: int = -1) -> None:
        """Start `argv` in a session of its own; raises OSError when that is not possible."""
        self._bell = _child_bell()
        self._code: int | None = None
        self._process = subprocess.Popen(  # noqa: S603
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            umask=umask,
        )
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        """Return the exit code (for a signal: minus its number) once there is one, None after `seconds`."""
        self.collect()
        if self._code is None and select.select([self._bell], [], [], seconds)[0]:
            os.read(self._bell, 4096)
            self.collect()
        return self._code

    def collect(self) -> None:
        """Take leave of every child that has ended, adopted ones too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self._code = self._process.returncode = os.waitstatus_to_exitcode(status)

    def interrupt(self) -> None:
        if self._code is None:  # not waited for yet, so the number still belongs to it
            os.kill(self.pid, signal.SIGINT)

    def kill(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)


def _child_bell() -> int:
    """Return a descriptor that becomes readable when a child ends."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.signal(signal.SIGCHLD, _do_nothing)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    return readable


def kill(pid: int, holds: Callable[[], bool]) -> bool:
    """Kill `pid` if `holds` is true of it; False when it is not, or is gone."""
    return _send(pid, signal.SIGKILL, holds)


def interrupt(pid: int, holds: Callable[[], bool]) -> bool:
    """Interrupt `pid` if `holds` is true of it; False when it is not, or is gone."""
    return _send(pid, signal.SIGINT, holds)


def _send(pid: int, number: signal.Signals, holds: Callable[[], bool]) -> bool:
    try:
        if sys.platform == "linux" and hasattr(os, "pidfd_open"):
            return _send_by_descriptor(pid, number, holds)
        if not holds():
            return False
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _send_by_descriptor(pid: int, number: signal.Signals, holds: Callable[[], bool]) -> bool:
    """Send to the very process that was looked at, even if its number is given away in between."""
    if sys.platform != "linux":
        return False
    descriptor = os.pidfd_open(pid)
    try:
        if not holds():
            return False
        signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)
    return True


def try_lock(descriptor: int) -> bool:
    """Lock an open file for the life of this process; False when another process holds it."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def lock_holder(path: Path) -> int | None:
    """Return the number of the process that holds the lock of `path`, without touching the lock.

    A process never sees its own lock this way, and would drop it: ask through `sessions.runtime.locks`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise_if_exhausted(error)
        return None
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, _write_lock())
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return _holder(answer)


def _write_lock() -> bytes:
    if sys.platform == "darwin":
        return struct.pack(FLOCK, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
    return struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def _holder(answer: bytes) -> int | None:
    values = struct.unpack_from(FLOCK, answer)
    kind, pid = (values[3], values[2]) if sys.platform == "darwin" else (values[0], values[4])
    return None if kind == fcntl.F_UNLCK else int(pid)


def is_locked(path: Path) -> bool:
    """Tell whether a process other than this one holds the lock of `path`."""
    return lock_holder(path) is not None


def publish_new(draft: Path, target: Path) -> None:
    """Give `draft`, which stays, the further name `target`; raises FileExistsError when that is taken."""
    try:
        os.link(draft, target)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
            raise
        with target.open("xb") as file:  # a file system without hard links
            file.write(draft.read_bytes())


def sync_folder(path: Path) -> None:
    """Make the names in `path` survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
