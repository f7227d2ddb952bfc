"""What a page gets over its websocket: only what it may see, everything once, in order, whatever breaks in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client

from mentor_site.asgi import application
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import TrainingSession
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.console import attempt_of
from sessions.services import points
from sessions.services.ingest import touch
from tests.factories import make_session

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
        wire = WebsocketCommunicator(application, self.path, self.headers)  # type: ignore[arg-type]
        connected, code = await wire.connect()
        assert not connected
        return int(code or 0)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[WebsocketCommunicator]:
        wire = WebsocketCommunicator(application, self.path, self.headers)  # type: ignore[arg-type]
        connected, _ = await wire.connect(timeout=PATIENCE_SECONDS)
        assert connected
        follow = {"type": "follow", "attempt": self.attempt, "log": self.log, "points": self.cursor}
        await wire.send_to(text_data=json.dumps(follow))
        try:
            yield wire
        finally:
            await wire.disconnect()

    async def take(self, wire: WebsocketCommunicator) -> str:
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

    async def take_until(self, wire: WebsocketCommunicator, enough: Callable[[Page], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(self):
            await self.take(wire)
            assert time.monotonic() < deadline


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
