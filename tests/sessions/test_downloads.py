"""Sending files and streams: at the client's own pace, and never a part that looks whole."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from sessions import downloads
from sessions.downloads import CutShort, file_answer, safe_name, streamed
from sessions.errors import Missing


def asgi(**scope: Any) -> ASGIRequest:
    """A request as the web server hands it on."""
    return ASGIRequest({"type": "http", "method": "GET", "path": "/x", "headers": [], **scope}, BytesIO())


async def taken(answer: Any) -> bytes:
    return b"".join([block async for block in answer])


async def test_a_file_is_read_block_by_block_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "BLOCK_BYTES", 10)
    (tmp_path / "file").write_bytes(b"0123456789" * 3 + b"end")
    answer = file_answer(asgi(headers=[(b"range", b"bytes=5-")]), tmp_path / "file")
    blocks = [block async for block in answer]  # type: ignore[attr-defined]
    assert [len(block) for block in blocks] == [10, 10, 8]
    answer.close()


async def test_nothing_more_is_read_than_was_asked_for() -> None:
    read: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(3):
            read.append(number)
            yield b"x"

    answer = aiter(streamed(asgi(), blocks()))
    assert await anext(answer) == b"x"
    assert read == [0]


async def test_a_stream_that_fails_midway_is_cut_short() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"x"
        raise OSError("gone")

    with pytest.raises(CutShort):
        await taken(streamed(asgi(), blocks()))


def test_a_folder_and_a_missing_file_are_missing(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(Missing):
            file_answer(RequestFactory().get("/"), path)


@given(st.text(max_size=300))
def test_a_name_is_safe_whatever_it_was(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 150
    assert safe.isprintable()
    assert not set('<>:"/\\|?*') & set(safe)
    assert safe not in {".", ".."}
