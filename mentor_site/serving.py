"""The web server: daphne, and for each websocket a way to ask whether its page keeps up."""

from __future__ import annotations

from typing import Any

from daphne.server import Server

# A page sends a cursor; what MENTOR sends is in frames of at most a few megabytes (see sessions.live).
MOST_MESSAGE_BYTES = 8 * 1024 * 1024


class PatientServer(Server):  # type: ignore[misc]  # daphne has no types
    """Gives each scope `congested`: whether what was sent last still waits to be taken by the other end.

    That of a request gets `abort` as well, which ends the connection so that a client knows its answer is not whole.
    """

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "websocket":
            scope["congested"] = lambda: bool(getattr(protocol.transport, "producerPaused", False))
        elif scope["type"] == "http":
            scope["congested"] = lambda: bool(getattr(protocol.channel, "_waitingForTransport", False))
            scope["abort"] = lambda: _abort(protocol)
        return super().create_application(protocol, scope)


def _abort(protocol: Any) -> None:
    if protocol.channel is not None:
        protocol.channel.transport.abortConnection()
