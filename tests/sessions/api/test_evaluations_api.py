"""Evaluations and what models say of themselves, through the API and on the session's page."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.evaluation import Rewards
from sessions.domain.states import State
from sessions.models import Artifact, Evaluation, EvaluationRun, ModelInspection, TrainingSession
from sessions.services import artifacts, counting, inspections
from sessions.trainers.practice import model
from sessions.trainers.practice.policy import Policy
from sessions.trainers.practice.results import encode_state
from tests.factories import make_mlagents_trainer, make_session
from tests.sessions.attempts import OnDisk

pytestmark = pytest.mark.usefixtures("home", "quiet")


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is launched."""
    monkeypatch.setattr("sessions.services.queue.async_task", lambda *_: None)


@pytest.fixture
def session(ada: User) -> TrainingSession:
    """A training that has ended, with a checkpoint and a model."""
    return trained(make_session(owner=ada, run_id="ball", state=State.COMPLETED))


def trained(session: TrainingSession) -> TrainingSession:
    written = OnDisk(session)
    written.save("Ball/Ball-100.pt", encode_state({"weights": np.ones(3)}))
    network = {"hidden_units": 4, "num_layers": 1, "normalize": False}
    written.save("Ball/Ball-100.onnx", model.encode(Policy(8, 2, network, np.random.default_rng(1))))
    artifacts.store(written.attempt, written.results, hashed=True)
    return session


def key_of(path: str) -> int:
    return Artifact.objects.get(path=path).pk


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/sessions/ball/checkpoints/{path}", json.dumps(body), content_type="application/json")


def test_an_evaluation_is_asked_for_listed_and_shown_when_it_is_done(
    client: Client, ada: User, session: TrainingSession
) -> None:
    client.force_login(ada)
    key = key_of("Ball/Ball-100.pt")
    answer = post(client, f"{key}/evaluate/", {"seeds": [4], "episodes": 3})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["state"], answer.json()["seeds"][0]["run_id"]) == ("queued", "ball-eval-1")
    assert "Waits for a free slot" in answer.json()["explanation"]
    run = EvaluationRun.objects.select_related("evaluation", "session").get()
    run.session.state = State.STOPPED.value  # type: ignore[union-attr]
    counting.look(run, {("Ball", "reward"): [Rewards(4, 8.0, 17.0, 1.5, 2.5)]}, untrained=False)
    found = client.get(f"/api/sessions/ball/checkpoints/{key}/evaluations/").json()["results"]
    assert found[0]["reward"]["mean"] == 2.0
    assert found[0]["seeds"][0]["reward"]["episodes"] == 4
    page = client.get("/sessions/ball/").content.decode()
    assert "2.000" in page
    assert "Ball at 100" in page


def test_who_may_not_start_may_look_and_not_evaluate(
    client: Client, ada: User, ben: User, cyd: User, session: TrainingSession
) -> None:
    key = key_of("Ball/Ball-100.pt")
    client.force_login(ben)
    assert post(client, f"{key}/evaluate/", {}).status_code == 403
    assert client.get(f"/api/sessions/ball/checkpoints/{key}/evaluations/").status_code == 200
    client.force_login(cyd)
    assert post(client, f"{key}/evaluate/", {}).status_code == 404
    assert client.get(f"/api/sessions/ball/checkpoints/{key}/evaluations/").status_code == 404
    assert client.get(f"/api/sessions/ball/artifacts/{key_of('Ball/Ball-100.onnx')}/model/").status_code == 404
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize("body", [{"seeds": []}, {"seeds": ["x"]}, {"episodes": 0}, {"minutes": "long"}])
def test_a_wrong_request_is_told_by_field(
    client: Client, ada: User, session: TrainingSession, body: dict[str, Any]
) -> None:
    client.force_login(ada)
    answer = post(client, f"{key_of('Ball/Ball-100.pt')}/evaluate/", body)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(body)


def test_the_form_says_what_is_waited_for_and_what_is_wrong(
    client: Client, ada: User, session: TrainingSession
) -> None:
    client.force_login(ada)
    form = {"checkpoint": key_of("Ball/Ball-100.pt"), "seeds": "1, 2", "episodes": "5"}
    assert client.get("/sessions/ball/evaluate/").status_code == 405
    refused = client.post("/sessions/ball/evaluate/", {**form, "seeds": "one"}, follow=True)
    assert "Seeds are whole numbers" in refused.content.decode()
    assert client.post("/sessions/ball/evaluate/", form, follow=True).status_code == 200
    assert Evaluation.objects.get().seeds == [1, 2]


def test_in_editor_mode_it_says_that_play_must_be_pressed(client: Client, ada: User, session: TrainingSession) -> None:
    TrainingSession.objects.filter(pk=session.pk).update(trainer=make_mlagents_trainer())
    client.force_login(ada)
    assert "press Play in the Unity Editor for each seed" in client.get("/sessions/ball/").content.decode()


def test_parts_of_an_evaluation_are_in_no_list_unless_asked_for(
    client: Client, ada: User, session: TrainingSession
) -> None:
    client.force_login(ada)
    post(client, f"{key_of('Ball/Ball-100.pt')}/evaluate/", {"seeds": [1]})
    listed = client.get("/api/sessions/").json()["results"]
    assert [one["run_id"] for one in listed] == ["ball"]
    hidden = client.get("/api/sessions/?origin=evaluation").json()["results"]
    assert [one["run_id"] for one in hidden] == ["ball-eval-1"]
    assert "ball-eval-1" in client.get("/queue/").content.decode()


def test_a_model_is_looked_into_once_when_somebody_asks(
    client: Client, ada: User, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(inspections, "async_task", lambda _, key: told.append(key))
    client.force_login(ada)
    address = f"/api/sessions/ball/artifacts/{key_of('Ball/Ball-100.onnx')}/model/"
    assert client.get(address).json()["state"] == "waits"
    client.get(address)
    client.get("/sessions/ball/")
    assert told == [session.pk]
    version = TrainingSession.objects.get().version
    inspections.inspect_waiting(session.pk)
    found = client.get(address).json()
    assert found["state"] == "ready"
    assert found["inputs"] == [{"name": "obs_0", "type": "float32", "shape": ["batch", 8]}]
    assert found["constants"]["memory_size"] == [0.0]
    assert TrainingSession.objects.get().version > version
    assert "continuous_action_output_shape" in client.get("/sessions/ball/").content.decode()
    assert told == [session.pk]


def test_a_worker_that_forgot_is_told_again_after_a_while(
    ada: User, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessions.selectors.inspections import models_of

    told: list[int] = []
    monkeypatch.setattr(inspections, "async_task", lambda _, key: told.append(key))
    inspections.ask_for(session, models_of(session))
    ModelInspection.objects.update(asked_at=ModelInspection.objects.get().asked_at - timedelta(minutes=2))
    inspections.ask_for(session, models_of(session))
    assert told == [session.pk] * 2


def test_a_file_that_is_no_model_says_so_and_one_that_changed_waits(
    client: Client, ada: User, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspections, "async_task", lambda *_: None)
    client.force_login(ada)
    address = f"/api/sessions/ball/artifacts/{key_of('Ball/Ball-100.onnx')}/model/"
    client.get(address)
    written = OnDisk(session)
    path = Path(written.results, "Ball/Ball-100.onnx")
    content = path.read_bytes()
    path.write_bytes(content + b"\x10\x01")
    inspections.inspect_waiting(session.pk)
    assert client.get(address).json()["state"] == "waits"
    path.write_bytes(b"no model")
    inspections.inspect_waiting(session.pk)
    assert client.get(address).json()["state"] == "waits"
    artifacts.store(written.attempt, written.results, hashed=True)
    client.get(address)
    inspections.inspect_waiting(session.pk)
    answer = client.get(address).json()
    assert answer["state"] == "failed"
    assert "no ONNX model" in answer["problem"]
