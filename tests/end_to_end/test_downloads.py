"""Large files through the real web server: the client sets the pace, memory stays, and half a file is never whole."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.practice import GRANTED
from tests.factories import CONFIG
from tests.running import RunningMentor, running_mentor

pytestmark = pytest.mark.slow
SIZE = 300_000_000
# What a server that reads ahead would have in memory within a moment.
TOO_MUCH = 50_000_000


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        body = {"run_id": "ball", "config": CONFIG.decode(), "trainer": "practice"}
        assert running.ask("POST", "sessions/", body)["state"] in GRANTED
        running.wait_for("ball", "completed", "failed", "lost", "stopped")
        yield running


def make_large(mentor: RunningMentor) -> tuple[Path, str]:
    """A file of the session that takes no room on the disk, and its address."""
    path = mentor.home / "runs/ball/results/ball/large.bin"
    with path.open("wb") as file:
        file.truncate(SIZE)
    listed = mentor.ask("GET", "sessions/ball/files/")["results"]
    return path, next(one["url"] for one in listed if one["name"] == "results/large.bin")


@contextmanager
def asked(mentor: RunningMentor, address: str) -> Iterator[socket.socket]:
    """A connection on which a file was asked for, and from which nothing was read yet."""
    lines = (f"GET {address} HTTP/1.1", f"Host: 127.0.0.1:{mentor.port}", f"Authorization: Token {mentor.token}")
    with socket.create_connection(("127.0.0.1", mentor.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        yield connection


def read(connection: socket.socket, most: int) -> int:
    count = 0
    while count < most and (block := connection.recv(1 << 20)):
        count += len(block)
    return count


def memory(mentor: RunningMentor) -> int:
    web: psutil.Process = mentor.parts()["web"]
    return int(web.memory_info().rss)


def test_a_slow_client_costs_no_memory_and_gets_every_byte(mentor: RunningMentor) -> None:
    _, address = make_large(mentor)
    before = memory(mentor)
    with asked(mentor, address) as connection:
        time.sleep(3)  # what it must not read ahead, it would read now
        assert memory(mentor) - before < TOO_MUCH
        assert read(connection, SIZE) >= SIZE
    assert memory(mentor) - before < TOO_MUCH


def test_a_file_that_shrinks_ends_the_connection_at_once_and_the_server_goes_on(mentor: RunningMentor) -> None:
    path, address = make_large(mentor)
    with asked(mentor, address) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        os.truncate(path, 1000)
        start = time.monotonic()
        try:
            count = read(connection, SIZE)
        except ConnectionResetError:
            count = 0
    assert count < SIZE
    assert time.monotonic() - start < 20
    assert mentor.session("ball")["state"] == "completed"
