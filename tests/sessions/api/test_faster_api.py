"""Advice and trials through the API and on the pages, for those who may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions.domain.resources import CPU, TRAINER_CPU
from sessions.domain.states import State
from sessions.models import Attempt, TrainingSession, Trial, TrialRun
from sessions.services.resources import Sample, store
from tests.factories import CONFIG, make_mlagents_trainer
from tests.sessions.services.queueing import build_at, make_build_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def session(ada: User, tmp_path: Path) -> TrainingSession:
    return make_build_session(ada, tmp_path, run_id="ball", state=State.RUNNING, time_scale=1)


@pytest.fixture
def body(tmp_path: Path) -> dict[str, Any]:
    make_mlagents_trainer()
    return {"run_id": "new", "config": CONFIG.decode(), "trainer": "mlagents", "env_path": str(build_at(tmp_path))}


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def post(client: Client, address: str, body: Any = None) -> Any:
    return client.post(address, json.dumps(body or {}), content_type="application/json")


def test_advice_is_a_button_that_fills_the_form_in(client: Client, session: TrainingSession, ada: User) -> None:
    Attempt.objects.update(progressed_at=timezone.now())
    for _ in range(2):
        store([Sample(session.attempts.get().pk, {CPU: 130.0, TRAINER_CPU: 10.0})])
    told = signed_in(client, ada).get("/api/sessions/ball/advice/").json()
    scale = next(one for one in told["advice"] if one["id"] == "time_scale")
    assert (scale["changes"], scale["gain"]) == ({"time_scale": 20.0}, None)
    page = client.get("/sessions/ball/").content.decode()
    assert "like=ball&amp;time_scale=20.0" in page
    form = client.get("/start/?like=ball&time_scale=20.0&overrides=behaviors.Ball.num_epoch+%3D+3&no_graphics=true")
    shown = form.content.decode()
    assert 'name="time_scale" value="20.0"' in shown
    assert "behaviors.Ball.num_epoch = 3" in shown


def test_a_trial_begins_by_the_body_of_a_start_and_is_seen_and_stopped(
    client: Client, ada: User, body: dict[str, Any]
) -> None:
    answer = post(signed_in(client, ada), "/api/trials/", {**body, "measure_seconds": 5})
    assert answer.status_code == 201, answer.json()
    begun = answer.json()
    assert (begun["state"], begun["run_id"], begun["runs"], begun["measure_seconds"]) == ("running", "new", [], 5)
    address = f"/api/trials/{begun['id']}/"
    assert client.get(address).json()["explanation"] == "The next setting is queued in a moment."
    assert "Under way" in client.get(f"/trials/{begun['id']}/").content.decode()
    assert post(client, f"{address}stop/").json()["state"] == "stopped"
    assert "Stopped by ada." in client.get(f"/trials/{begun['id']}/").content.decode()
    assert "new" in client.get("/trials/").content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"env_path": None}, "env_path"), ({"measure_seconds": 0}, "measure_seconds"), ({"config": "a: ["}, "config")],
)
def test_what_is_wrong_is_told_by_field(
    client: Client, ada: User, body: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    answer = post(signed_in(client, ada), "/api/trials/", {**body, **changes})
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_trials_are_for_those_who_may_start_and_seen_by_those_who_may_see(
    client: Client, ada: User, ben: User, cyd: User, body: dict[str, Any]
) -> None:
    assert post(signed_in(client, ben), "/api/trials/", body).status_code == 403
    key = post(signed_in(client, ada), "/api/trials/", body).json()["id"]
    assert signed_in(client, ben).get(f"/api/trials/{key}/").status_code == 200
    assert post(client, f"/api/trials/{key}/stop/").status_code == 403
    assert signed_in(client, cyd).get(f"/api/trials/{key}/").status_code == 404
    assert client.get("/api/trials/").json() == {"results": []}
    assert client.get(f"/trials/{key}/").status_code == 404
    assert client.get(f"/start/?trial={key}").status_code == 404


def test_the_form_and_the_page_of_a_session_begin_one(
    client: Client, ada: User, session: TrainingSession, body: dict[str, Any]
) -> None:
    answer = signed_in(client, ada).post("/sessions/ball/trial/")
    trial = Trial.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/trials/{trial.pk}/")
    assert f"/trials/{trial.pk}/" in client.get("/sessions/ball/").content.decode()
    form = {**body, "config_text": body["config"], "mode": "executable", "action": "trial"}
    refused = client.post("/start/", form)
    assert (refused.status_code, "Another trial is under way" in refused.content.decode()) == (422, True)
    Trial.objects.update(state="stopped")
    assert client.post("/start/", form).status_code == 302
    assert Trial.objects.count() == 2


def test_what_is_proposed_fills_the_form_in(client: Client, ada: User, body: dict[str, Any]) -> None:
    key = post(signed_in(client, ada), "/api/trials/", {**body, "tags": ["mine"]}).json()["id"]
    chosen = {"num_envs": 2, "time_scale": None, "device": None}
    TrialRun.objects.create(
        trial_id=key, number=1, setting=chosen, state="done", beside=True,
        result={"mean": 200.0, "error": 2.0, "seconds": 30.0, "pieces": 8, "cpu_percent": 120.0},
    )  # fmt: skip
    Trial.objects.update(state="done", result={"setting": chosen, "gain": 2.0, "why": "It is 2 times as fast."})
    page = client.get(f"/trials/{key}/").content.decode()
    assert "Start with these" in page
    assert "other trainings ran meanwhile" in page
    form = client.get(f"/start/?trial={key}").content.decode()
    assert 'name="num_envs" value="2"' in form
    assert 'value="mine"' in form
    assert client.get(f"/api/trials/{key}/").json()["changes"] == {"num_envs": 2}
