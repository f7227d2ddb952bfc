"""What the web server does with answers that cannot be sent whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mentor_site import serving
from mentor_site.serving import patient
from sessions.downloads import CutShort

BODY = {"type": "http.response.body", "body": b"x", "more_body": True}
pytestmark = pytest.mark.asyncio


async def answers(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send(BODY)
    await send({**BODY, "more_body": False})


async def test_an_answer_goes_through_as_it_is() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await patient(answers)({"type": "http"}, None, send)
    assert [one["more_body"] for one in sent] == [True, False]


async def test_a_client_that_takes_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 0.01)

    async def never(message: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    await patient(answers)({"type": "http", "path": "/large"}, None, never)
    assert "/large: the client takes nothing any more" in caplog.text


async def test_one_that_is_cut_short_has_no_end() -> None:
    sent: list[dict[str, Any]] = []

    async def fails(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send(BODY)
        raise CutShort("gone")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await patient(fails)({"type": "http"}, None, send)
    assert sent == [BODY]


async def test_websockets_are_the_servers_own_affair() -> None:
    given: list[Any] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        given.append(send)

    send = object()
    await patient(application)({"type": "websocket"}, None, send)
    assert given == [send]
