from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sessions.runtime.identity import ProcessIdentity, alive, identity_of, own_identity, reap, with_cookie
from sessions.runtime.system import here
from tests.sessions.runtime.conftest import until

Sleeper = Callable[[str], "subprocess.Popen[bytes]"]

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def cookie() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    processes = []

    def start(cookie: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(SLEEP, env={**os.environ, "MENTOR_ATTEMPT": cookie})
        processes.append(process)
        until(lambda: process.pid in with_cookie(cookie))
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_living_process_is_alive_and_a_collected_one_is_not(cookie: str, sleeper: Sleeper) -> None:
    process = sleeper(cookie)
    identity = identity_of(process.pid)
    assert identity is not None
    assert alive(identity)
    process.kill()
    process.wait()
    assert not alive(identity)
    assert identity_of(process.pid) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no dead processes")
def test_a_zombie_is_dead(cookie: str, sleeper: Sleeper) -> None:
    process = sleeper(cookie)
    identity = identity_of(process.pid)
    assert identity is not None
    process.kill()
    until(lambda: not alive(identity))
    os.kill(process.pid, 0)  # the number is still taken: nobody has waited for it
    assert process.wait() == -9


def test_another_process_with_the_same_number_is_never_alive() -> None:
    own = own_identity()
    assert alive(own)
    assert not alive(replace(own, started=own.started + 1))
    assert not alive(replace(own, boot_id="another boot"))
    assert not alive(replace(own, started=0))
    assert not alive(ProcessIdentity(0, own.boot_id, own.started))


def test_the_start_of_a_process_with_an_odd_name_is_read_right() -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux puts the name in front of the start")
    code = "import time; open('/proc/self/comm', 'w').write('a) Z 1 (b'); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        before = identity_of(process.pid)
        assert process.stdout is not None
        process.stdout.readline()
        assert before is not None
        assert identity_of(process.pid) == before
        process.kill()


def test_the_cookie_finds_its_processes_and_no_others(cookie: str, sleeper: Sleeper) -> None:
    mine, longer = sleeper(cookie), sleeper(cookie + "0")
    assert with_cookie(cookie) == [mine.pid]
    assert longer.pid in with_cookie(cookie + "0")
    assert with_cookie("") == []


def test_reaping_ends_all_with_the_cookie_and_says_which(cookie: str, sleeper: Sleeper) -> None:
    processes = [sleeper(cookie) for _ in range(3)]
    assert reap(cookie) == sorted(process.pid for process in processes)
    assert with_cookie(cookie) == []
    assert [process.wait() for process in processes] == [1 if os.name == "nt" else -9] * 3
    assert reap(cookie) == []


def test_nothing_is_sent_to_a_process_that_is_not_the_one_that_was_meant(cookie: str, sleeper: Sleeper) -> None:
    process = sleeper(cookie)
    assert not here.kill(process.pid, lambda: False)
    assert not here.interrupt(process.pid, lambda: False)
    assert process.poll() is None
    assert here.kill(process.pid, lambda: True)
    process.wait()
    assert not here.kill(process.pid, lambda: True)
