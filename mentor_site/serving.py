"""The web server: uvicorn, which lets whoever sends wait until the other end has taken what was sent before."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from mentor_site.origins import App
from sessions.downloads import CutShort

logger = logging.getLogger(__name__)

# A page sends a cursor; see `sessions.live.cursor.MAX_MESSAGE`.
MOST_MESSAGE_BYTES = 256 * 1024
# A client that takes nothing for so long is given up.
PATIENCE_SECONDS = 60.0
GOODBYE_SECONDS = 2


class Websocket(WebSocketsSansIOProtocol):
    """Lets a page go that answers no ping, without waiting for it to take what was sent before."""

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def serve(application: App, *, host: str, port: int) -> None:
    """Answer on this address until a signal ends it."""
    config = uvicorn.Config(
        patient(application),
        host=host,
        port=port,
        loop="asyncio",
        http="h11",
        ws=Websocket,
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        # What a proxy says of a client is the proxy's affair, and nobody else's to forge.
        proxy_headers=False,
        server_header=False,
        headers=[("Server", "MENTOR")],
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    uvicorn.Server(config).run()


def patient(application: App) -> App:
    """Give up an answer that fails midway or that nobody takes; without an end no client takes a part for the whole."""

    async def answering(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return

        async def sending(message: dict[str, Any]) -> None:
            try:
                await asyncio.wait_for(send(message), PATIENCE_SECONDS)
            except asyncio.TimeoutError:
                raise CutShort("the client takes nothing any more") from None

        try:
            await application(scope, receive, sending)
        except CutShort as error:
            logger.warning("%s: %s; the answer was ended", scope.get("path"), error)

    return answering
