"""A reader that dies, or whose console is cut short: what is stored is what one undisturbed reading stores."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from sessions.domain.states import State
from sessions.metrics.codec import unpack
from sessions.models import SeriesChunk, SessionEvent
from sessions.runtime.files import size_and_crc32
from sessions.runtime.rundir import ExitRecord
from sessions.services import closing
from sessions.services.ingest import Ingester
from tests.factories import make_session
from tests.sessions.attempts import CONNECTED, INTERRUPTED, LISTENING, NEW_BRAIN, OnDisk, record_of, summary

pytestmark = pytest.mark.usefixtures("home")
REWARD, LOSS = "Environment/Cumulative Reward", "Losses/Policy Loss"


class Died(BaseException):
    """The process was killed here."""


class FailPoint:
    """Lets so many statements through and dies at the next one."""

    def __init__(self, statements: float) -> None:
        self.left = statements

    def __call__(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        # Whether a commit that was cut off counts is the database's own affair.
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.left -= 1
            if self.left < 0:
                raise Died
        return execute(sql, *arguments)


def session_that_trains(owner: User) -> OnDisk:
    return OnDisk(make_session(owner=owner, state=State.STARTING))


def train(written: OnDisk) -> None:
    written.say(LISTENING, CONNECTED, NEW_BRAIN, summary(500), summary(500, behavior="Other", reward="-1.000"))
    written.say(INTERRUPTED)
    for step in (500, 1000):
        written.append_events(record_of(REWARD, step, step / 1000) + record_of(LOSS, step, 0.5))
    written.append_events(record_of(REWARD, 500, -1.0), behavior="Other")


def stored(written: OnDisk) -> tuple[Any, ...]:
    """All that reading stores."""
    chunks = SeriesChunk.objects.filter(series__attempt=written.pk).order_by("series__behavior", "series__tag")
    points = [(c.series.behavior, c.series.tag, c.series.count, [*unpack(bytes(c.data)).steps]) for c in chunks]
    behaviors = written.session.behaviors.order_by("name").values_list("name", "step", "mean_reward", "seen")
    events = SessionEvent.objects.filter(session=written.session).values_list("from_state", "to_state")
    attempt = written.attempt
    position = (attempt.console_offset, attempt.console_crc32, attempt.interrupted, attempt.state)
    return points, list(behaviors), list(events), position


def read(written: OnDisk, *, die_after: float = math.inf) -> bool:
    """Read everything with a new reader; return whether it lived to the end."""
    try:
        with connection.execute_wrapper(FailPoint(die_after)):
            written.ingester().drain()
    except Died:
        return False
    return True


def test_a_reader_killed_at_any_statement_costs_nothing_and_doubles_nothing(ada: User) -> None:
    undisturbed = session_that_trains(ada)
    train(undisturbed)
    assert read(undisturbed)
    deaths = 0
    lived = False
    while not lived:
        written = session_that_trains(ada)
        train(written)
        lived = read(written, die_after=deaths)
        assert lived or read(written)
        assert stored(written) == stored(undisturbed), f"killed at statement {deaths + 1}"
        deaths += 1
    assert deaths > 20


def test_a_reader_that_dies_at_every_step_still_gets_there(ada: User) -> None:
    undisturbed, written = session_that_trains(ada), session_that_trains(ada)
    for each in (undisturbed, written):
        train(each)
    assert read(undisturbed)
    patience = 1
    while not read(written, die_after=patience):
        patience += 1
    assert stored(written) == stored(undisturbed)


@pytest.mark.parametrize("left", [0, 30])
def test_a_console_that_becomes_shorter_is_an_alarm_and_what_it_told_is_kept(ada: User, left: int) -> None:
    written = session_that_trains(ada)
    written.say(CONNECTED, summary(500), summary(1000))
    reader = written.ingester()
    reader.step()
    with written.directory.console.open("r+b") as file:
        file.truncate(left)
    reader.step()
    assert "became shorter" in written.attempt.alarm
    assert written.session.behaviors.get().step == 1000
    written.say("", summary(1500))
    reader.step()
    assert written.session.behaviors.get().step == 1500
    assert written.attempt.alarm.count("became shorter") == 1


def test_what_a_shortened_console_said_unread_is_read_at_the_end(ada: User) -> None:
    written = session_that_trains(ada)
    written.say(CONNECTED, summary(500), summary(1000))
    reader = written.ingester()
    reader.step()
    written.directory.console.write_bytes(b"")
    written.say(INTERRUPTED)  # written before anybody saw that the console was cut
    reader.step()
    assert not written.attempt.interrupted
    finished(reader)
    assert written.attempt.interrupted
    assert (written.attempt.console_offset, written.attempt.console_crc32) == reader.position


def finished(reader: Ingester) -> None:
    """Close the attempt as its shim recorded its end."""
    size, crc = size_and_crc32(reader.directory.console)
    assert closing.close(reader, ExitRecord(1, 1.7e9, size, crc))


@pytest.mark.slow
def test_a_flood_of_anything_is_read_whole_in_bounded_memory(ada: User) -> None:
    written = session_that_trains(ada)
    odd = [b"\0" * 5000, b"\xff\xfe\x80" * 3000, b"\x1b[31mred\x1b[0m\r" * 2000, bytes(range(256)) * 40]
    block = b"".join(part + b"\n" + summary(500).encode() + b"\n" for part in odd) * 20
    for _ in range(8):
        written.write(block)
    written.write(b"x" * 10_000_000 + b"\n")  # one line
    written.say(summary(1000))
    reader = written.ingester()
    tracemalloc.start()
    try:
        assert reader.drain()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64_000_000
    assert written.attempt.console_offset == written.directory.console.stat().st_size > 15_000_000
    assert written.session.behaviors.get(name="Ball").step == 1000
    finished(reader)
    assert written.attempt.alarm == ""
