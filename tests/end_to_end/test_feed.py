"""The live feed of a MENTOR that really runs: broken connections, slow pages, many pages, lost rights."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor
from tests.websocket import Closed, Reader, Socket, sign_in

pytestmark = pytest.mark.slow
CONFIG = "behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: {}\n    summary_freq: 500\n"


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("feed") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def cookies(mentor: RunningMentor) -> str:
    return sign_in(mentor)


def train(mentor: RunningMentor, run_id: str, *switches: str, max_steps: int = 10_000_000) -> Path:
    body = {"run_id": run_id, "config": CONFIG.format(max_steps), "trainer": "practice", "env_args": list(switches)}
    assert mentor.ask("POST", "sessions/", body).get("state") in GRANTED
    mentor.wait_for(run_id, "running", "completed")
    return mentor.home / "runs" / run_id / "attempts" / "1" / "console.log"


def test_a_connection_that_breaks_again_and_again_loses_and_doubles_nothing(
    mentor: RunningMentor, cookies: str
) -> None:
    console = train(mentor, "broken", "--flood", "3000", max_steps=20_000)
    reader = Reader(mentor, "broken", cookies)
    connections = 0
    while reader.state != "completed" or len(reader.console) < console.stat().st_size:
        reader.connect()
        connections += 1
        for _ in range(15):
            reader.read()
            if reader.state == "completed" and len(reader.console) == console.stat().st_size:
                break
        reader.close()
    assert connections > 3
    assert reader.console == console.read_bytes()


def test_a_web_process_that_is_killed_loses_and_doubles_nothing(mentor: RunningMentor, cookies: str) -> None:
    console = train(mentor, "killed-web", "--flood", "2000", max_steps=25_000)
    reader = Reader(mentor, "killed-web", cookies)
    reader.connect()
    kills = 0
    while reader.state != "completed" or len(reader.console) < console.stat().st_size:
        try:
            reader.read()
            due = kills < 2 and len(reader.console) > 30_000 * (kills + 1)
            if due and (web := mentor.parts().get("web")):  # none while it is started again and its last words are read
                kills += 1
                web.kill()
        except (Closed, OSError):
            eventually(lambda: connected(reader), seconds=30, what="the web process")
    reader.close()
    assert kills == 2
    assert reader.console == console.read_bytes()


def connected(reader: Reader) -> bool:
    try:
        reader.connect()
    except (Closed, OSError):
        return False
    return True


def test_a_page_that_does_not_read_is_let_go_before_it_costs_memory(mentor: RunningMentor, cookies: str) -> None:
    console = train(mentor, "slow-page", "--flood", "200000")
    web = mentor.parts()["web"]
    slow = Socket(mentor, "/ws/sessions/slow-page/", cookies, buffer=4096)
    slow.send({"type": "follow", "attempt": 1, "log": 0, "points": ""})
    before = web.memory_info().rss
    eventually(lambda: console.stat().st_size > 25_000_000, seconds=120, what="a long console")
    grown = web.memory_info().rss - before
    mentor.ask("POST", "sessions/slow-page/kill/")
    mentor.wait_for("slow-page", "stopped", seconds=180)  # 25 MB are read before
    assert grown < 20_000_000
    eventually(lambda: not web_connections(web, slow), seconds=60, what="the end of the connection")
    slow.close()
    fresh = Reader(mentor, "slow-page", cookies)
    fresh.connect()
    while len(fresh.console) < 3_000_000:
        fresh.read()
    assert console.read_bytes().startswith(fresh.console)
    fresh.close()


def web_connections(web: psutil.Process, page: Socket) -> list[object]:
    port = page.socket.getsockname()[1]
    return [one for one in web.net_connections("tcp") if one.raddr and one.raddr.port == port]


def test_many_pages_on_one_session_are_all_up_to_date(mentor: RunningMentor, cookies: str) -> None:
    console = train(mentor, "crowd", "--flood", "20", max_steps=20_000)
    readers = [Reader(mentor, "crowd", cookies) for _ in range(100)]
    for reader in readers:
        reader.connect()
    before = mentor.parts()["web"].memory_info().rss
    size = eventually(lambda: console.stat().st_size if console.stat().st_size > 8_000 else None)
    for reader in readers:
        while len(reader.console) < size:
            reader.read()
    assert mentor.parts()["web"].memory_info().rss - before < 100_000_000
    for reader in readers:
        assert console.read_bytes().startswith(reader.console)
        reader.close()
    mentor.ask("POST", "sessions/crowd/kill/")


def test_without_free_descriptors_pages_are_refused_and_come_back(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    with running_mentor(tmp_path / "var") as mentor:
        cookies = sign_in(mentor)
        train(mentor, "ball")
        web = mentor.parts()["web"]
        resource.prlimit(web.pid, resource.RLIMIT_NOFILE, (web.num_fds() + 20, 4096))
        crowd = []
        for _ in range(60):
            client = socket.socket()
            client.connect(("127.0.0.1", mentor.port))
            crowd.append(client)
        for client in crowd:
            client.close()
        resource.prlimit(web.pid, resource.RLIMIT_NOFILE, (1024, 4096))
        reader = Reader(mentor, "ball", cookies)
        eventually(lambda: connected(reader), seconds=60, what="an answer again")
        while reader.read() != "log":
            continue
        reader.close()
        assert mentor.session("ball")["state"] == "running"
        mentor.ask("POST", "sessions/ball/kill/")
        mentor.wait_for("ball", "stopped")


def shell(mentor: RunningMentor, code: str) -> None:
    mentor.call("shell", "-v", "0", "-c", code)


def test_who_loses_the_right_to_see_is_cut_off(mentor: RunningMentor) -> None:
    train(mentor, "secret")
    shell(mentor, "from tests.factories import make_user; make_user('eve', 'view_trainingsession')")
    link = mentor.call("link", "--user", "eve", "--port", str(mentor.port))
    page = Socket(mentor, "/ws/sessions/secret/", sign_in(mentor, link))
    assert page.status == 101
    page.send({"type": "follow", "attempt": 1, "log": 0, "points": ""})
    page.frame()
    users = "from django.contrib.auth.models import User; User.objects.get(username='eve')"
    shell(mentor, f"{users}.user_permissions.clear()")
    start = time.monotonic()
    with pytest.raises(Closed) as closed:
        while time.monotonic() - start < 90:
            page.frame()
    page.close()
    assert closed.value.code == 4404
    mentor.ask("POST", "sessions/secret/kill/")
