"""What a page gets over its websocket: only what it may see, everything once, in order, whatever breaks in between."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connections, transaction
from django.test import Client

from mentor_site.asgi import application
from sessions.domain.states import State
from sessions.live import views
from sessions.live.consumers import ANONYMOUS, FORBIDDEN, UNKNOWN
from sessions.metrics.events import Point
from sessions.models import Attempt, TrainingSession
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.console import attempt_of
from sessions.services import points, starting
from sessions.services.transitions import move, touch
from tests.factories import make_session, make_user
from tests.sessions.live.wire import Wire

pytestmark = pytest.mark.django_db(transaction=True)

HOST = b"127.0.0.1:8600"
TAG = "Environment/Cumulative Reward"
LINES, POINT_EVERY = 600, 10
PATIENCE_SECONDS = 10.0


def cookie_of(user: User) -> bytes:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


class Page:
    """A page as the browser's modules make it: it keeps what it got and says, at every opening, where it stands."""

    def __init__(self, run_id: str, cookie: bytes = b"", origin: bytes = b"http://" + HOST) -> None:
        headers = [(b"host", HOST), (b"origin", origin), (b"cookie", cookie)]
        self.path, self.headers = f"/ws/sessions/{run_id}/", headers
        self.attempt, self.log, self.cursor = 0, 0, ""
        self.text = ""
        self.steps: list[int] = []
        self.states: list[dict[str, Any]] = []

    async def refused(self) -> int:
        """Return the code with which the handshake is refused."""
        wire = Wire(application, self.path, self.headers)
        connected, code = await wire.connect()
        assert not connected
        return int(code or 0)

    @contextlib.asynccontextmanager
    async def connected(self, hello: str | None = None) -> AsyncIterator[Wire]:
        wire = Wire(application, self.path, self.headers)
        connected, _ = await wire.connect(timeout=PATIENCE_SECONDS)
        assert connected
        follow = {"type": "follow", "attempt": self.attempt, "log": self.log, "points": self.cursor}
        await wire.send_to(json.dumps(follow) if hello is None else hello)
        try:
            yield wire
        finally:
            await wire.disconnect()

    async def take(self, wire: Wire) -> str:
        """Take one frame and return its type; nothing in it may be known already or leave something out."""
        frame = json.loads(await wire.receive_from(timeout=PATIENCE_SECONDS))
        if frame["type"] == "log":
            if frame["attempt"] != self.attempt:
                self.attempt, self.log, self.text = frame["attempt"], 0, ""
            assert frame["offset"] == self.log
            self.log, self.text = frame["cursor"], self.text + frame["text"]
        elif frame["type"] == "points":
            self.cursor = frame["cursor"]
            self.steps += [step for series in frame["series"] for step in series["steps"]]
        elif frame["type"] == "state":
            self.states.append(frame["session"])
        return str(frame["type"])

    async def take_until(self, wire: Wire, enough: Callable[[Page], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(self):
            await self.take(wire)
            assert time.monotonic() < deadline


@pytest.fixture
def on_disk(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """The tests' database in a file, as MENTOR has it: one that is read and written at once, and counts its commits."""
    default, path = connections["default"], tmp_path / "mentor.sqlite3"
    default.ensure_connection()
    name, memory = default.settings_dict["NAME"], default.connection
    with contextlib.closing(sqlite3.connect(path)) as file:
        memory.backup(file)
    default.connection = None
    default.settings_dict["NAME"] = str(path)  # one dictionary, which all threads and the pulse read
    yield
    default.close()
    default.settings_dict["NAME"], default.connection = name, memory


@pytest.fixture(autouse=True)
async def feed_thread(on_disk: None) -> AsyncIterator[None]:
    """The thread in which feeds ask the database begins and ends without a connection."""
    await sync_to_async(forget_connection)()
    yield
    await sync_to_async(connections.close_all)()


def forget_connection() -> None:
    """A database in memory is not closed by being told to."""
    connections["default"].connection = None


@pytest.fixture
def running(home: Path, ada: User) -> TrainingSession:
    """A session that trains, as far as the database knows."""
    session = make_session(owner=ada, state=State.RUNNING)
    console_of(session).parent.mkdir(parents=True)
    return session


def console_of(session: TrainingSession, number: int = 1) -> Path:
    return RunDirectory(settings.MENTOR_HOME, session.run_id).attempt(number).console


def store_point(session: TrainingSession, step: int) -> None:
    attempt = attempt_of(session)
    assert attempt is not None
    with transaction.atomic():
        points.append(attempt, "Ball", [Point(TAG, step, float(step), step / 2)])
        touch(session.pk)


class Writer(threading.Thread):
    """Plays trainer and supervisor at once: console lines, some in two pieces, and points in between.

    The second and the last third wait for their gates, so that whoever opens them knows that there is more to come.
    """

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.console = console_of(session)
        self.gates = {LINES // 3: threading.Event(), 2 * LINES // 3: threading.Event()}
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self.console.open("ab", buffering=0) as file:
                for number in range(LINES):
                    self.write(file.write, number)
        except BaseException as error:
            self.failure = error
        finally:
            connections.close_all()

    def write(self, write: Callable[[bytes], object], number: int) -> None:
        if number in self.gates:
            self.gates[number].wait(PATIENCE_SECONDS)
        line = f"line {number} of größe ü\n".encode()
        cut = line.index(b"\xc3") + 1 if number % 7 == 0 else 0  # in the middle of a letter
        write(line[:cut])
        write(line[cut:])
        if number % POINT_EVERY == 0:
            store_point(self.session, number)


async def test_every_line_and_point_arrives_once_and_in_order(running: TrainingSession, ada: User) -> None:
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    writer = Writer(running)
    first, second = writer.gates.values()
    writer.start()
    async with page.connected() as wire:
        await page.take(wire)
        first.set()
        await page.take_until(wire, lambda page: bool(page.text and page.steps))
    assert len(page.steps) < LINES / POINT_EVERY
    second.set()
    async with page.connected() as wire:
        await page.take(wire)
    async with page.connected() as wire:
        await page.take_until(wire, lambda page: f"line {LINES - 1} " in page.text)
        await page.take_until(wire, lambda page: len(page.steps) >= LINES / POINT_EVERY)
    writer.join(PATIENCE_SECONDS)
    assert writer.failure is None
    assert page.text.encode() == writer.console.read_bytes()
    assert page.steps == list(range(0, LINES, POINT_EVERY))


async def test_a_page_that_nobody_signed_in_to_is_refused(running: TrainingSession) -> None:
    assert await Page(running.run_id).refused() == ANONYMOUS


@pytest.mark.parametrize("origin", [b"http://127.0.0.1:8601", b"http://evil.example", b"null", b""])
async def test_a_page_of_another_origin_is_refused(running: TrainingSession, ada: User, origin: bytes) -> None:
    cookie = await sync_to_async(cookie_of)(ada)
    assert await Page(running.run_id, cookie, origin).refused() == 4403


async def test_a_session_that_may_not_be_seen_is_refused_as_one_that_does_not_exist(running: TrainingSession) -> None:
    eve = await sync_to_async(make_user)("eve")
    cookie = await sync_to_async(cookie_of)(eve)
    assert await Page(running.run_id, cookie).refused() == FORBIDDEN
    assert await Page("no-such-session", cookie).refused() == FORBIDDEN


@pytest.mark.parametrize("message", ["hello", "[]", '{"type": "follow", "log": -1}'])
async def test_a_page_that_says_something_else_is_closed(running: TrainingSession, ada: User, message: str) -> None:
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    async with page.connected(hello=message) as wire:
        assert await wire.receive_output(PATIENCE_SECONDS) == {"type": "websocket.close", "code": UNKNOWN}


async def test_a_cursor_that_was_not_handed_out_ends_the_feed(running: TrainingSession, ada: User) -> None:
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    page.cursor = "1:x"
    async with page.connected() as wire:
        assert await page.take(wire) == "gone"
        assert await wire.receive_output(PATIENCE_SECONDS) == {"type": "websocket.close", "code": FORBIDDEN}


async def test_a_state_frame_carries_what_the_api_answers(home: Path, ada: User) -> None:
    session = await sync_to_async(make_session)(owner=ada, tags=("first",), notes="A note.")
    page = Page(session.run_id, await sync_to_async(cookie_of)(ada))
    async with page.connected() as wire:
        await page.take_until(wire, lambda page: bool(page.states))
    answer = await sync_to_async(api_answer)(ada, session.run_id)
    assert in_milliseconds(page.states[0]) == in_milliseconds(answer)


def api_answer(user: User, run_id: str) -> dict[str, Any]:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/api/sessions/{run_id}/").json()
    assert isinstance(answer, dict)
    return answer


def in_milliseconds(shape: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.fromisoformat(shape["created_at"].replace("Z", "+00:00"))
    return {**shape, "created_at": int(moment.timestamp() * 1000)}


async def test_every_change_of_state_is_told(running: TrainingSession, ada: User) -> None:
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    async with page.connected() as wire:
        await page.take_until(wire, lambda page: bool(page.states))
        await sync_to_async(end)(running)
        await page.take_until(wire, lambda page: page.states[-1]["state"] == "failed")
    assert page.states[-1]["explanation"] == "It broke."


def end(session: TrainingSession) -> None:
    attempt = Attempt.objects.get(session=session)
    assert move(attempt, State.FAILED, who="supervisor", why="It broke.")


async def test_a_further_attempt_begins_the_console_anew(running: TrainingSession, ada: User) -> None:
    console_of(running, 1).write_bytes(b"the first attempt\n")
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    async with page.connected() as wire:
        await page.take_until(wire, lambda page: page.text == "the first attempt\n")
        await sync_to_async(end)(running)
        await sync_to_async(again)(running, ada)
        console_of(running, 2).write_bytes(b"again\n")
        await page.take_until(wire, lambda page: page.text == "again\n")
    assert (page.attempt, page.log) == (2, len(b"again\n"))


def again(session: TrainingSession, user: User) -> None:
    session.refresh_from_db()
    starting.new_attempt(session, by=user.get_username(), resume=True, force=False)
    console_of(session, 2).parent.mkdir()


async def test_the_last_words_are_sent_without_their_newline_once_it_has_ended(
    running: TrainingSession, ada: User
) -> None:
    console_of(running).write_bytes(b"one\nKilled")
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    async with page.connected() as wire:
        await page.take_until(wire, lambda page: page.text == "one\n")
        await sync_to_async(end)(running)
        await page.take_until(wire, lambda page: page.text == "one\nKilled")


async def test_a_feed_that_breaks_closes_so_that_the_page_comes_back(
    running: TrainingSession, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    async with page.connected() as wire:
        await page.take(wire)
        monkeypatch.setattr("sessions.live.consumers.session_since", broken)
        await sync_to_async(touch)(running.pk)
        output = await wire.receive_output(PATIENCE_SECONDS)
    assert output == {"type": "websocket.close", "code": 4500}


def broken(*_: object) -> None:
    raise OperationalError("disk I/O error")


async def test_many_points_come_in_frames_of_a_bounded_size(
    running: TrainingSession, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_POINTS", 7)
    for step in range(20):
        await sync_to_async(store_point)(running, step)
    page = Page(running.run_id, await sync_to_async(cookie_of)(ada))
    sizes = []
    async with page.connected() as wire:
        while len(page.steps) < 20:
            before = len(page.steps)
            await page.take(wire)
            sizes.append(len(page.steps) - before)
    assert page.steps == list(range(20))
    assert max(sizes) == 7
