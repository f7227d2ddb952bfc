"""A page's end of the live feed: a websocket by hand, so that a test can be as slow and as rude as it likes."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

from tests.running import RunningMentor

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def sign_in(mentor: RunningMentor, link: str = "") -> str:
    """Return the cookies of a browser that followed a one-time link (a new one of the administrator's unless given)."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(link or mentor.call("link", "--port", str(mentor.port)), timeout=30).read().decode()
    found = re.search(r'<form method="post" action="([^"]*/enter/[^"]+)"', page)
    if found:
        token = next(cookie.value for cookie in jar if "csrf" in cookie.name)
        opener.open(f"{mentor.url}{found[1]}", data=f"csrfmiddlewaretoken={token}".encode(), timeout=30).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


class Closed(Exception):
    """The server ended the connection; `code` is its reason, None without one."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    """One connection to the feed of a session."""

    def __init__(self, mentor: RunningMentor, path: str, cookies: str, *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        try:
            self._shake_hands(mentor, path, cookies)
        except BaseException:
            self.socket.close()
            raise

    def _shake_hands(self, mentor: RunningMentor, path: str, cookies: str) -> None:
        self.socket.connect(("127.0.0.1", mentor.port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{mentor.port}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Origin: {mentor.url}", f"Cookie: {cookies}",
        ]  # fmt: skip
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._data = b""
        while b"\r\n\r\n" not in self._data:
            self._receive()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def _receive(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise Closed(None)
        self._data += data

    def _take(self, count: int) -> bytes:
        while len(self._data) < count:
            self._receive()
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def send(self, message: Any) -> None:
        """Send a message as JSON."""
        self._send(TEXT, json.dumps(message).encode())

    def _send(self, kind: int, payload: bytes) -> None:
        mask = os.urandom(4)
        size = struct.pack("!B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.socket.sendall(struct.pack("!B", 0x80 | kind) + size + mask + masked)

    def frame(self) -> dict[str, Any]:
        """Return the next message; raises Closed."""
        while True:
            first, second = self._take(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            payload = self._take(size)
            if first & 0x0F == PING:
                self._send(PONG, payload)
            elif first & 0x0F == CLOSE:
                raise Closed(int.from_bytes(payload[:2], "big") if payload else None)
            else:
                message = json.loads(payload)
                assert isinstance(message, dict)
                return message

    def close(self) -> None:
        self.socket.close()


class Reader:
    """A page that puts the console together, over as many connections as it takes."""

    def __init__(self, mentor: RunningMentor, run_id: str, cookies: str) -> None:
        self.mentor, self.path, self.cookies = mentor, f"/ws/sessions/{run_id}/", cookies
        self.console = b""
        self.points = ""
        self.attempt = 1
        self.state = ""
        self.socket: Socket | None = None

    def connect(self) -> None:
        """Connect (anew) and say what is there already."""
        self.close()
        self.socket = Socket(self.mentor, self.path, self.cookies)
        self.socket.send({"type": "follow", "attempt": self.attempt, "log": len(self.console), "points": self.points})

    def read(self) -> str:
        """Take in one message and return its type; fails when console bytes are missing or come twice."""
        assert self.socket is not None
        frame = self.socket.frame()
        if frame["type"] == "log":
            assert frame["offset"] == len(self.console), (frame["offset"], len(self.console))
            self.console += frame["text"].encode()
            assert frame["cursor"] == len(self.console)
        elif frame["type"] == "points":
            self.points = frame["cursor"]
        elif frame["type"] == "state":
            self.state = frame["session"]["state"]
        return str(frame["type"])

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
