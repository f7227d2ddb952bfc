"""Only MENTOR's own pages may open a websocket."""

from __future__ import annotations

import pytest

from mentor_site.origins import allowed

HOSTS = ["127.0.0.1", "localhost", "[::1]"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8600", "http://127.0.0.1:8600"),
        ("localhost:8600", "http://LOCALHOST:8600"),
        ("[::1]:8600", "http://[::1]:8600"),
        ("localhost", "https://localhost"),
    ],
)
def test_the_own_address_is_welcome(host: str, origin: str) -> None:
    assert allowed(host, origin, scheme="ws", allowed_hosts=HOSTS)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8600", "http://127.0.0.1:6006"),
        ("127.0.0.1:8600", "http://localhost:8600"),
        ("127.0.0.1:8600", "http://127.0.0.1"),
        ("127.0.0.1:8600", "http://127.0.0.1:8600.evil.com"),
        ("127.0.0.1:8600", "http://evil.com/127.0.0.1:8600"),
        ("127.0.0.1:8600", "http://user@127.0.0.1:8600"),
        ("127.0.0.1:8600", "ftp://127.0.0.1:8600"),
        ("127.0.0.1:8600", "null"),
        ("127.0.0.1:8600", ""),
        ("evil.com", "http://evil.com"),
        ("127.0.0.1.evil.com", "http://127.0.0.1.evil.com"),
        ("", "http://127.0.0.1"),
        ("", ""),
        ("127.0.0.1:", "http://[broken"),
    ],
)
def test_any_other_page_is_refused(host: str, origin: str) -> None:
    assert not allowed(host, origin, scheme="ws", allowed_hosts=HOSTS)


def test_a_page_without_https_may_not_talk_to_a_secure_socket() -> None:
    assert not allowed("localhost", "http://localhost", scheme="wss", allowed_hosts=HOSTS)
