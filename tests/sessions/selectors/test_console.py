"""Reading a console: every byte once, whole lines while it grows, and the rest when it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.domain.states import State
from sessions.errors import Missing
from sessions.models import Attempt, TrainingSession
from sessions.selectors import console
from sessions.selectors.console import console_part, read_part, tail_offset
from tests.factories import make_session

PIECES = (b"", b"\n", b"\r\n", b"line", b"\xc3", b"\xbc", b"\xff", b"long " * 9)
CONTENT = st.lists(st.sampled_from(PIECES), max_size=30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING)


def write(session: TrainingSession, data: bytes) -> None:
    path = console.console_path(session, session.attempts.get())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@settings(max_examples=100, deadline=None)
@given(parts=CONTENT, limit=st.integers(1, 60))
def test_parts_put_together_are_the_file_when_nothing_more_will_come(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], limit: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "console.log"
    path.write_bytes(b"".join(parts))
    read, offset = b"", 0
    while True:
        block, after = read_part(path, offset, limit, whole=True)
        assert after == offset + len(block)
        assert len(block) <= limit
        if after == offset:
            break
        read, offset = read + block, after
    assert read == b"".join(parts)


def test_a_line_that_is_not_whole_waits(path: Path) -> None:
    path.write_bytes(b"one\ntwo\nthr")
    assert read_part(path, 0, 1000) == (b"one\ntwo\n", 8)
    assert read_part(path, 8, 1000) == (b"", 8)
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert read_part(path, 8, 1000) == (b"three\n", 14)


def test_the_last_line_is_handed_out_without_its_newline_once_nothing_more_will_come(path: Path) -> None:
    path.write_bytes(b"one\ntwo")
    assert read_part(path, 0, 1000, whole=True) == (b"one\ntwo", 7)
    assert read_part(path, 7, 1000, whole=True) == (b"", 7)


def test_a_line_longer_than_the_limit_comes_in_pieces_rather_than_never(path: Path) -> None:
    path.write_bytes(b"x" * 100_000)
    assert read_part(path, 0, 10) == (b"x" * 10, 10)
    block, after = read_part(path, 0, 80_000)
    assert (len(block), after) == (80_000, 80_000)
    assert read_part(path, 80_000, 80_000) == (b"", 80_000)
    path.write_bytes(b"y" * console.LONGEST_LINE)
    assert read_part(path, 0, 1_000_000)[1] == console.LONGEST_LINE


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_of_nothing_is_one_byte(path: Path, limit: int) -> None:
    path.write_bytes(b"\nab")
    assert read_part(path, 0, limit) == (b"\n", 1)


def test_no_part_is_larger_than_a_megabyte(path: Path) -> None:
    path.write_bytes(b"x" * 99 + b"\n")
    path.write_bytes(path.read_bytes() * 20_000)
    block, after = read_part(path, 0, 10**9)
    assert console.MAX_BYTES - 100 < len(block) == after <= console.MAX_BYTES


def test_a_console_that_is_not_there_or_ends_before_the_offset_has_nothing(path: Path) -> None:
    assert read_part(path, 5, 100) == (b"", 5)
    path.write_bytes(b"abc\n")
    assert read_part(path, 50, 100, whole=True) == (b"", 50)


@pytest.mark.parametrize(
    ("data", "length", "offset"),
    [
        (b"", 10, 0),
        (b"one\ntwo\n", 8, 0),
        (b"one\ntwo\n", 100, 0),
        (b"one\ntwo\n", 7, 4),
        (b"one\ntwo\n", 5, 4),
        (b"one\ntwo\n", 4, 4),
        (b"one\ntwo\nthr", 6, 8),
        (b"one\r\ntwo\r\n", 6, 5),
    ],
)
def test_a_tail_begins_with_a_whole_line(path: Path, data: bytes, length: int, offset: int) -> None:
    path.write_bytes(data)
    assert tail_offset(path, length) == offset


def test_the_tail_of_one_endless_line_is_its_last_bytes(path: Path) -> None:
    path.write_bytes(b"x" * 50)
    assert tail_offset(path, 10) == 40
    assert tail_offset(path.with_name("missing"), 10) == 0


def test_a_part_says_whose_it_is_and_whether_more_will_come(session: TrainingSession) -> None:
    write(session, b"one\ntw")
    part = console_part(session, after=0, limit=100)
    assert (part.attempt, part.offset, part.next_offset, part.text, part.ended) == (1, 0, 4, "one\n", False)
    Attempt.objects.update(state=State.STOPPED.value, console_size=6)
    part = console_part(session, after=4, limit=100)
    assert (part.next_offset, part.text, part.ended) == (6, "tw", True)


def test_it_has_not_ended_while_the_reader_is_not_at_its_end(session: TrainingSession) -> None:
    write(session, b"one\ntwo\n")
    Attempt.objects.update(state=State.COMPLETED.value, console_size=8)
    assert not console_part(session, after=0, limit=4).ended
    assert console_part(session, after=4, limit=4).ended


def test_bytes_that_are_no_text_do_not_hinder(session: TrainingSession) -> None:
    write(session, b"\xff\xfe gr\xfcn \xc3\n")
    part = console_part(session, after=0, limit=100)
    assert part.text.endswith("\n")
    assert part.text.count("\N{REPLACEMENT CHARACTER}") == 4
    assert part.next_offset == 10


def test_an_attempt_there_is_not_is_missing(session: TrainingSession) -> None:
    assert console.attempt_of(session) == console.attempt_of(session, 1) == session.attempts.get()
    with pytest.raises(Missing):
        console_part(session, after=0, limit=10, number=2)
    session.attempts.all().delete()
    part = console_part(session, after=7, limit=10)
    assert (part.attempt, part.next_offset, part.text, part.ended) == (0, 7, "", False)
