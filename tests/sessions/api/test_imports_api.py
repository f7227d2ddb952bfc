"""Imports by the API: asked for, followed, refused; and what was imported looks like any session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.models import Import, TrainingSession
from tests.eventfiles import REWARD, make_run, write_events
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
PARTS = (
    "diagnosis/",
    "histograms/",
    "texts/",
    "files/",
    "",
    "attempts/",
    "events/",
    "artifacts/",
    "checkpoints/",
    "config/",
    "log/",
    "metrics/",
    "summary/",
)


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere") / "results"


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def ask(client: Client, folder: object, **more: object) -> Any:
    return client.post("/api/imports/", json.dumps({"folder": str(folder), **more}), content_type="application/json")


def test_a_folder_is_imported_and_its_progress_can_be_asked_for(api: Client, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    answer = ask(api, results, tags=["thesis"])
    assert answer.status_code == 202
    progress = api.get(f"/api/imports/{answer.json()['id']}/").json()
    assert {name: progress[name] for name in ("state", "found", "imported", "refused", "follow")} == {
        "state": "done", "found": 1, "imported": 1, "refused": 0, "follow": True,
    }  # fmt: skip
    assert [one["folder"] for one in api.get("/api/imports/").json()["results"]] == [str(results)]


def test_what_was_imported_is_answered_like_any_session(api: Client, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    write_events(results.parent / "logs" / "PPO_1", {"rollout/ep_rew_mean": [1.0]})
    ask(api, results.parent)
    listed = api.get("/api/sessions/").json()["results"]
    assert {one["run_id"]: (one["origin"], one["actions"]) for one in listed} == {
        "a": ("imported", ["trash"]), "PPO_1": ("imported", ["trash"]),
    }  # fmt: skip
    for run_id in ("a", "PPO_1"):
        for part in PARTS:
            assert api.get(f"/api/sessions/{run_id}/{part}").status_code == 200, part
    files = api.get("/api/sessions/a/artifacts/").json()["results"]
    assert b"".join(api.get(files[0]["url"]).streaming_content) == b"model"  # type: ignore[attr-defined]
    assert api.get("/api/trainers/").json()["results"] == []


@pytest.mark.parametrize("action", ["stop", "pause", "kill", "resume", "hold", "release"])
def test_nothing_can_be_asked_of_its_process(api: Client, results: Path, action: str) -> None:
    make_run(results, "a", max_steps=300)
    ask(api, results)
    answer = api.post(f"/api/sessions/a/{action}/")
    assert answer.status_code == 409
    assert TrainingSession.objects.get().attempts.count() == 1


def test_it_can_be_named_and_put_into_the_trash_and_back(api: Client, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    ask(api, results)
    body = json.dumps({"notes": "good", "tags": ["x"]})
    assert api.patch("/api/sessions/a/", body, content_type="application/json").json()["notes"] == "good"
    assert api.delete("/api/sessions/a/").status_code == 204
    assert ask(api, results).json()["id"]
    assert TrainingSession.objects.get().trashed_at is not None
    assert api.post("/api/sessions/a/restore/").status_code == 200


def test_following_a_folder_can_be_ended(api: Client, results: Path) -> None:
    make_run(results, "a")
    key = ask(api, results).json()["id"]
    answer = api.patch(f"/api/imports/{key}/", json.dumps({"follow": False}), content_type="application/json")
    assert answer.json()["follow"] is False


@pytest.mark.parametrize("folder", ["", "relative", "//host/share", "/no/such/folder", "x" * 2000])
def test_what_is_no_folder_is_refused_with_a_sentence(api: Client, folder: str) -> None:
    answer = ask(api, folder)
    assert answer.status_code == 400
    assert answer.json()["errors"]["folder"]


def test_who_may_not_start_may_not_import_and_sees_nothing_of_others(
    client: Client, ben: User, ada: User, results: Path
) -> None:
    make_run(results, "a")
    owner = Client()
    owner.force_login(ada)
    key = ask(owner, results).json()["id"]
    client.force_login(ben)  # may see every session
    assert ask(client, results).status_code == 403
    assert client.get(f"/api/imports/{key}/").status_code == 200
    assert client.patch(f"/api/imports/{key}/", "{}", content_type="application/json").status_code == 400
    off = json.dumps({"follow": False})
    assert client.patch(f"/api/imports/{key}/", off, content_type="application/json").status_code == 403
    client.force_login(make_user("dan", "start_session"))
    assert client.get(f"/api/imports/{key}/").status_code == 404
    assert client.patch(f"/api/imports/{key}/", off, content_type="application/json").status_code == 404
    assert client.get("/api/imports/").json()["results"] == []
    assert client.get("/api/sessions/a/").status_code == 404
    assert Import.objects.get().follow


def test_points_of_an_imported_session_come_after_a_cursor(api: Client, results: Path) -> None:
    make_run(results, "a")
    ask(api, results)
    answer = api.get(f"/api/sessions/a/metrics/?tag={REWARD}").json()
    assert answer["series"][0]["steps"] == [100, 200, 300]
    assert api.get(f"/api/sessions/a/metrics/?after={answer['cursor']}").json()["series"] == []
