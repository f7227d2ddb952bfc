# ruff: noqa: E402
"""Run a trainer so that it can be found, stopped and understood.

`python boot.py <attempt directory> <target> -- <arguments>`; `target` is a module or the path of a script.
This file is run by its path inside the user's own Python, which may be as old as 3.7 and has nothing of
MENTOR: standard library only, no other file of this folder. What the trainer prints, returns and raises is
what it would print, return and raise without it.
"""

from __future__ import annotations

import sys

# A file run by path has its own folder in sys.path, where a neighbour could hide a module of the trainer's.
_OWN_FOLDER = __file__.replace("\\", "/").rpartition("/")[0]
sys.path[:] = [entry for entry in sys.path if entry.replace("\\", "/") != _OWN_FOLDER]

import contextlib
import importlib
import importlib.util
import json
import os
import runpy
import signal
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

POLL_SECONDS = 0.2
SNAPSHOT_SECONDS = 2.0
HANGING_END_SECONDS = 5.0
# ML-Agents may print a traceback and then wait for a worker for ever.
UNASKED_END_SECONDS = 20.0
STOPPED_BEFORE_TRAINING = 75
ALREADY_RUNNING = 4
INTERRUPTED = 0xC000013A if os.name == "nt" else -signal.SIGINT


class Attempt:
    """The attempt's directory, as far as the trainer's process reads and writes it."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def asked(self, name: str) -> bool:
        """Tell whether `name` is there as a regular file."""
        try:
            return stat.S_ISREG(os.lstat(self.folder / name).st_mode)
        except OSError:
            return False

    def tell(self, name: str, facts: dict[str, Any]) -> bool:
        """Create `name` with its whole content; False only when it was there already.

        A disk that is full must not keep a trainer from stopping, so any other error counts as told.
        """
        draft = self.folder / f".{name}.{os.getpid()}"
        try:
            with draft.open("wb") as file:
                file.write(json.dumps(facts).encode())
                file.flush()
                os.fsync(file.fileno())
            publish(draft, self.folder / name)
        except FileExistsError:
            return False
        except OSError:
            return True
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()
        return True


def publish(draft: Path, target: Path) -> None:
    """Give `draft` the name `target`; raises FileExistsError when that name is taken."""
    if os.name == "nt":
        draft.rename(target)  # refuses an existing target there
        return
    try:
        os.link(str(draft), str(target))
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with target.open("xb") as file:
            file.write(draft.read_bytes())


class StopWatch:
    """Waits for a stop request in a thread of its own, and interrupts the training at most once.

    A second interrupt, or one during the final save, would lose the exported model.
    """

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.stage = "import"
        self.code = 0
        self.pid = os.getpid()
        self.lock = threading.Lock()

    def enter(self, stage: str) -> None:
        """Change the stage."""
        with self.lock:
            self.stage = stage

    def shield(self, stage: str) -> None:
        """Enter a stage that no interrupt may disturb, not even one that is under way in this very moment."""
        try:
            self.enter(stage)
        except KeyboardInterrupt:
            self.enter(stage)

    def start(self) -> None:
        threading.Thread(target=self._watch, name="mentor-stop", daemon=True).start()

    def _watch(self) -> None:
        late = 0.0
        while not self.attempt.asked("stop.request"):
            if late > UNASKED_END_SECONDS:
                os._exit(self.code & 0xFF)
            late += POLL_SECONDS if self.stage == "end" else 0.0
            time.sleep(POLL_SECONDS)
        with self.lock:
            stage = self.stage
            first = self.attempt.tell("stop.seen", {"at": time.time(), "stage": stage})
            if first and stage == "import":
                self._leave()
            if first and stage == "train":
                interrupt_main_thread()
        self._end_what_hangs()

    def _leave(self) -> NoReturn:
        self._farewell(STOPPED_BEFORE_TRAINING, "")
        os.write(2, b"Stopped while the trainer was loading: nothing was trained.\n")
        os._exit(STOPPED_BEFORE_TRAINING)

    def _end_what_hangs(self) -> None:
        """Leave for the trainer when it has returned but one of its threads keeps the process."""
        while self.stage != "end":
            time.sleep(POLL_SECONDS)
        time.sleep(HANGING_END_SECONDS)
        os._exit(self.code & 0xFF)

    def close(self, error: BaseException | None) -> None:
        """Write how the training ended, as seen from inside; a late interrupt changes nothing."""
        try:
            self._close(error)
        except KeyboardInterrupt:
            self._close(error)

    def _close(self, error: BaseException | None) -> None:
        self.code = exit_code(error)
        self._farewell(self.code, type(error).__name__ if error else "")
        self.enter("end")

    def _farewell(self, code: int, exception: str) -> None:
        facts = {"code": code, "stage": self.stage, "exception": exception, "at": time.time()}
        self.attempt.tell("train.exit.json", facts)


def interrupt_main_thread() -> None:
    """Raise SIGINT in the main thread, waking it from a blocking call."""
    if sys.platform != "win32":
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    elif hasattr(signal, "raise_signal"):
        signal.raise_signal(signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()


def allow_interrupts() -> None:
    """Give SIGINT its meaning back: a parent that ignores it hands that down to its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
        kernel32().SetConsoleCtrlHandler(None, False)
    else:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def kernel32() -> Any:
    import ctypes

    library: Any = getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009  (absent elsewhere)
    for name in ("GetCurrentProcess", "CreateJobObjectW"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


def tie_children_to_own_life() -> bool:
    """On Windows, let the kernel end all that the trainer started when the trainer ends, however it ends."""
    import ctypes

    limits = (ctypes.c_uint64 * 18)()  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION: 144 bytes on 64-bit Windows
    ctypes.cast(limits, ctypes.POINTER(ctypes.c_uint32))[4] = 0x2000  # LimitFlags = KILL_ON_JOB_CLOSE
    library = kernel32()
    # Never closed: the job ends with the process.
    job = ctypes.c_void_p(library.CreateJobObjectW(None, None))
    own = ctypes.c_void_p(library.GetCurrentProcess())
    extended_limits = 9
    return bool(
        library.SetInformationJobObject(job, extended_limits, limits, ctypes.sizeof(limits))
        and library.AssignProcessToJobObject(job, own)
    )


def hold(path: Path) -> bool:
    """Lock `path` until this process ends; False when another process holds it.

    The descriptor stays open and is the only one: closing any descriptor of the file would free the lock.
    """
    descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            os.write(descriptor, b"\0")  # a byte to lock, so that reading it fails for those who ask
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def identity() -> dict[str, Any]:
    """Return pid, boot and start time of this process, in the units of `sessions.runtime.identity`."""
    return {"pid": os.getpid(), "boot_id": boot_id(), "started": started()}


def boot_id() -> str:
    try:
        if sys.platform == "win32":
            return _windows_boot_id()
        if sys.platform == "darwin":
            return _macos_boot_id()
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _windows_boot_id() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    key = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
        return f"windows-{winreg.QueryValueEx(opened, 'BootId')[0]}"


def _macos_boot_id() -> str:
    import ctypes

    text = ctypes.create_string_buffer(64)
    size = ctypes.c_size_t(64)
    ctypes.CDLL(None).sysctlbyname(b"kern.bootsessionuuid", text, ctypes.byref(size), None, 0)
    return text.value.decode("ascii")


def started() -> int:
    """Return when this process started: clock ticks on Linux, a FILETIME on Windows, µs on macOS."""
    import ctypes

    if sys.platform == "win32":
        times = (ctypes.c_uint64 * 4)()
        places = [ctypes.byref(times, 8 * index) for index in range(4)]
        library = kernel32()
        library.GetProcessTimes(ctypes.c_void_p(library.GetCurrentProcess()), *places)
        return int(times[0])
    if sys.platform == "darwin":
        about = (ctypes.c_uint64 * 17)()  # struct proc_bsdinfo: 136 bytes, its start time in the last 16
        ctypes.CDLL(None).proc_pidinfo(os.getpid(), 3, ctypes.c_uint64(0), about, 136)
        return int(about[15] * 1_000_000 + about[16])
    text = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
    return int(text.rpartition(")")[2].split()[19])


class StatusSnapshots:
    """Keeps training_status.json up to date, which mlagents-learn itself writes at its very end only.

    Without it a kill would lose the lessons, the ratings and the list of checkpoints.
    """

    def __init__(self, training_status: Any, path: Path) -> None:
        self.module = training_status
        self.path = path
        self.lock = threading.Lock()
        self.over = False
        self.written = ""

    def start(self) -> None:
        """Begin to watch; the trainer's own save of the same file ends it, so that the two never meet."""
        status = self.module.GlobalTrainingStatus
        own_save = status.save_state

        def save_state(path: str) -> None:
            with self.lock:
                self.over = True
            own_save(path)

        status.save_state = staticmethod(save_state)
        threading.Thread(target=self._watch, name="mentor-status", daemon=True).start()

    def _watch(self) -> None:
        while not self.over:
            time.sleep(SNAPSHOT_SECONDS)
            # The training changes what is read here at any moment; the next look sees it whole.
            with contextlib.suppress(Exception), self.lock:
                self.take()

    def take(self) -> None:
        """Write the status once, if it says something new and the trainer has not written its own."""
        state = dict(self.module.GlobalTrainingStatus.saved_state)
        if self.over or not any(state.values()) or not self.path.parent.is_dir():
            return
        state["metadata"] = self.module.StatusMetaData().to_dict()
        text = json.dumps(state, default=float)
        if text == self.written:
            return
        draft = self.path.with_name(".training_status.mentor")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path)
        self.written = text


def status_path(arguments: list[str]) -> Path:
    """Return where mlagents-learn will write its status, given its command line."""
    results, run_id = _option(arguments, "--results-dir", "results"), _option(arguments, "--run-id", "ppo")
    return Path(results, run_id, "run_logs", "training_status.json")


def _option(arguments: list[str], name: str, default: str) -> str:
    own = arguments[: arguments.index("--env-args")] if "--env-args" in arguments else arguments
    value = default
    for argument, following in zip(own, [*own[1:], default]):  # noqa: B905  (3.7 has no strict)
        if argument == name:
            value = following
        elif argument.startswith(name + "="):
            value = argument[len(name) + 1 :]
    return value


def guard_mlagents(watch: StopWatch, arguments: list[str]) -> None:
    """Keep the status of an mlagents training, and its final save undisturbed, in versions that have them."""
    with contextlib.suppress(Exception):
        training_status = importlib.import_module("mlagents.trainers.training_status")
        StatusSnapshots(training_status, status_path(arguments)).start()
    with contextlib.suppress(Exception):
        controller: Any = importlib.import_module("mlagents.trainers.trainer_controller").TrainerController
        controller._save_models = _saving(watch, controller._save_models)


def _saving(watch: StopWatch, save: Callable[..., Any]) -> Callable[..., Any]:
    def save_models(*args: Any, **kwargs: Any) -> Any:
        watch.shield("save")
        return save(*args, **kwargs)

    return save_models


def train(target: str, arguments: list[str], watch: StopWatch) -> None:
    """Do what `python -m target` or the trainer's own command would do."""
    sys.argv = [target, *arguments]
    if target.endswith(".py"):
        watch.enter("train")
        runpy.run_path(target, run_name="__main__")
    elif _is_package(target):
        importlib.import_module(target)
        watch.enter("train")
        runpy.run_module(target, run_name="__main__", alter_sys=True)
    else:
        _call_main(target, arguments, watch)


def _is_package(name: str) -> bool:
    found = importlib.util.find_spec(name)
    return found is not None and found.submodule_search_locations is not None


def _call_main(name: str, arguments: list[str], watch: StopWatch) -> None:
    ml_agents = name.split(".")[0] == "mlagents"
    if ml_agents:
        sys.argv[0] = "mlagents-learn"
    module = importlib.import_module(name)
    if ml_agents:
        guard_mlagents(watch, arguments)
    watch.enter("train")
    sys.exit(module.main())


def exit_code(error: BaseException | None) -> int:
    """Return the code with which Python ends a process whose main module ended with `error`."""
    if error is None:
        return 0
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None:
        return 0
    return int(error.code) & (0xFFFFFFFF if os.name == "nt" else 0xFF) if isinstance(error.code, int) else 1


def conduct(target: str, arguments: list[str], watch: StopWatch) -> None:
    """Train, and leave train.exit.json behind whatever happens; raises what the trainer raises."""
    error: BaseException | None = None
    try:
        train(target, arguments, watch)
    except BaseException as caught:
        error = caught
        raise
    finally:
        if os.getpid() == watch.pid:  # a forked worker that unwinds to here has no say
            watch.close(error)


def main() -> None:
    """Take the attempt's place, then train."""
    folder, target, arguments = sys.argv[1], sys.argv[2], sys.argv[4:]
    attempt = Attempt(folder)
    allow_interrupts()
    in_job = tie_children_to_own_life() if os.name == "nt" else False
    if not hold(attempt.folder / "train.lock"):
        sys.stderr.write("This attempt is already training in another process.\n")
        sys.exit(ALREADY_RUNNING)
    # Who writes exit.json looks at the lock afterwards: of a trainer that comes late, one of the two is seen.
    if attempt.asked("exit.json"):
        sys.stderr.write("This attempt has ended already.\n")
        sys.exit(ALREADY_RUNNING)
    attempt.tell("train.json", dict(identity(), in_job=in_job))
    watch = StopWatch(attempt)
    watch.start()
    conduct(target, arguments, watch)


if __name__ == "__main__":
    main()
