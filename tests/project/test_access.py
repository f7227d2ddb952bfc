"""Nothing is reachable without signing in, but for a known few; nothing is changed by a safe method."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from knox.models import AuthToken

from mentor_site.preparation import sign_in_link
from sessions.domain.states import State
from sessions.models import SignInLink, TrainingSession
from sessions.services import accounts
from tests.factories import make_session, make_user

OPEN = {"/accounts/enter/", "/accounts/login/", "/admin/login/"}
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
ACTIONS = ("stop", "kill", "resume", "trash")


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Every address there is, with something plausible in its places."""
    for pattern in patterns:
        part = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, part)
        else:
            yield part


def filled(address: str) -> str:
    for place, word in (
        ("<str:run_id>", "ball-1"), ("<int:key>", "1"), ("<slug:key>", "1"), ("<path:object_id>", "1"),
        ("<int:content_type_id>", "1"), ("<id>", "1"),
    ):  # fmt: skip
        address = address.replace(place, word)
    return address


ADDRESSES = sorted({filled(address) for address in addresses(get_resolver().url_patterns)})


@pytest.mark.django_db
@pytest.mark.parametrize("address", [one for one in ADDRESSES if one not in OPEN])
def test_every_address_asks_for_a_sign_in(client: Client, address: str) -> None:
    if "(?P<" in address:
        address = "/admin/nothing-of-that-name/"
    for method in METHODS:
        status = getattr(client, method)(address).status_code
        assert status in {301, 302, 401, 403}, f"{method} {address}: {status}"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/accounts/login/", "/admin/login/"])
def test_guessing_a_password_ends_after_ten_wrong_ones_and_only_for_that_name(client: Client, address: str) -> None:
    for name in ("ada", "ben"):
        make_user(name)
    answers = [client.post(address, {"username": "ada", "password": f"guess {n}"}).status_code for n in range(12)]
    assert answers == [200] * 9 + [429] * 3
    right = {"password": "correct horse battery"}
    assert client.post(address, {"username": "ada", **right}).status_code == 429
    assert client.post("/accounts/login/", {"username": "ben", **right}).status_code == 302


def test_the_open_addresses_exist() -> None:
    assert set(ADDRESSES) >= OPEN


@pytest.mark.django_db
@pytest.mark.parametrize("action", ACTIONS)
def test_looking_at_an_action_does_nothing(client: Client, ada: User, home: object, action: str) -> None:
    session = make_session(owner=ada, run_id="ball-1", state=State.RUNNING)
    client.force_login(ada)
    before = TrainingSession.objects.values().get(pk=session.pk)
    for method in ("get", "head"):
        assert getattr(client, method)(f"/sessions/ball-1/{action}/").status_code == 405
        if action != "trash":
            assert getattr(client, method)(f"/api/sessions/ball-1/{action}/").status_code == 405
    assert TrainingSession.objects.values().get(pk=session.pk) == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/sessions/ball-1/stop/", "/api/sessions/ball-1/stop/", "/api/sessions/", "/start/"]
)
def test_a_browsers_session_needs_its_csrf_token(ada: User, home: object, address: str) -> None:
    make_session(owner=ada, run_id="ball-1", state=State.RUNNING)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post(address, {}, content_type="application/json").status_code == 403
    assert TrainingSession.objects.get().wanted == "run"


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("address", ["/", "/api/sessions/", "/static/css/base.css"])
def test_an_unknown_host_is_refused(client: Client, host: str, address: str) -> None:
    assert client.get(address, headers={"host": host}).status_code == 400


@pytest.mark.django_db
def test_the_one_time_link_signs_in_once(client: Client) -> None:
    link = sign_in_link("127.0.0.1", 8765).removeprefix("http://127.0.0.1:8765")
    assert client.get(link).status_code == 302
    assert client.get("/").status_code == 200
    assert Client().get(link).status_code == 403


@pytest.mark.django_db
def test_an_old_or_invented_link_signs_nobody_in(client: Client) -> None:
    token = accounts.new_link_token(accounts.administrator())
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for wrong in (token, "", "x", "\0", token + "x"):
        assert client.get("/accounts/enter/", {"token": wrong}).status_code == 403
    assert client.get("/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("to", ["//evil.com", "https://evil.com", "/\\evil.com", "https:evil.com", "\t//evil.com"])
def test_the_link_leads_to_pages_of_mentor_only(client: Client, to: str) -> None:
    token = accounts.new_link_token(accounts.administrator())
    assert client.get("/accounts/enter/", {"token": token, "next": to}).headers["Location"] == "/"


@pytest.mark.django_db
def test_only_digests_of_links_and_tokens_are_kept() -> None:
    user = accounts.administrator()
    link, token = accounts.new_link_token(user), accounts.new_api_token(user)
    assert link not in SignInLink.objects.get().digest
    assert token not in str(list(AuthToken.objects.values()))


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["Token", "Bearer", "token"])
def test_a_token_is_taken_with_either_word(client: Client, word: str) -> None:
    token = accounts.new_api_token(accounts.administrator())
    assert client.get("/api/sessions/", headers={"authorization": f"{word} {token}"}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header", ["Token", "Token x", "Token a b", "Bearer \xff", "Token " + "a" * 5000, "Basic eDp4"]
)
def test_anything_else_is_no_token(client: Client, header: str) -> None:
    assert client.get("/api/sessions/", headers={"authorization": header}).status_code == 401


@pytest.mark.django_db
def test_staff_cannot_schedule_functions_in_the_administration(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/django_q/schedule/add/").status_code == 404


@pytest.mark.django_db
def test_answers_carry_the_protective_headers(client: Client, ada: User) -> None:
    client.force_login(ada)
    headers = client.get("/").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
