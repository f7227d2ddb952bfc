"""The history by REST: projects, bulk changes, the trash and retention, each with its refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.models import TrainingSession
from sessions.services import chores, upkeep
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "async_task", lambda task: None)


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def send(api: Client, method: str, address: str, body: Any = None) -> Any:
    return getattr(api, method)(f"/api/{address}", json.dumps(body), content_type="application/json")


def test_a_session_is_patched_archived_and_found_again(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.STOPPED)
    answer = send(api, "patch", "sessions/ball/", {"project": "Paper", "tags": ["a"], "name": "Best"}).json()
    assert (answer["project"], answer["tags"], answer["name"]) == ("Paper", ["a"], "Best")
    assert api.get("/api/sessions/ball/events/").json()["results"][-1]["who"] == "ada"
    assert api.post("/api/sessions/ball/archive/").json()["archived_at"]
    assert api.get("/api/sessions/?project=Paper").json()["count"] == 0
    assert api.get("/api/sessions/?project=Paper&archived=true").json()["count"] == 1
    assert api.get("/api/sessions/?archived=nonsense").status_code == 400
    assert api.get("/api/projects/").json() == {"results": [{"name": "Paper", "sessions": 1}]}
    assert send(api, "post", "projects/", {"name": "Paper", "to": "Thesis"}).json() == {"moved": 1}
    assert api.post("/api/sessions/ball/unarchive/").json()["archived_at"] is None


def test_many_are_changed_at_once(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="a", state=State.STOPPED)
    make_session(owner=ada, run_id="b", state=State.RUNNING)
    answer = send(api, "post", "bulk/", {"run_ids": ["a", "b"], "action": "trash"})
    assert answer.json() == {"done": ["a"], "refused": [{"run_id": "b", "detail": "b has not ended."}]}
    for wrong in ({"run_ids": [], "action": "trash"}, {"run_ids": ["a"], "action": "kill"}, {"action": "tag"}):
        assert send(api, "post", "bulk/", wrong).status_code == 400


def test_the_trash_is_emptied_by_naming_what_goes(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="a", state=State.STOPPED)
    api.delete("/api/sessions/a/")
    (shown,) = api.get("/api/trash/").json()["results"]
    assert (shown["run_id"], shown["folder"]) == ("a", "")
    assert send(api, "post", "trash/", {}).status_code == 400
    wrong = {"run_ids": ["a"], "folders": {"a": {"folder": "/", "bytes": 10**15}}}
    assert send(api, "post", "trash/", wrong).status_code == 409
    assert send(api, "post", "trash/", {"run_ids": ["a", "b"]}).json() == {"deleted": ["a"]}
    assert api.get("/api/sessions/a/").status_code == 404
    while not upkeep.work():
        pass
    (removal,) = api.get("/api/removals/").json()["results"]
    assert (removal["run_id"], removal["who"], removal["ended_at"] is not None) == ("a", "ada", True)


def test_retention_is_set_planned_and_run(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="a", state=State.STOPPED)
    assert api.get("/api/retention/").json()["enabled"] is False
    assert api.post("/api/retention/plan/").status_code == 409
    answer = send(api, "patch", "retention/", {"trash_days": 0, "enabled": True})
    assert (answer.json()["trash_days"], answer.json()["changed_by"]) == (0, "ada")
    assert send(api, "patch", "retention/", {"keep_best": -1}).status_code == 400
    assert [one["run_id"] for one in api.get("/api/retention/plan/").json()["actions"]] == ["a"]
    assert TrainingSession.objects.get().trashed_at is None
    assert api.post("/api/retention/plan/").json()["actions"][0]["action"] == "trash"
    assert TrainingSession.objects.get().trashed_at is not None


def test_who_may_not_delete_does_not_by_rest(client: Client, ada: User, cyd: User) -> None:
    make_session(owner=cyd, run_id="theirs", state=State.STOPPED)
    client.force_login(cyd)
    client.delete("/api/sessions/theirs/")
    assert len(client.get("/api/trash/").json()["results"]) == 1
    assert send(client, "post", "trash/", {"run_ids": ["theirs"]}).status_code == 403
    assert send(client, "patch", "retention/", {"enabled": True}).status_code == 403
    assert client.post("/api/retention/plan/").status_code == 403
    assert client.get("/api/retention/plan/").status_code == 403
    assert TrainingSession.objects.get().chore == ""
