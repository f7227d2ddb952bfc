"""MENTOR's own processes: started again when they die, ended by the end of their input, killed when they do not end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mentor_site import processes
from mentor_site.options import BASE_DIR
from mentor_site.processes import CALM_SECONDS, MAX_PAUSE_SECONDS, Child, Minder
from tests.running import eventually

# Stands in for manage.py: what its first argument says it is, that it does.
PROGRAM = """
import os, pathlib, sys, time
name, *arguments = sys.argv[1:]
pathlib.Path(os.environ["STARTED"], f"{name} {os.getpid()}").write_text(" ".join(arguments))
if name.startswith("dies"):
    sys.exit(3)
if name.startswith("stubborn"):
    time.sleep(60)
sys.stdin.buffer.read()
with open(pathlib.Path(os.environ["STARTED"], "ended"), "a") as file:
    file.write(f"{name}\\n")
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which each start of a process leaves a file."""
    (tmp_path / "manage.py").write_text(PROGRAM, encoding="utf-8")
    folder = tmp_path / "started"
    folder.mkdir()
    monkeypatch.setattr(processes, "BASE_DIR", tmp_path)
    return folder


@pytest.fixture
def child(started: Path) -> Iterator[Callable[..., Child]]:
    """Makes children; what a test leaves of them is ended."""
    made: list[Child] = []

    def make(name: str, *arguments: str) -> Child:
        made.append(Child(name, list(arguments), {"STARTED": str(started)}))
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.end(0.0)


def starts(started: Path, name: str) -> list[Path]:
    return [path for path in started.iterdir() if path.name.startswith(f"{name} ") and path.read_text()]


def wait_for_start(started: Path, name: str) -> list[Path]:
    return eventually(lambda: starts(started, name) or None, what=f"the start of {name}")


def died(child: Child) -> None:
    """Wait until the child's process is gone."""
    assert child.process is not None
    child.process.wait(20)


def test_a_child_gets_its_arguments_and_is_told_to_end_with_its_input(
    child: Callable[..., Child], started: Path
) -> None:
    web = child("web", "--port", "9000")
    web.start(0.0)
    (path,) = wait_for_start(started, "web")
    assert path.read_text() == "--end-with-stdin --port 9000"
    assert web.mind(1.0) is None


def test_a_child_ends_when_its_input_does(child: Callable[..., Child]) -> None:
    web = child("web")
    web.start(0.0)
    assert web.process is not None
    web.close()
    web.end(20.0)
    assert web.process.returncode == 0


def test_a_child_that_does_not_end_is_killed(child: Callable[..., Child], started: Path) -> None:
    stubborn = child("stubborn")
    stubborn.start(0.0)
    wait_for_start(started, "stubborn")
    assert stubborn.process is not None
    stubborn.close()
    stubborn.end(0.0)
    assert stubborn.process.returncode not in (0, None)
    assert not psutil.pid_exists(stubborn.process.pid)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has process groups of another kind")
def test_a_ctrl_c_of_the_terminal_does_not_reach_a_child(child: Callable[..., Child]) -> None:
    web = child("web")
    web.start(0.0)
    assert web.process is not None
    assert os.getpgid(web.process.pid) != os.getpgid(0)


def test_a_child_that_died_is_started_again_after_a_pause(child: Callable[..., Child]) -> None:
    dies = child("dies")
    dies.start(100.0)
    died(dies)
    assert dies.mind(101.0) == "dies ended with code 3; it is started again."
    assert dies.process is None
    assert dies.mind(101.1) is None
    assert dies.process is None
    assert dies.mind(101.3) is None
    assert dies.process is not None


def test_pauses_grow_while_it_keeps_dying_up_to_a_limit(child: Callable[..., Child]) -> None:
    dies = child("dies")
    now, pauses = 0.0, []
    dies.start(now)
    for _ in range(3):
        died(dies)
        dies.mind(now)
        pauses.append(dies.pause)
        now = dies.due_at
        dies.mind(now)
    assert pauses == [0.2, 0.4, 0.8]
    dies.pause = MAX_PAUSE_SECONDS - 1
    died(dies)
    dies.mind(now)
    assert dies.pause == MAX_PAUSE_SECONDS


def test_the_pause_is_short_again_after_a_calm_while(child: Callable[..., Child]) -> None:
    dies = child("dies")
    dies.start(0.0)
    dies.pause = MAX_PAUSE_SECONDS
    died(dies)
    dies.mind(CALM_SECONDS + 1)
    assert dies.pause == 0.2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to tell the two apart by")
def test_who_was_killed_from_outside_comes_back_at_once_however_often(
    child: Callable[..., Child], started: Path
) -> None:
    killed = child("stubborn")
    for _ in range(3):
        killed.start(0.0)
        assert killed.process is not None
        killed.process.kill()
        died(killed)
        assert killed.mind(1.0) == "stubborn ended with code -9; it is started again."
        assert killed.pause == 0.2


def test_closing_a_child_that_never_ran_or_waits_for_its_restart_does_nothing(child: Callable[..., Child]) -> None:
    for one in (child("web"), child("dies")):
        if one.name == "dies":
            one.start(0.0)
            died(one)
            one.mind(0.0)
        one.close()
        one.end(0.0)
        assert one.process is None


def test_the_minder_says_what_died_and_starts_it_again(child: Callable[..., Child], started: Path) -> None:
    said: list[str] = []
    minder = Minder([child("dies"), child("web")], say=said.append)
    minder.start()
    minder.run_until(lambda: len(starts(started, "dies")) >= 2, pause=0.01)
    assert said[0] == "dies ended with code 3; it is started again."
    assert len(starts(started, "web")) <= 1
    minder.close()


def test_closing_lets_every_child_end_by_itself(child: Callable[..., Child], started: Path) -> None:
    children = [child(name) for name in ("web", "worker")]
    minder = Minder(children, say=lambda sentence: None)
    minder.start()
    minder.close()
    assert [one.process.returncode for one in children if one.process] == [0, 0]
    assert sorted((started / "ended").read_text().split()) == ["web", "worker"]


def test_closing_kills_who_does_not_end_in_time(
    child: Callable[..., Child], started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.1)
    stubborn = child("stubborn")
    minder = Minder([stubborn], say=lambda sentence: None)
    minder.start()
    wait_for_start(started, "stubborn")
    minder.close()
    assert stubborn.process is not None
    assert stubborn.process.returncode not in (0, None)


def test_minding_goes_on_until_it_is_stopped_and_can_be_taken_up_again() -> None:
    minder = Minder([], say=lambda sentence: None)
    thread = threading.Thread(target=minder.run_until, args=(lambda: False,))
    thread.start()
    assert not minder.stopped
    minder.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert minder.stopped
    minder.run_until(lambda: pytest.fail("a stopped minder asks nothing"))
    minder.resume()
    asked: list[int] = []
    minder.run_until(lambda: len(asked) > 2 or asked.append(1) or False, pause=0.0)
    assert len(asked) == 3


def test_a_process_notices_the_end_of_its_input_while_it_is_busy() -> None:
    program = (
        "import os, threading\n"
        "from mentor_site.processes import when_stdin_ends\n"
        "ended = threading.Event()\n"
        "when_stdin_ends(ended.set)\n"
        "print('ready', flush=True)\n"
        "ended.wait(60)\n"
        "print('ended' if ended.is_set() else 'not noticed', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=BASE_DIR
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().strip() == b"ready"
        process.stdin.write(b"words on the way are no end\n")
        process.stdin.flush()
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.readline().strip() == b"ended"
