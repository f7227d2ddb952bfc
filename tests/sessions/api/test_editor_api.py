"""The routes of the editor: settings, presets, single changes and differences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.configuration.presets import PRESETS
from sessions.domain.configuration.table import SECTIONS
from tests.factories import CONFIG, make_session, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
TEXT = "behaviors:\n  Ball:  # the ball\n    max_steps: 5e5  # long\n"
MAX_STEPS = ["behaviors", "Ball", "max_steps"]


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def post(api: Client, address: str, **body: Any) -> Any:
    return api.post(f"/api/configs/{address}/", json.dumps(body), content_type="application/json")


def test_the_settings_are_those_of_the_table_and_asked_for_once(api: Client) -> None:
    answer = api.get("/api/configs/schema/")
    sections = {one["name"]: [key["name"] for key in one["keys"]] for one in answer.json()["sections"]}
    assert sections == {name: list(section.names) for name, section in SECTIONS.items()}
    again = api.get("/api/configs/schema/", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_presets_are_listed_with_their_texts(api: Client) -> None:
    listed = api.get("/api/configs/presets/").json()["results"]
    assert [one["name"] for one in listed] == [preset.name for preset in PRESETS]
    assert all("behaviors:" in one["config"] for one in listed)


def test_common_settings_have_their_places_and_defaults(api: Client) -> None:
    (group,) = post(api, "common", config=TEXT).json()["groups"]
    found = {one["name"]: (one["given"], one["otherwise"], one["line"], one["column"]) for one in group["settings"]}
    assert found["max_steps"] == ("5e5", "500000", 3, 16)
    assert found["hidden_units"] == (None, "128", None, None)


@pytest.mark.parametrize("text", ["behaviors: [", "behaviors:\n  Ball:\n    a: 1\n    b", "a: !tag 1", ""])
def test_a_text_that_cannot_be_read_has_no_common_settings(api: Client, text: str) -> None:
    answer = post(api, "common", config=text)
    assert answer.status_code == 200
    assert answer.json() == {"config": text, "groups": []}


def test_a_change_touches_nothing_else(api: Client) -> None:
    changed = post(api, "common", config=TEXT, change={"path": MAX_STEPS, "value": "7000"}).json()
    assert changed["config"] == TEXT.replace("5e5", "7000")
    assert post(api, "common", config=changed["config"]).json() == changed


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("behaviors: [", {"path": MAX_STEPS, "value": "1"}),
        (TEXT, {"path": MAX_STEPS, "value": "[1]"}),
        (TEXT, {"path": ["behaviors", "Ball"], "value": "1"}),
        (TEXT, {"path": [], "value": "1"}),
        (TEXT, {"path": MAX_STEPS}),
        ("\ud800", None),
    ],
)
def test_what_cannot_be_written_is_told(api: Client, text: str, change: Any) -> None:
    answer = post(api, "common", config=text, change=change)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_text_is_compared_with_an_earlier_session_setting_by_setting(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball-1", config=b"behaviors: {Ball: {max_steps: 500000, threaded: true}}")
    now = "behaviors:\n  Ball:\n    max_steps: 5e5\n    time_horizon: 32\n"
    assert post(api, "compare", config=now, session="ball-1").json()["results"] == [
        {"path": "behaviors.Ball.threaded", "before": "true", "now": "", "kind": "removed"},
        {"path": "behaviors.Ball.time_horizon", "before": "", "now": "32", "kind": "added"},
    ]
    assert post(api, "compare", config="a: [", session="ball-1").status_code == 400


def test_sessions_of_others_are_not_compared_with(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="secret", config=CONFIG)
    assert post(api, "compare", config=TEXT, session="nowhere").status_code == 404
    api.force_login(make_user("cleo"))
    assert post(api, "compare", config=TEXT, session="secret").status_code == 404
    assert b"secret" not in api.get("/start/").content


def test_the_start_form_offers_presets_and_earlier_sessions(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball-1", config=CONFIG)
    page = api.get("/start/").content.decode()
    assert '<option data-session="ball-1">' in page
    assert 'data-preset="poca-self-play"' in page
