"""Checkpoints through the API and the pages: what is listed, what may be asked of one, and by whom."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.errors import InvalidInput, LaunchFailed
from sessions.models import Artifact, Attempt, OutsideCheckpoint, TrainingSession
from sessions.services import artifacts, checkpoints, going_back, keeping, outside, staging
from sessions.services.recovery import at_rest
from tests.factories import CONFIG, make_mlagents_trainer, make_practice_trainer, make_session, make_user
from tests.sessions.api.test_schema import as_json_schema, schema_of
from tests.sessions.attempts import OnDisk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def weights(number: int) -> bytes:
    """A checkpoint of the practice trainer."""
    stream = io.BytesIO()
    np.savez(stream, step=np.array(number), policy=np.arange(number % 50 + 1.0))
    return stream.getvalue()


MODEL = b"\x3a\x02ab\x42\x02cd"  # a graph and an operator set, as far as fields go


@pytest.fixture
def session(ada: User) -> TrainingSession:
    """One that was stopped, with checkpoints at 500 and 1000 and a model."""
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    disk = OnDisk(session)
    for step in (500, 1000):
        disk.save(f"Ball/Ball-{step}.pt", weights(step))
        disk.save(f"Ball/Ball-{step}.onnx", MODEL)
    disk.save("Ball/checkpoint.pt", weights(1000))
    entries = [{"steps": step, "reward": step / 1000, "file_path": f"Ball-{step}.onnx"} for step in (500, 1000)]
    status = {"Ball": {"checkpoints": entries, "final_checkpoint": {**entries[1]}}, "metadata": {}}
    disk.save("run_logs/training_status.json", json.dumps(status).encode())
    artifacts.store(disk.attempt, disk.results, hashed=True)
    return session


@pytest.fixture
def api(client: Client, ada: User, session: TrainingSession) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The tasks that were enqueued."""
    tasks: list[tuple[Any, ...]] = []
    monkeypatch.setattr(checkpoints, "async_task", lambda *told: tasks.append(told))
    return tasks


def results(session: TrainingSession) -> Path:
    return session.attempts.order_by("-number")[0].results


def state_at(step: int, **columns: Any) -> Artifact:
    return Artifact.objects.get(step=step, kind="pt", **{"kept": False, **columns})


def rows(api: Client) -> list[dict[str, Any]]:
    found = api.get("/api/sessions/ball/checkpoints/").json()["results"]
    assert isinstance(found, list)
    return found


def post(api: Client, path: str, body: Any = None) -> Any:
    return api.post(f"/api/{path}", json.dumps(body or {}), content_type="application/json")


def test_the_list_says_of_each_file_what_is_known(api: Client) -> None:
    answer = api.get("/api/sessions/ball/checkpoints/").json()
    assert [(one["step"], one["kind"], one["reward"], one["condition"]) for one in answer["results"]] == [
        (1000, "pt", 1.0, "whole"), (1000, "onnx", 1.0, "whole"), (500, "pt", 0.5, "whole"), (500, "onnx", 0.5, "whole")
    ]  # fmt: skip
    assert {"id", "behavior", "step", "reward", "kind", "size", "sha256", "url"} <= set(answer["results"][0])
    schema = schema_of(api)
    described = schema["paths"]["/api/sessions/{run_id}/checkpoints/"]["get"]["responses"]["200"]
    content = as_json_schema(described["content"]["application/json"]["schema"])
    jsonschema.validate(answer, {**content, "components": as_json_schema(schema["components"])})


def test_a_file_that_is_gone_or_changed_says_so(api: Client, session: TrainingSession) -> None:
    (results(session) / "Ball/Ball-500.pt").unlink()
    (results(session) / "Ball/Ball-1000.pt").write_bytes(b"something else")
    assert {(one["step"], one["kind"]): one["condition"] for one in rows(api)} == {
        (500, "pt"): "missing", (500, "onnx"): "whole", (1000, "pt"): "changed", (1000, "onnx"): "whole"
    }  # fmt: skip


def test_a_change_that_keeps_the_size_is_found_by_reading(
    api: Client, session: TrainingSession, asked: list[Any]
) -> None:
    path = results(session) / "Ball/Ball-1000.pt"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert post(api, "sessions/ball/checkpoints/look/").status_code == 202
    (task,) = asked
    assert checkpoints.look(*task[1:]) is None
    assert {one["condition"] for one in rows(api) if one["step"] == 1000} == {"changed", "whole"}


def test_a_release_is_marked_on_every_file_and_taken_back(api: Client, asked: list[Any]) -> None:
    answer = post(api, f"sessions/ball/checkpoints/{state_at(500).pk}/release/", {"note": "the good one"})
    assert {one["step"] for one in answer.json()["results"] if one["released"]} == {500}
    assert {one["released"]["by"] for one in rows(api) if one["released"]} == {"ada"}
    keeping.Keeper(TrainingSession.objects.get()).keep(live=False)
    assert api.delete(f"/api/sessions/ball/checkpoints/{state_at(500).pk}/release/").status_code == 204
    assert not [one for one in rows(api) if one["released"]]
    assert len(asked) == 2


def test_a_resume_goes_back_to_the_chosen_checkpoint(api: Client, session: TrainingSession) -> None:
    answer = post(api, f"sessions/ball/checkpoints/{state_at(500).pk}/resume/")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["explanation"] == "Goes back to Ball at step 500 and resumes from there."
    attempt = Attempt.objects.select_related("session").get(number=2)
    staging.verify(attempt)
    going_back.go_back(attempt)
    folder = results(session) / "Ball"
    assert (folder / "checkpoint.pt").read_bytes() == weights(500)
    assert (folder / "checkpoint.pt.unused-by-attempt-2").read_bytes() == weights(1000)
    status = json.loads((results(session) / "run_logs/training_status.json").read_text())
    assert [one["steps"] for one in status["Ball"]["checkpoints"]] == [500]
    assert "final_checkpoint" not in status["Ball"]
    assert session.behaviors.get().step == 500


def test_the_checkpoint_that_was_chosen_stays_what_it_was(api: Client, session: TrainingSession) -> None:
    post(api, f"sessions/ball/checkpoints/{state_at(500).pk}/resume/")
    (results(session) / "Ball/Ball-500.pt").unlink()
    attempt = Attempt.objects.select_related("session").get(number=2)
    staging.verify(attempt)
    staging.staged_file(attempt, attempt.starts_from[0]).write_bytes(weights(7))
    with pytest.raises(LaunchFailed, match="not what it was"):
        staging.verify(attempt)


@pytest.mark.parametrize("content", [b"torn", b""])
def test_a_broken_checkpoint_is_not_resumed_from(api: Client, session: TrainingSession, content: bytes) -> None:
    (results(session) / "Ball/Ball-500.pt").write_bytes(content)
    answer = post(api, f"sessions/ball/checkpoints/{state_at(500).pk}/resume/")
    assert (answer.status_code, answer.json()["detail"]) == (400, "Ball at step 500 of ball is broken.")
    assert Attempt.objects.count() == 1


def test_a_session_that_has_not_ended_does_not_go_back(api: Client) -> None:
    TrainingSession.objects.update(state="running")
    assert post(api, f"sessions/ball/checkpoints/{state_at(500).pk}/resume/").status_code == 409


def start(api: Client, run_id: str, source: str, **changes: Any) -> Any:
    body = {"run_id": run_id, "config": CONFIG.decode(), "trainer": "practice", "initialize_from": source, **changes}
    return post(api, "sessions/", body)


def test_a_session_begins_with_a_checkpoint_by_its_id(api: Client, home: Path) -> None:
    answer = start(api, "next", str(state_at(500).pk))
    assert answer.status_code == 201, answer.json()
    folder = home / "runs/next/starts/attempt-1"
    assert f"--initialize-from={folder}" in answer.json()["command"]
    assert (folder / "Ball/checkpoint.pt").read_bytes() == weights(500)
    assert Attempt.objects.get(session__run_id="next").starts_from[0]["source"] == "Ball at step 500 of ball"


def test_a_run_id_still_begins_with_all_that_a_session_has(api: Client, session: TrainingSession) -> None:
    assert f"--initialize-from={results(session)}" in start(api, "next", "ball").json()["command"]


def test_the_only_behavior_takes_a_checkpoint_of_another_name_and_others_begin_blank(api: Client, home: Path) -> None:
    one = CONFIG.decode().replace("Ball", "Wall")
    assert start(api, "one", str(state_at(500).pk), config=one).status_code == 201
    assert (home / "runs/one/starts/attempt-1/Wall/checkpoint.pt").read_bytes() == weights(500)
    two = CONFIG.decode() + "  Wall:\n    trainer_type: ppo\n    max_steps: 2000\n"
    assert start(api, "two", str(state_at(500).pk), config=two).status_code == 201
    assert sorted(path.name for path in (home / "runs/two/starts/attempt-1").iterdir()) == ["Ball", "Wall"]
    neither = two.replace("Ball", "Bell")
    assert "None of" in start(api, "neither", str(state_at(500).pk), config=neither).json()["detail"]


@pytest.mark.parametrize("source", ["999999", "nothing", "outside:nothing", "9" * 30, "outside:", "-1"])
def test_what_is_not_there_cannot_be_begun_with(api: Client, source: str) -> None:
    answer = start(api, "next", source)
    assert answer.status_code == 400
    assert "initialize_from" in answer.json()["errors"]


def test_a_checkpoint_of_another_kind_of_trainer_is_refused(api: Client) -> None:
    make_mlagents_trainer()
    answer = start(api, "next", str(state_at(500).pk), trainer="mlagents")
    assert answer.json()["errors"]["initialize_from"] == [
        "Ball at step 500 of ball was saved by another kind of trainer."
    ]


def test_nobody_begins_with_a_checkpoint_of_a_session_that_is_hidden_from_them(client: Client, api: Client) -> None:
    make_practice_trainer()
    client.force_login(make_user("ben", "start_session"))
    assert start(client, "mine", str(state_at(500).pk)).status_code == 400
    assert post(client, f"sessions/ball/checkpoints/{state_at(500).pk}/release/").status_code == 404


def test_who_may_only_look_changes_nothing(client: Client, api: Client) -> None:
    client.force_login(make_user("cyd", "view_trainingsession"))
    key = state_at(500).pk
    for path in (f"{key}/release", f"{key}/resume", "look"):
        assert post(client, f"sessions/ball/checkpoints/{path}/").status_code == 403
    assert client.delete(f"/api/sessions/ball/checkpoints/{key}/release/").status_code == 403
    assert post(client, "outside-checkpoints/", {"path": "/tmp/Ball.pt"}).status_code == 403
    assert len(client.get("/api/sessions/ball/checkpoints/").json()["results"]) == 4


def test_a_checkpoint_from_outside_is_listed_and_begun_with(api: Client, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "Old ball-7.pt"
    path.write_bytes(weights(7))
    answer = post(api, "outside-checkpoints/", {"path": str(path)})
    assert answer.status_code == 201, answer.json()
    assert answer.json()["condition"] == "whole"
    assert start(api, "next", "outside:Old ball-7").status_code == 201
    assert (home / "runs/next/starts/attempt-1/Ball/checkpoint.pt").read_bytes() == weights(7)
    path.write_bytes(weights(8))
    assert "has changed" in start(api, "later", "outside:Old ball-7").json()["detail"]
    key = OutsideCheckpoint.objects.get().pk
    assert api.delete(f"/api/outside-checkpoints/{key}/").status_code == 204
    assert path.exists()


def test_a_results_folder_from_outside_gives_every_behavior_its_own(api: Client, tmp_path: Path, home: Path) -> None:
    for number, behavior in enumerate(("Ball", "Wall")):
        (tmp_path / "run" / behavior).mkdir(parents=True)
        (tmp_path / "run" / behavior / "checkpoint.pt").write_bytes(weights(number))
    post(api, "outside-checkpoints/", {"path": str(tmp_path / "run"), "name": "A run"})
    two = CONFIG.decode() + "  Wall:\n    trainer_type: ppo\n    max_steps: 2000\n"
    assert start(api, "next", "outside:A run", config=two).status_code == 201
    assert (home / "runs/next/starts/attempt-1/Wall/checkpoint.pt").read_bytes() == weights(1)


@pytest.mark.parametrize(
    ("name", "content"), [("Ball.pt", b"no archive"), ("Ball.onnx", b"\xff" * 20), ("Ball.txt", b""), ("Ball.pt", None)]
)
def test_what_is_no_checkpoint_is_not_registered(api: Client, tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    answer = post(api, "outside-checkpoints/", {"path": str(tmp_path / name)})
    assert answer.status_code == 400
    assert "path" in answer.json()["errors"]


@pytest.mark.parametrize("path", ["Ball.pt", "//server/share/Ball.pt", "\\\\server\\Ball.pt", "/nowhere/Ball.pt"])
def test_only_a_path_on_this_machine_is_registered(ada: User, path: str) -> None:
    with pytest.raises(InvalidInput):
        outside.register(path, by=ada)


def test_the_page_offers_what_may_be_done_with_each_checkpoint(api: Client, asked: list[Any]) -> None:
    page = api.get("/sessions/ball/").content.decode()
    key = state_at(500).pk
    assert f"/start/?initialize_from={key}" in page
    assert f'name="initialize_from" value="{key}"' in api.get(f"/start/?initialize_from={key}").content.decode()
    for action in ("release", "take-back"):
        assert api.post(f"/sessions/ball/checkpoints/{key}/{action}/", {"note": "n"}).status_code == 302
    assert api.post("/sessions/ball/checkpoints/look/").status_code == 302
    assert api.post(f"/sessions/ball/checkpoints/{key}/resume/").status_code == 302
    assert Attempt.objects.get(number=2).starts_from[0]["step"] == 500


def test_the_page_of_checkpoints_from_outside_keeps_what_was_typed(api: Client, tmp_path: Path) -> None:
    answer = api.post("/checkpoints/", {"path": "/nowhere/Ball.pt", "name": "Mine"})
    assert answer.status_code == 422
    assert "/nowhere/Ball.pt" in answer.content.decode()
    (tmp_path / "Ball.pt").write_bytes(weights(1))
    assert api.post("/checkpoints/", {"path": str(tmp_path / "Ball.pt"), "name": "Mine"}).status_code == 302
    assert "Mine" in api.get("/checkpoints/").content.decode()
    assert api.post(f"/checkpoints/{OutsideCheckpoint.objects.get().pk}/forget/").status_code == 302
    assert not OutsideCheckpoint.objects.exists()


def test_what_is_kept_holds_while_a_history_is_rebuilt(session: TrainingSession) -> None:
    with at_rest(session, {"keep_best": 9, "stall_minutes": 3}):
        assert TrainingSession.objects.get().rules == {"keep_best": 9}
    assert TrainingSession.objects.get().rules == {"keep_best": 9, "stall_minutes": 3}
