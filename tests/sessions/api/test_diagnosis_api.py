"""Why a session ended badly, over the API and on its page; and starting it again in the way that helps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions.domain.states import State
from sessions.models import Artifact, TrainingSession
from sessions.services.repeating import request_like
from tests.factories import make_practice_trainer, make_session
from tests.sessions.attempts import OnDisk, summary

pytestmark = pytest.mark.usefixtures("home")
TIMED_OUT = (
    "Traceback (most recent call last):",
    '  File "learn.py", line 8, in <module>',
    "mlagents_envs.exception.UnityTimeOutException: The Unity environment took too long to respond. Make sure that :",
)


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    make_practice_trainer()
    client.force_login(ada)
    return client


def post(api: Client, path: str, body: Any) -> Any:
    return api.post(path, json.dumps(body), content_type="application/json")


def failed(owner: User, *lines: str, run_id: str = "ball", **changes: Any) -> OnDisk:
    session = make_session(owner=owner, run_id=run_id, state=State.FAILED, **changes)
    session.attempts.update(failure="It failed.", ended_at=timezone.now())
    disk = OnDisk(session)
    disk.say(*lines)
    return disk


def test_a_failed_session_says_why_with_the_line_and_what_helps(api: Client, ada: User) -> None:
    failed(ada, summary(500), *TIMED_OUT)
    answer = api.get("/api/sessions/ball/diagnosis/").json()
    assert (answer["id"], answer["title"]) == ("timeout", "Unity did not answer in time")
    assert [(one["source"], one["line"]) for one in answer["evidence"]] == [("console.log", 4)]
    assert [one["id"] for one in answer["actions"]] == ["no_graphics", "patience", "resume"]


def test_one_that_did_not_fail_has_nothing_to_explain(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.COMPLETED)
    assert api.get("/api/sessions/ball/diagnosis/").json()["id"] is None


def test_a_failure_without_a_word_shows_what_is_known(api: Client, ada: User) -> None:
    failed(ada, summary(500))
    answer = api.get("/api/sessions/ball/diagnosis/").json()
    assert (answer["id"], answer["cause"]) == ("unknown", "It failed.")


def test_what_unitys_player_wrote_speaks_for_the_cause(api: Client, ada: User) -> None:
    disk = failed(ada, *TIMED_OUT)
    disk.save(
        "run_logs/Player-0.log", b"Mono path\nNullReferenceException: Object reference not set\n  at Agent.Act ()\n"
    )
    evidence = api.get("/api/sessions/ball/diagnosis/").json()["evidence"]
    assert evidence[-1] == {
        "source": "Player-0.log",
        "line": 2,
        "text": "NullReferenceException: Object reference not set",
    }


def test_a_remedy_starts_the_session_again_with_its_change(api: Client, ada: User) -> None:
    failed(ada, *TIMED_OUT, seed=7)
    answer = post(api, "/api/sessions/ball/remedy/", {"id": "patience"})
    assert answer.status_code == 201, answer.json()
    assert answer.json()["run_id"] == "ball"
    session = TrainingSession.objects.get(run_id="ball")
    assert (session.state, session.options["timeout_wait"], session.options["seed"]) == ("queued", 300, 7)
    assert session.attempts.order_by("-number")[0].force  # nothing was saved, so it begins anew


def test_a_remedy_goes_on_from_a_checkpoint_where_there_is_one(api: Client, ada: User) -> None:
    failed(ada, *TIMED_OUT).save("Ball/checkpoint.pt")
    assert post(api, "/api/sessions/ball/remedy/", {"id": "no_graphics"}).status_code == 201
    attempt = TrainingSession.objects.get(run_id="ball").attempts.order_by("-number")[0]
    assert attempt.resume
    assert "--no-graphics" in attempt.command


def test_only_what_the_diagnosis_offers_is_done(api: Client, ada: User) -> None:
    failed(ada, *TIMED_OUT)
    for name in ("cpu", "edit", "", "rm"):
        assert post(api, "/api/sessions/ball/remedy/", {"id": name}).status_code in (400, 404)
    assert TrainingSession.objects.get(run_id="ball").attempts.count() == 1


def test_who_may_not_start_gets_no_remedy(client: Client, ada: User, ben: User) -> None:
    failed(ada, *TIMED_OUT)
    client.force_login(ben)
    assert client.get("/api/sessions/ball/diagnosis/").status_code == 200
    assert post(client, "/api/sessions/ball/remedy/", {"id": "patience"}).status_code == 403
    assert post(client, "/api/sessions/ball/clone/", {}).status_code == 403


def test_a_clone_trains_the_same_under_a_free_run_id(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball-1", state=State.COMPLETED, seed=7, tags=("a",), env_args=("--x",))
    answer = post(api, "/api/sessions/ball-1/clone/", {"seed": 8, "priority": 3})
    assert answer.status_code == 201, answer.json()
    clone = TrainingSession.objects.get(run_id=answer.json()["run_id"])
    original = TrainingSession.objects.get(run_id="ball-1")
    assert clone.run_id == "ball-2"
    assert bytes(clone.config_used) == bytes(original.config_used)
    assert (clone.options["seed"], clone.options["env_args"], clone.priority, clone.tags) == (8, ["--x"], 3, ["a"])


def test_a_clone_begins_with_the_same_checkpoint_or_not_at_all(api: Client, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.COMPLETED)
    TrainingSession.objects.filter(pk=session.pk).update(options={"initialize_from": "/runs/ball/starts/attempt-1"})
    session.attempts.update(starts_from=[{"behavior": "Ball", "sha256": "ab"}])
    assert "is no longer there" in post(api, "/api/sessions/ball/clone/", {}).json()["detail"]
    saved = {"path": "Ball/Ball-5.pt", "behavior": "Ball", "kind": "pt", "sha256": "ab", "size": 1, "modified_ns": 1}
    checkpoint = Artifact.objects.create(session=session, attempt=session.attempts.get(), step=5, **saved)
    session.refresh_from_db()
    assert request_like(session).initialize_from == str(checkpoint.pk)


def test_a_clone_takes_the_run_id_it_is_given(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING)
    assert post(api, "/api/sessions/ball/clone/", {"run_id": "other"}).json()["run_id"] == "other"
    assert post(api, "/api/sessions/ball/clone/", {"run_id": "a/b"}).status_code == 400


def test_the_page_shows_the_cause_and_its_buttons(api: Client, ada: User) -> None:
    failed(ada, *TIMED_OUT)
    page = api.get("/sessions/ball/").content.decode()
    assert "Unity did not answer in time" in page
    assert "Start again without graphics" in page
    assert "console.log:3" in page
    answer = api.post("/sessions/ball/remedy/", {"id": "no_graphics"})
    assert (answer.status_code, answer["Location"]) == (302, "/sessions/ball/")
    assert TrainingSession.objects.get(run_id="ball").state == "queued"


def test_the_start_form_begins_with_what_a_session_was_started_with(api: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball-1", state=State.FAILED, seed=7, env_args=("--a b", "c"), tags=("x", "y"))
    page = api.get("/start/?like=ball-1").content.decode()
    for part in ("max_steps: 2000", 'value="7"', "&#x27;--a b&#x27; c", "x, y", 'value="ball-2"'):
        assert part in page
    assert api.get("/start/?like=nobody").status_code == 404


def test_a_failure_that_nobody_knows_can_be_taught(api: Client, ada: User) -> None:
    failed(
        ada, "Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "OddError: the moon is {full}"
    )
    assert api.get("/api/sessions/ball/diagnosis/").json()["id"] == "generic_traceback"
    body = {"text": "the moon is {full}", "title": "Full moon", "cause": "It is {bright}.", "fix": "Wait a day."}
    assert post(api, "/api/causes/", body).status_code == 201
    answer = api.get("/api/sessions/ball/diagnosis/").json()
    assert (answer["title"], answer["fix"]) == ("Full moon", "Wait a day.")
    assert post(api, "/api/causes/", body).status_code == 409
    key = api.get("/api/causes/").json()["results"][0]["id"]
    assert api.delete(f"/api/causes/{key}/").status_code == 204
    assert api.get("/api/sessions/ball/diagnosis/").json()["id"] == "generic_traceback"


def test_a_cause_is_taught_on_its_page(api: Client, ada: User) -> None:
    failed(
        ada, "Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "OddError: the moon is full"
    )
    assert "/causes/?text=" in api.get("/sessions/ball/").content.decode()
    assert 'value="the moon is full"' in api.get("/causes/?text=the+moon+is+full").content.decode()
    refused = api.post("/causes/", {"text": "short"})
    assert refused.status_code == 422
    assert "at least 8 characters" in refused.content.decode()
    assert api.post("/causes/", {"text": "the moon is full", "title": "Moon", "fix": "Wait."}).status_code == 302
    assert "Moon" in api.get("/causes/").content.decode()


def test_only_who_may_start_sessions_teaches(client: Client, ben: User) -> None:
    client.force_login(ben)
    assert post(client, "/api/causes/", {"text": "something long", "title": "x", "fix": "y"}).status_code == 403
    assert client.delete("/api/causes/1/").status_code == 403


def test_how_things_stood_is_told_beside_the_cause(api: Client, ada: User) -> None:
    disk = failed(ada, " Version information:", "  ml-agents: 1.1.0,", *TIMED_OUT)
    disk.session.attempts.update(exit_code=1, base_port=5007)
    assert api.get("/api/sessions/ball/diagnosis/").json()["facts"][:3] == [
        "exit code 1",
        "port 5007",
        "ML-Agents 1.1.0",
    ]


UNNAMED = (
    "Traceback (most recent call last):",
    '  File "learn.py", line 8, in <module>',
    "mlagents.trainers.exception.TrainerConfigError: The behavior name Ball has not been specified in the trainer "
    "configuration. Please add an entry in the configuration file for Ball, or set default_settings.",
)
DIVERGED = (
    "Traceback (most recent call last):",
    '  File "learn.py", line 8, in <module>',
    "RuntimeError: Continuous NaN action detected.",
)


def test_a_behavior_s_name_is_corrected_by_a_button(api: Client, ada: User) -> None:
    failed(ada, *UNNAMED, config=b"behaviors:\n  bal:\n    max_steps: 500\n")
    actions = api.get("/api/sessions/ball/diagnosis/").json()["actions"]
    assert (actions[0]["id"], actions[0]["label"]) == ("rename", "Call the behavior Ball and start again")
    assert post(api, "/api/sessions/ball/remedy/", {"id": "rename"}).status_code == 201
    session = TrainingSession.objects.get(run_id="ball")
    assert bytes(session.config_used) == b"behaviors:\n  Ball:\n    max_steps: 500\n"


def test_a_button_that_would_change_nothing_is_not_there(api: Client, ada: User) -> None:
    failed(ada, *TIMED_OUT, no_graphics=True, timeout_wait=300)
    assert [one["id"] for one in api.get("/api/sessions/ball/diagnosis/").json()["actions"]] == ["resume"]
    failed(ada, *DIVERGED, run_id="diverged")
    assert [one["id"] for one in api.get("/api/sessions/diverged/diagnosis/").json()["actions"]] == ["edit"]


def test_one_that_was_never_started_says_so(api: Client, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.FAILED)
    session.attempts.update(failure="Ball has changed since it was registered.", started_at=None)
    answer = api.get("/api/sessions/ball/diagnosis/").json()
    assert (answer["id"], answer["cause"]) == ("not_started", "Ball has changed since it was registered.")
