"""The REST routes of sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Artifact, Attempt, TrainingSession
from sessions.services import alarms, points
from tests.factories import CONFIG, make_mlagents_trainer, make_practice_trainer, make_session

pytestmark = pytest.mark.usefixtures("home")
BODY: dict[str, Any] = {"run_id": "ball-1", "config": CONFIG.decode(), "trainer": "practice"}


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    make_practice_trainer()
    client.force_login(ada)
    return client


def post(api: Client, path: str, body: Any) -> Any:
    return api.post(path, json.dumps(body), content_type="application/json")


def test_a_start_answers_with_the_session_and_its_command(api: Client) -> None:
    answer = post(api, "/api/sessions/", {**BODY, "seed": 3, "tags": ["a"], "env_args": ["--x"]})
    assert answer.status_code == 201
    session = answer.json()
    assert (session["run_id"], session["state"], session["mode"]) == ("ball-1", "queued", "executable")
    assert session["command"][0] == "mlagents-learn"
    assert session["command"][-2:] == ["--env-args", "--x"]
    assert session["tags"] == ["a"]
    assert session["url"] == "/sessions/ball-1/"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"run_id"}),
        ({"run_id": "ball-1"}, {"config"}),
        ({**BODY, "run_id": "a/b", "width": -1}, {"run_id", "width"}),
        ({**BODY, "seed": "many"}, {"seed"}),
        ({**BODY, "env_args": "text"}, {"env_args"}),
        ({**BODY, "config_path": "/x.yaml"}, {"config_path"}),
    ],
)
def test_a_wrong_start_has_one_shape_with_sentences_per_field(
    api: Client, body: dict[str, Any], fields: set[str]
) -> None:
    answer = post(api, "/api/sessions/", body)
    assert answer.status_code == 400
    error = answer.json()
    assert set(error) == {"code", "detail", "hint", "errors"}
    assert set(error["errors"]) == fields
    assert not TrainingSession.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "no json", '{"run_id": 1', "null"])
def test_a_body_that_is_no_request_is_refused_in_the_same_shape(api: Client, body: str) -> None:
    answer = api.post("/api/sessions/", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "detail", "hint", "errors"}


def test_text_that_pretends_to_be_json_is_not_taken(api: Client) -> None:
    assert api.post("/api/sessions/", json.dumps(BODY), content_type="text/plain").status_code == 415


def test_a_preview_shows_the_command_and_stores_nothing(api: Client) -> None:
    answer = post(api, "/api/preview/", BODY)
    assert answer.json()["command"][0] == "mlagents-learn"
    assert "--run-id=ball-1" in answer.json()["shell"]
    assert not TrainingSession.objects.exists()


def test_a_preview_tells_of_every_check(api: Client) -> None:
    answer = post(api, "/api/preview/", BODY).json()
    assert answer["parser"] == "none"
    assert {"paths", "disk", "memory"} <= {one["id"] for one in answer["checks"]}
    assert all(one["fix"] for one in answer["checks"] if one["level"] != "ok")


def test_an_error_is_told_by_the_preview_and_refuses_the_start(api: Client) -> None:
    make_mlagents_trainer()
    gail = "    reward_signals:\n      gail:\n        demo_path: /nowhere.demo\n"
    body = {**BODY, "trainer": "mlagents", "config": BODY["config"] + gail}
    answer = post(api, "/api/preview/", body).json()
    (wrong,) = [one for one in answer["checks"] if one["level"] == "error"]
    assert (wrong["id"], wrong["field"], answer["parser"]) == ("demonstrations", "config", "unasked")
    refused = post(api, "/api/sessions/", body)
    assert refused.status_code == 400
    assert "/nowhere.demo" in refused.json()["errors"]["config"][0]
    assert not TrainingSession.objects.exists()


def test_checking_everything_asks_the_trainers_parser(api: Client) -> None:
    make_mlagents_trainer()
    answer = post(api, "/api/preflight/", {**BODY, "trainer": "mlagents"}).json()
    (parser,) = [one for one in answer["checks"] if one["id"] == "parser"]
    assert answer["parser"] == "answered"
    assert (parser["level"], parser["finding"][:28]) == ("warning", "The trainer could not be ask")


def test_a_missing_session_is_missing_everywhere(api: Client) -> None:
    for part in ("", "log/", "metrics/", "attempts/", "events/", "artifacts/", "config/", "summary/"):
        answer = api.get(f"/api/sessions/nobody/{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "missing")


def test_who_may_not_see_a_session_gets_the_answer_of_a_missing_one(client: Client, ada: User, cyd: User) -> None:
    make_session(owner=ada, run_id="hers")
    client.force_login(cyd)
    assert client.get("/api/sessions/hers/").status_code == 404
    assert client.post("/api/sessions/hers/stop/").status_code == 404
    assert client.get("/api/sessions/").json()["count"] == 0


def test_who_may_only_look_can_change_nothing(client: Client, ada: User, ben: User) -> None:
    make_session(owner=ada, run_id="hers", state=State.RUNNING)
    client.force_login(ben)
    assert client.get("/api/sessions/hers/").status_code == 200
    for path in ("stop", "kill", "resume"):
        assert client.post(f"/api/sessions/hers/{path}/").status_code == 403
    assert client.delete("/api/sessions/hers/").status_code == 403
    assert client.patch("/api/sessions/hers/", "{}", content_type="application/json").status_code == 403
    assert post(client, "/api/sessions/", BODY).status_code == 403
    assert post(client, "/api/trainers/", {"name": "x", "interpreter": "/bin/sh"}).status_code == 403
    assert TrainingSession.objects.get().wanted == "run"


def test_stop_may_be_asked_again_and_again_and_then_not_after_the_end(api: Client, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    for _ in range(3):
        assert api.post("/api/sessions/ball/stop/").status_code == 200
    assert TrainingSession.objects.get().wanted == "stop"
    TrainingSession.objects.filter(pk=session.pk).update(state="stopped")
    answer = api.post("/api/sessions/ball/stop/")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_queued_session_is_stopped_at_once(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball")
    assert api.post("/api/sessions/ball/stop/").json()["state"] == "stopped"


def test_name_notes_tags_and_priority_can_be_changed_and_nothing_else(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball")
    body = {
        "name": "A",
        "notes": "B",
        "tags": ["c"],
        "priority": 4,
        "state": "completed",
        "owner": "x",
        "wanted": "kill",
    }
    session = api.patch("/api/sessions/ball/", json.dumps(body), content_type="application/json").json()
    assert [session[name] for name in ("name", "notes", "tags", "priority", "state")] == [
        "A",
        "B",
        ["c"],
        4,
        "queued",
    ]
    assert TrainingSession.objects.get().wanted == "run"


def test_only_an_ended_session_goes_to_the_trash_and_comes_back_from_it(api: Client, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    assert api.delete("/api/sessions/ball/").status_code == 409
    TrainingSession.objects.filter(pk=session.pk).update(state="stopped")
    assert api.delete("/api/sessions/ball/").status_code == 204
    assert api.get("/api/sessions/").json()["count"] == 0
    assert api.get("/api/sessions/?trash=true").json()["count"] == 1
    assert api.post("/api/sessions/ball/restore/").json()["actions"] == ["resume", "archive", "trash"]
    assert api.get("/api/sessions/").json()["count"] == 1


def test_the_list_is_filtered_ordered_and_paged(api: Client, ada: User) -> None:
    for number in range(5):
        make_session(owner=ada, run_id=f"s{number}", tags=("odd",) if number % 2 else ())
    TrainingSession.objects.filter(run_id="s3").update(state="completed")

    def names(query: str) -> list[str]:
        return [one["run_id"] for one in api.get(f"/api/sessions/?{query}").json()["results"]]

    assert names("order=run_id") == ["s0", "s1", "s2", "s3", "s4"]
    assert names("state=completed") == ["s3"]
    assert names("state=pending&order=run_id") == ["s0", "s1", "s2", "s4"]
    assert names("tag=odd&order=-run_id") == ["s3", "s1"]
    assert names("text=S4") == ["s4"]
    assert names("behavior=Ball&order=run_id&page=2&page_size=2") == ["s2", "s3"]
    assert names("behavior=Nobody") == []
    assert api.get("/api/sessions/?state=nonsense").status_code == 400
    assert api.get("/api/sessions/?order=password").status_code == 400
    assert api.get("/api/sessions/?page=99").status_code == 404


def write_console(home: Path, run_id: str, data: bytes) -> None:
    folder = home / "runs" / run_id / "attempts" / "1"
    folder.mkdir(parents=True)
    (folder / "console.log").write_bytes(data)


def test_the_log_is_handed_out_in_bytes_from_any_offset(api: Client, ada: User, home: Path) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING)
    write_console(home, "ball", "erste\nzweite ü\nhalb".encode())
    first = api.get("/api/sessions/ball/log/?after=0").json()
    assert (first["text"], first["next_offset"], first["ended"]) == ("erste\nzweite ü\n", 16, False)
    assert api.get("/api/sessions/ball/log/?after=6").json()["text"] == "zweite ü\n"
    assert api.get("/api/sessions/ball/log/?after=16").json() == {
        "attempt": 1, "offset": 16, "next_offset": 16, "text": "", "ended": False,
    }  # fmt: skip
    assert api.get("/api/sessions/ball/log/?after=0&limit=7").json()["text"] == "erste\n"
    assert api.get("/api/sessions/ball/log/?after=-1").status_code == 400
    assert api.get("/api/sessions/ball/log/?attempt=9").status_code == 404


def test_metrics_are_listed_then_read_and_followed_by_cursor(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING)
    attempt = Attempt.objects.get()
    tag = "Environment/Cumulative Reward"
    points.append(attempt, "Ball", [Point(tag, step, float(step), step / 2) for step in range(600)])
    listed = api.get("/api/sessions/ball/metrics/").json()["series"]
    assert listed == [
        {
            "behavior": "Ball", "tag": tag, "attempt": 1, "count": 600, "last_step": 599, "last_value": 299.5,
            "min_value": 0.0, "max_value": 299.5,
        }
    ]  # fmt: skip
    read = api.get("/api/sessions/ball/metrics/", {"tag": tag, "behavior": "Ball"}).json()
    assert read["series"][0]["steps"] == list(range(600))
    assert read["series"][0]["values"][-1] == 299.5
    points.append(attempt, "Ball", [Point(tag, 600, 600.0, float("nan")), Point(tag, 601, 601.0, 1.0)])
    after = api.get("/api/sessions/ball/metrics/", {"after": read["cursor"]}).json()
    assert after["series"][0]["steps"] == [600, 601]
    assert after["series"][0]["values"] == [None, 1.0]
    assert api.get("/api/sessions/ball/metrics/", {"after": after["cursor"]}).json()["series"] == []
    assert api.get("/api/sessions/ball/metrics/", {"after": "nonsense"}).status_code == 400


def test_thinned_points_keep_first_last_and_extremes(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING)
    values = [0.0] * 5000
    values[1234], values[4321] = 99.0, -99.0
    points.append(Attempt.objects.get(), "Ball", [Point("t", step, 0.0, value) for step, value in enumerate(values)])
    series = api.get("/api/sessions/ball/metrics/?tag=t&points=100").json()["series"][0]
    assert len(series["steps"]) <= 110
    assert (series["steps"][0], series["steps"][-1]) == (0, 4999)
    assert {99.0, -99.0} <= set(series["values"])


def test_a_file_is_downloaded_by_its_number_and_never_by_a_path(api: Client, ada: User, home: Path) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    results = home / "runs/ball/results/ball"
    results.mkdir(parents=True)
    (results / "Ball.onnx").write_bytes(b"model")
    (home / "secret").write_bytes(b"secret")
    columns = {"session": session, "behavior": "Ball", "kind": "onnx", "size": 5, "modified_ns": 0}
    good = Artifact.objects.create(path="Ball.onnx", final=True, **columns)
    bad = Artifact.objects.create(path="../../../../secret", **columns)
    answer = api.get(f"/api/sessions/ball/artifacts/{good.pk}/")
    assert b"".join(answer.streaming_content) == b"model"  # type: ignore[attr-defined]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert api.get(f"/api/sessions/ball/artifacts/{bad.pk}/").status_code == 404
    assert api.get("/api/sessions/ball/artifacts/999/").status_code == 404


def test_the_configuration_is_handed_out_as_given_and_as_used(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", overrides={"behaviors.Ball.max_steps": 5})
    config = api.get("/api/sessions/ball/config/").json()
    assert config["given"] == CONFIG.decode()
    assert config["changed"] is True


def test_what_a_person_should_look_at_is_told_with_the_attempt(client: Client, ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    client.force_login(ada)
    told = client.get(f"/api/sessions/{session.run_id}/").json()["attempts"]
    assert [one["alarm"] for one in told] == [""]
    alarms.raise_alarm(session.attempts.get(), "console.log became shorter.")
    alarms.raise_alarm(session.attempts.get(), "Processes survive.")
    alarms.raise_alarm(session.attempts.get(), "console.log became shorter.")
    for told in (
        client.get(f"/api/sessions/{session.run_id}/").json()["attempts"],
        client.get(f"/api/sessions/{session.run_id}/attempts/").json()["results"],
    ):
        assert [one["alarm"] for one in told] == ["console.log became shorter. Processes survive."]
    page = client.get(session.get_absolute_url()).content.decode()
    assert "console.log became shorter. Processes survive." in page
