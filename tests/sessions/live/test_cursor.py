"""What a page says it has, and the next part of the console for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessions.live.cursor import Cursor, Follow, read_follow


def test_a_page_says_what_it_has() -> None:
    text = json.dumps({"type": "follow", "attempt": 2, "log": 10, "points": "1:5"})
    assert read_follow(text) == Follow(2, 10, "1:5")
    assert read_follow('{"type": "follow"}') == Follow(0, 0, "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "no", "[]", "{}", '{"type": "x"}', "[" * 5000, "x" * 10**6),
        *(f'{{"type": "follow", "log": {log}}}' for log in ("-1", "true", '"0"', "9" * 30, "NaN")),
        '{"type": "follow", "points": 3}',
    ],
)
def test_anything_else_is_no_message(text: str) -> None:
    assert read_follow(text) is None


def read_all(cursor: Cursor) -> str:
    return "".join(part.text for part in iter(cursor.read, None))


def test_only_whole_lines_are_handed_out_and_each_once(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"one\ntw")
    cursor = Cursor(Follow(1, 0, ""))
    cursor.watch(1, log, ended=False)
    assert read_all(cursor) == "one\n"
    with log.open("ab") as file:
        file.write(b"o\nthree\n")
    assert read_all(cursor) == "two\nthree\n"
    assert cursor.offset == log.stat().st_size


def test_a_reconnect_goes_on_where_the_page_was(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"one\ntwo\n")
    cursor = Cursor(Follow(1, 4, ""))
    cursor.watch(1, log, ended=False)
    assert read_all(cursor) == "two\n"


def test_a_further_attempt_begins_at_its_own_first_byte(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"old\n")
    second.write_bytes(b"new\n")
    cursor = Cursor(Follow(1, 0, ""))
    cursor.watch(1, first, ended=True)
    assert read_all(cursor) == "old\n"
    cursor.watch(2, second, ended=False)
    assert read_all(cursor) == "new\n"


def test_a_last_line_without_its_newline_comes_when_the_attempt_has_ended(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"one\nlast")
    cursor = Cursor(Follow(1, 0, ""))
    cursor.watch(1, log, ended=False)
    assert read_all(cursor) == "one\n"
    cursor.watch(1, log, ended=True)
    assert read_all(cursor) == "last"


def test_a_line_longer_than_a_frame_does_not_stop_the_feed(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"x" * 700_000 + b"\nend\n")
    cursor = Cursor(Follow(1, 0, ""))
    cursor.watch(1, log, ended=False)
    assert len(read_all(cursor)) == 700_005


def test_a_console_that_is_not_there_yet_has_no_lines(tmp_path: Path) -> None:
    cursor = Cursor(Follow(0, 0, ""))
    assert cursor.read() is None
    cursor.watch(1, tmp_path / "none", ended=False)
    assert cursor.read() is None
