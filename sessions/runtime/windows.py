"""Windows: the same names as on other systems, by way of the kernel's own functions.

Every call of the kernel goes through `kernel32`, so that what is not the kernel's can be tested anywhere.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

CREATE_NO_WINDOW = 0x08000000
CREATE_BREAKAWAY_FROM_JOB = 0x01000000
ERROR_ACCESS_DENIED = 5
PROCESS_TERMINATE = 0x0001
PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
SYNCHRONIZE = 0x00100000
WAIT_TIMEOUT = 0x102
CTRL_C_EVENT = 0
# FILE_GENERIC_WRITE without FILE_WRITE_DATA: the kernel then puts every write at the end.
APPEND_ONLY = 0x00120114
SHARE_ALL = 0x7
OPEN_ALWAYS = 4
FILE_ATTRIBUTE_NORMAL = 0x80
FILE_FLAG_OPEN_REPARSE_POINT = 0x00200000
INVALID_HANDLE = ctypes.c_void_p(-1).value
KILLED = 1
BOOT_KEY = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"


@lru_cache(maxsize=1)
def kernel32() -> Any:
    """Return the kernel's library, its functions that return handles declared as such."""
    if sys.platform != "win32":
        raise OSError("kernel32 is a library of Windows")
    library: Any = ctypes.WinDLL("kernel32", use_last_error=True)
    for name in ("OpenProcess", "GetCurrentProcess", "CreateFileW"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


def last_error() -> OSError:
    """Return the kernel's last error as an exception."""
    if sys.platform != "win32":
        raise OSError("only Windows has a last error")
    return ctypes.WinError(ctypes.get_last_error())


def creation_flags(*, breakaway: bool) -> int:
    """Return how a shim is created: with a hidden console of its own, outside the caller's job if allowed.

    Not DETACHED_PROCESS: without a console there is no Ctrl+C to fall back on. Not CREATE_NEW_PROCESS_GROUP:
    that makes the process and all it starts deaf to Ctrl+C.
    """
    return CREATE_NO_WINDOW | (CREATE_BREAKAWAY_FROM_JOB if breakaway else 0)


def unsigned(code: int) -> int:
    """Return an exit code as Windows documents them: 32 bits without a sign, as in 0xC0000005."""
    return code & 0xFFFFFFFF


def spawn_detached(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], popen: Callable[..., Any] = subprocess.Popen
) -> None:
    """Start a program that lives on without its caller; raises OSError when it cannot be started.

    Inside a job that forbids to break away (that of some terminals and services) it stays in that job.
    """
    for breakaway in (True, False):
        try:
            popen(
                list(argv),
                cwd=str(cwd),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                creationflags=creation_flags(breakaway=breakaway),
                close_fds=True,
            )
            return
        except OSError as error:
            if not breakaway or getattr(error, "winerror", None) != ERROR_ACCESS_DENIED:
                raise


def detach(folder: Path) -> int:
    """Go on in `folder`; creating the shim has detached it. Returns -1: there is no umask to hand on."""
    os.chdir(folder)
    return -1


def adopt_orphans() -> None:
    """Do nothing: the trainer's job object ends what the trainer started."""


def ignore_interrupts() -> None:
    """Survive Ctrl+C and Ctrl+Break in the shim's own console, which it shares with the trainer."""
    import signal

    signal.signal(signal.SIGINT, _do_nothing)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, _do_nothing)


def _do_nothing(*_: object) -> None:
    pass


def limit_itself(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Windows limits a process from outside only; who started it keeps an eye on the clock."""


def in_parent_job() -> bool:
    """Tell whether this process is in a job object: closing whatever made that may end the training."""
    library = kernel32()
    answer = ctypes.c_int(0)
    known = library.IsProcessInJob(ctypes.c_void_p(library.GetCurrentProcess()), None, ctypes.byref(answer))
    return bool(known and answer.value)


def open_console(path: Path) -> int:
    """Open the console file so that every write goes to its end, and others may read and rename it."""
    if sys.platform != "win32":
        raise OSError("this is how Windows opens a file")
    import msvcrt

    flags = FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT
    handle = kernel32().CreateFileW(str(path), APPEND_ONLY, SHARE_ALL, None, OPEN_ALWAYS, flags, None)
    if handle is None or handle == INVALID_HANDLE:
        raise last_error()
    return msvcrt.open_osfhandle(handle, os.O_APPEND)


class Child:
    """The trainer's process, or the redirector that a virtual environment puts in front of it."""

    def __init__(self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], console: int, umask: int = -1) -> None:
        """Start `argv` in this process' own console; raises OSError when that is not possible."""
        self._process = subprocess.Popen(  # noqa: S603
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            close_fds=True,
        )
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        """Return the exit code as soon as there is one, unsigned, or None after `seconds`."""
        try:
            return unsigned(self._process.wait(seconds))
        except subprocess.TimeoutExpired:
            return None

    def collect(self) -> None:
        """Do nothing: Windows keeps no dead processes for their parents."""

    def interrupt(self) -> None:
        """Press Ctrl+C in the console that shim and trainer share; the shim itself does not mind."""
        kernel32().GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)

    def kill(self) -> None:
        self._process.kill()


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return a name for the time since this machine was started; empty when the system does not tell."""
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, BOOT_KEY) as key:
            return f"windows-{winreg.QueryValueEx(key, 'BootId')[0]}"
    except OSError:
        return ""


def started_at(pid: int) -> int | None:
    """Return when `pid` started, as a FILETIME (100 ns since 1601); None for the dead."""
    library = kernel32()
    handle = library.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, False, pid)
    if not handle:
        return None
    try:
        return _started(library, ctypes.c_void_p(handle))
    finally:
        library.CloseHandle(ctypes.c_void_p(handle))


def _started(library: Any, handle: ctypes.c_void_p) -> int | None:
    times = (ctypes.c_uint64 * 4)()
    places = [ctypes.byref(times, 8 * index) for index in range(4)]
    lives = library.WaitForSingleObject(handle, 0) == WAIT_TIMEOUT
    return int(times[0]) if lives and library.GetProcessTimes(handle, *places) else None


def children_of(parent: int) -> list[int]:
    """Return nothing: the trainer's job object and its cookie find them all."""
    return []


def pids_with(entry: str) -> list[int]:
    """Return the processes with `entry` ("NAME=value") in their environment, this one excepted."""
    try:
        import psutil
    except ImportError:
        return []
    return [pid for pid in psutil.pids() if pid != os.getpid() and was_given(pid, entry)]


def was_given(pid: int, entry: str) -> bool:
    """Tell whether `pid` has `entry` in its environment."""
    import psutil

    name, _, value = entry.partition("=")
    try:
        return bool(psutil.Process(pid).environ().get(name) == value)
    except (psutil.Error, OSError):
        return False


def kill(pid: int, holds: Callable[[], bool]) -> bool:
    """Kill `pid` if `holds` is true of it; False when it is not, or is gone. The handle keeps the number."""
    library = kernel32()
    handle = library.OpenProcess(PROCESS_TERMINATE, False, pid)
    if not handle:
        return False
    try:
        return holds() and bool(library.TerminateProcess(ctypes.c_void_p(handle), KILLED))
    finally:
        library.CloseHandle(ctypes.c_void_p(handle))


def interrupt(pid: int, holds: Callable[[], bool]) -> bool:
    """Press Ctrl+C in the console of `pid` if `holds` is true of it; False when that could not be done.

    A process has one console only, so a helper takes the place in that of the trainer.
    """
    if not holds():
        return False
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-E", "-s", "-m", "sessions.runtime.windows", str(pid)],
        cwd=Path(__file__).resolve().parents[2],
        creationflags=CREATE_NO_WINDOW if sys.platform == "win32" else 0,
        timeout=20,
        check=False,
    )
    return done.returncode == 0


def press_ctrl_c(pid: int) -> int:
    """Press Ctrl+C in the console of `pid`; returns 0 when it was pressed."""
    library = kernel32()
    library.FreeConsole()
    if not library.AttachConsole(pid):
        return 1
    library.SetConsoleCtrlHandler(None, True)
    return 0 if library.GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) else 1


def try_lock(descriptor: int) -> bool:
    """Lock an open file for the life of this process; False when another process holds it."""
    if sys.platform != "win32":
        raise OSError("this is how Windows locks a file")
    import msvcrt

    try:
        os.write(descriptor, b"\0")
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def lock_holder(path: Path) -> int | None:
    """Return None: Windows does not tell who holds a lock."""
    return None


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the lock of `path`: its first byte cannot be read then. Takes no lock."""
    try:
        with path.open("rb", buffering=0) as file:
            file.read(1)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    return False


def publish_new(draft: Path, target: Path) -> None:
    """Rename `draft` to `target`; raises FileExistsError when that name is taken."""
    draft.rename(target)


def sync_folder(path: Path) -> None:
    """Do nothing: Windows has no such call."""


if __name__ == "__main__":
    sys.exit(press_ctrl_c(int(sys.argv[1])))
