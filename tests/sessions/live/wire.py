"""A page's end of a websocket, spoken to the application itself without a server."""

from __future__ import annotations

from typing import Any

from asgiref import testing


class Wire:
    """One connection to `path` with these headers."""

    def __init__(self, application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
        speak: Any = testing.ApplicationCommunicator
        self._ends = speak(application, scope)

    async def connect(self, timeout: float = 1.0) -> tuple[bool, int]:
        """Return whether it was accepted, and the code with which it was not."""
        await self._ends.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout)
        return answer["type"] == "websocket.accept", int(answer.get("code", 1000))

    async def send_to(self, text: str) -> None:
        await self._ends.send_input({"type": "websocket.receive", "text": text})

    async def receive_output(self, timeout: float) -> dict[str, Any]:
        """Return what the application did, whatever it was."""
        answer: dict[str, Any] = await self._ends.receive_output(timeout)
        return answer

    async def receive_from(self, timeout: float) -> str:
        """Return the text that was sent."""
        answer = await self.receive_output(timeout)
        assert answer["type"] == "websocket.send", answer
        return str(answer["text"])

    async def disconnect(self) -> None:
        await self._ends.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._ends.wait(1)
