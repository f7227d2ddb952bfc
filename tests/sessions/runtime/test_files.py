from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sessions.runtime import files
from sessions.runtime.files import (
    atomic_write,
    create_once,
    read_json,
    read_regular,
    retrying,
    size_and_crc32,
)

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")


class Busy(OSError):
    """What Windows says of a file that somebody else has open."""

    def __init__(self, code: int) -> None:
        super().__init__("somebody else has it")
        self.winerror = code


def failing(times: int, error: OSError) -> Callable[[], str]:
    left = [error] * times

    def action() -> str:
        if left:
            raise left.pop()
        return "done"

    return action


def test_of_many_that_create_a_file_one_wins_and_its_content_stays(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    won: list[int] = []

    def race(number: int) -> None:
        start.wait()
        if create_once(tmp_path / "claim.json", {"by": number}):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert read_json(tmp_path / "claim.json") == {"by": won[0]}
    assert [path.name for path in tmp_path.iterdir()] == ["claim.json"]


def test_a_file_system_without_hard_links_still_has_one_winner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert create_once(tmp_path / "claim.json", b"{}")
    assert not create_once(tmp_path / "claim.json", b"other")
    assert (tmp_path / "claim.json").read_bytes() == b"{}"


def test_a_replaced_file_is_never_seen_in_halves(tmp_path: Path) -> None:
    path = tmp_path / "state"
    atomic_write(path, b"a" * 200_000)
    over = threading.Event()

    def write() -> None:
        for number in range(30):
            atomic_write(path, (b"b" if number % 2 else b"a") * 200_000)
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not over.is_set():
        seen.add(path.read_bytes())
    writer.join()
    assert seen <= {b"a" * 200_000, b"b" * 200_000}


def test_a_write_that_fails_leaves_the_old_content_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atomic_write(tmp_path / "state", b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(tmp_path / "state", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("code", [5, 32, 33])
def test_a_file_that_windows_keeps_for_a_moment_is_tried_again(code: int) -> None:
    slept: list[float] = []
    assert retrying(failing(3, Busy(code)), sleep=slept.append) == "done"
    assert slept == [0.05, 0.1, 0.2]


def test_a_file_that_windows_keeps_for_good_is_an_error_after_two_and_a_half_seconds() -> None:
    slept: list[float] = []
    with pytest.raises(OSError, match="somebody else"):
        retrying(failing(99, Busy(32)), sleep=slept.append)
    assert sum(slept) == pytest.approx(2.5)


def test_another_error_is_not_tried_again() -> None:
    slept: list[float] = []
    with pytest.raises(OSError, match="No space left"):
        retrying(failing(1, OSError(28, "No space left on device")), sleep=slept.append)
    assert slept == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_reads_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_json(tmp_path / "file") is None


def test_a_missing_file_a_folder_and_a_huge_file_read_as_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CONTROL_FILE_LIMIT_BYTES", 10)
    (tmp_path / "huge").write_bytes(b"x" * 11)
    (tmp_path / "fits").write_bytes(b"x" * 10)
    assert read_regular(tmp_path / "missing") is None
    assert read_regular(tmp_path) is None
    assert read_regular(tmp_path / "huge") is None
    assert read_regular(tmp_path / "fits") == b"x" * 10


@needs_links
def test_a_link_reads_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    assert read_regular(tmp_path / "link") is None
    assert read_regular(tmp_path / "secret") == b"{}"


@needs_links
def test_a_pipe_in_place_of_a_file_does_not_keep_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "pipe") is None


def test_size_and_checksum_are_those_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"123456789")
    assert size_and_crc32(tmp_path / "log") == (9, 0xCBF43926)
    assert size_and_crc32(tmp_path / "missing") == (0, 0)
