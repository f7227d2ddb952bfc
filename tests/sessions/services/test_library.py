"""Configurations kept under names, version by version."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.errors import InvalidInput, Missing, NotAllowed
from sessions.models import KeptConfig
from sessions.selectors.library import kept_versions, newest_kept
from sessions.services.library import forget, keep
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
ONE = "behaviors:\n  Ball:\n    max_steps: 5  # few\n"
TWO = ONE.replace("5", "7")


def test_another_text_is_the_next_version_and_the_same_is_none(ada: User) -> None:
    made = [keep(" Ball  fast ", text, by=ada) for text in (ONE, ONE.replace("\n", "\r\n"), TWO, ONE)]
    assert [(one.name, one.version) for one in made] == [("Ball fast", number) for number in (1, 1, 2, 3)]
    assert KeptConfig.objects.get(version=2).text == TWO


def test_versions_tell_what_changed_in_them(ada: User) -> None:
    for name, text in (("b", ONE), ("a", ONE), ("b", TWO)):
        keep(name, text, by=ada)
    assert [str(one) for one in newest_kept()] == ["a (1)", "b (2)"]
    told = [[(one.version, [change.now for change in one.differences]) for one in some] for some in kept_versions()]
    assert told == [[(1, [])], [(2, ["7"]), (1, [])]]


@pytest.mark.parametrize(
    ("name", "text"),
    [("", ONE), (" ", ONE), ("x" * 101, ONE), ("a\0b", ONE), ("a", ""), ("a", "a: ["), ("a", "\ud800")],
)
def test_no_name_and_no_yaml_are_not_kept(ada: User, name: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        keep(name, text, by=ada)
    assert not KeptConfig.objects.exists()


def test_only_those_who_may_start_sessions_keep_and_forget(ada: User) -> None:
    kept = keep("Ball", ONE, by=ada)
    visitor = make_user("visitor")
    with pytest.raises(NotAllowed):
        keep("Ball", TWO, by=visitor)
    with pytest.raises(NotAllowed):
        forget(kept.pk, by=visitor)
    forget(kept.pk, by=ada)
    with pytest.raises(Missing):
        forget(kept.pk, by=ada)


def test_the_api_keeps_lists_and_forgets(client: Client, ada: User) -> None:
    client.force_login(ada)

    def post(**body: Any) -> Any:
        return client.post("/api/configs/library/", json.dumps(body), content_type="application/json")

    made = post(name="Ball", config=ONE)
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert post(name="Ball", config="a: [").status_code == 400
    address = f"/api/configs/library/{made.json()['id']}/"
    assert client.get(address).json()["config"] == ONE
    assert client.get("/api/configs/library/").json()["results"] == [made.json()]
    assert [client.delete(address).status_code, client.get(address).status_code] == [204, 404]


def test_the_page_lists_them_and_a_start_begins_with_one(client: Client, ada: User) -> None:
    client.force_login(ada)
    keep("Ball", ONE, by=ada)
    kept = keep("Ball", TWO.replace("Ball", "<b>"), by=ada)
    page = client.get("/configurations/").content.decode()
    assert "behaviors.&lt;b&gt;.max_steps" in page
    begun = client.get(f"/start/?kept={kept.pk}").content.decode()
    assert "max_steps: 7  # few" in begun
    assert f'data-kept="{kept.pk}"' in begun
    assert client.get("/start/?kept=999").status_code == 404
    assert client.post(f"/configurations/{kept.pk}/forget/").status_code == 302
    assert KeptConfig.objects.count() == 1
