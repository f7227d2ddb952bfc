from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sessions.runtime.launch import PROJECT
from sessions.runtime.locks import FileLock, holder, is_held
from tests.sessions.runtime.conftest import until

HOLD = """
import pathlib, sys, time
from sessions.runtime.locks import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]))
print(lock.acquire(), flush=True)
time.sleep(60)
"""

ASK = """
import pathlib, sys
from sessions.runtime.locks import is_held
print(is_held(pathlib.Path(sys.argv[1])))
"""


@contextmanager
def another_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "True\n"
            yield process
        finally:
            process.kill()


def test_a_lock_of_another_process_is_seen_refused_and_freed_by_its_death(tmp_path: Path) -> None:
    path = tmp_path / "shim.lock"
    with another_holder(path) as process:
        assert is_held(path)
        assert holder(path) in (process.pid, None)
        assert not FileLock(path).acquire()
        assert is_held(path)
        process.kill()
        until(lambda: not is_held(path))
    mine = FileLock(path)
    assert mine.acquire()
    mine.release()


def test_asking_a_thousand_times_never_frees_the_own_lock(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "shim.lock")
    assert lock.acquire()
    assert all(is_held(lock.path) for _ in range(1000))
    assert not FileLock(lock.path).acquire()
    argv = [sys.executable, "-c", ASK, str(lock.path)]
    seen = subprocess.run(argv, cwd=PROJECT, capture_output=True, check=True, timeout=20)
    assert seen.stdout.strip() == b"True"
    lock.release()
    assert not is_held(lock.path)


def test_nobody_holds_a_lock_that_was_never_made(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "shim.lock")
    assert holder(tmp_path / "shim.lock") is None
    assert list(tmp_path.iterdir()) == []
