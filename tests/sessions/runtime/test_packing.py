"""Compressing files: what was there can be read from anywhere, and no kill loses a byte."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.runtime import packing
from sessions.runtime.packing import (
    BLOCK_BYTES,
    PackedFile,
    as_member,
    open_bytes,
    pack,
    packed_path,
    plain_path,
    unpack,
)

NEVER = float("inf")


class Slices:
    """A clock that lets so many looks pass before the deadline at 1."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def __call__(self) -> float:
        self.looks -= 1
        return 0.0 if self.looks > 0 else 2.0


def text(size: int) -> bytes:
    return b"".join(b"[INFO] Ball. Step: %d. Mean Reward: 1.5.\n" % number for number in range(size // 40))


@pytest.fixture
def console(tmp_path: Path) -> Path:
    path = tmp_path / "console.log"
    path.write_bytes(text(1_000_000))
    return path


def test_a_compressed_file_is_smaller_and_reads_as_before(console: Path) -> None:
    content, changed = console.read_bytes(), console.stat().st_mtime_ns
    assert pack(console, deadline=NEVER)
    packed = packed_path(console)
    assert [one.name for one in console.parent.iterdir()] == ["console.log.gz"]
    assert packed.stat().st_size < len(content) / 5
    with open_bytes(console) as file:
        assert file.read() == content
    assert gzip.decompress(packed.read_bytes()) == content, "every tool reads it"
    assert pack(console, deadline=NEVER), "a second time there is nothing to do"
    assert unpack(packed, deadline=NEVER)
    assert console.read_bytes() == content
    assert console.stat().st_mtime_ns == changed
    assert not packed.exists()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 700), st.lists(st.tuples(st.integers(0, 3100), st.integers(0, 3100))))
def test_any_part_reads_as_it_was_written(content: bytes, block: int, parts: list[tuple[int, int]]) -> None:
    packed = b"".join(as_member(content[at : at + block]) for at in range(0, len(content), block))
    file = io.BufferedReader(PackedFile(io.BytesIO(packed)))
    assert file.seek(0, os.SEEK_END) == len(content)
    for start, length in parts:
        file.seek(start)
        assert file.read(length) == content[start : start + length]


def test_work_in_slices_goes_on_where_it_was_left_also_after_a_kill_in_a_member(console: Path) -> None:
    content = console.read_bytes()
    slices = 0
    while not pack(console, deadline=1.0, clock=Slices(1)):
        slices += 1
        draft = console.with_name(".console.log.gz.draft")
        assert console.read_bytes() == content
        with draft.open("ab") as file:
            file.write(b"\x1f\x8b\x08\x04 half of a member")
    assert slices == len(content) // BLOCK_BYTES + 1
    packed = packed_path(console)
    slices = 0
    while not unpack(packed, deadline=1.0, clock=Slices(1)):
        slices += 1
        with (console.parent / ".console.log.gz.plain.draft").open("ab") as file:
            file.write(b"half a block")
    assert slices == len(content) // BLOCK_BYTES + 1
    assert console.read_bytes() == content
    assert [one.name for one in console.parent.iterdir()] == ["console.log"]


def test_what_does_not_compress_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(os.urandom(5000))
    assert pack(path, deadline=NEVER)
    assert [one.name for one in tmp_path.iterdir()] == ["noise"]


def test_a_death_between_the_last_two_steps_is_mended_both_ways(console: Path) -> None:
    content = console.read_bytes()
    pack(console, deadline=NEVER)
    console.write_bytes(content)
    assert pack(console, deadline=NEVER)
    assert not console.exists()
    console.write_bytes(content)
    assert unpack(packed_path(console), deadline=NEVER)
    assert not packed_path(console).exists()


def test_a_damaged_copy_never_replaces_the_original(console: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = console.read_bytes()
    monkeypatch.setattr(packing, "as_member", lambda block: as_member(block[:-1] + b"X"))
    with pytest.raises(OSError, match="not what was read"):
        pack(console, deadline=NEVER)
    assert console.read_bytes() == content
    assert [one.name for one in console.parent.iterdir()] == ["console.log"]


def test_a_compressed_file_that_was_damaged_says_so(console: Path) -> None:
    pack(console, deadline=NEVER)
    packed = packed_path(console)
    data = bytearray(packed.read_bytes())
    data[60] ^= 0xFF
    packed.write_bytes(data)
    with pytest.raises(OSError, match="damaged"), open_bytes(console) as file:
        file.read()
    with pytest.raises(OSError, match="damaged"):
        unpack(packed, deadline=NEVER)
    assert packed.exists()


def test_another_file_under_the_old_name_is_not_overwritten(console: Path) -> None:
    pack(console, deadline=NEVER)
    console.write_bytes(b"another")
    with pytest.raises(OSError, match="is not what"):
        unpack(packed_path(console), deadline=NEVER)
    assert console.read_bytes() == b"another"


def test_a_compressed_event_file_is_no_event_file_to_tensorboard() -> None:
    path = Path("events.out.tfevents.1700000000.host.1.0")
    assert "tfevents" not in packed_path(path).name
    assert plain_path(packed_path(path)) == path


def test_nothing_is_opened_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_bytes(tmp_path / "console.log")
