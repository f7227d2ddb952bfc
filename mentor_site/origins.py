"""Which pages may open a websocket: those of MENTOR's own address, nothing else on this or any other host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http.request import split_domain_port, validate_host

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class SameOrigin:
    """Refuse a handshake whose Host is unknown or whose Origin is not exactly scheme, host and port of that Host.

    Channels' own validator compares host names only, and cookies ignore ports, so another program's page on this
    machine would pass it.
    """

    def __init__(self, app: App, allowed_hosts: list[str]) -> None:
        self.app = app
        self.allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        headers = {name.lower(): value for name, value in scope.get("headers", ())}
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if allowed(host, origin, scheme=scope.get("scheme", "ws"), allowed_hosts=self.allowed_hosts):
            await self.app(scope, receive, send)
            return
        await send({"type": "websocket.close", "code": 4403})


def allowed(host: str, origin: str, *, scheme: str, allowed_hosts: list[str]) -> bool:
    """Tell whether a page from `origin` may talk to `host`."""
    try:
        domain, _ = split_domain_port(host)
    except (DisallowedHost, ValueError):
        return False
    if not domain or not validate_host(domain, allowed_hosts):
        return False
    page = urlsplit(origin)
    schemes = {"wss": {"https"}, "ws": {"http", "https"}}[scheme if scheme in {"ws", "wss"} else "ws"]
    return page.scheme in schemes and page.netloc.lower() == host.lower()
