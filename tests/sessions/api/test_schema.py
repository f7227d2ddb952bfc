"""What OpenAPI says of the answers is what the answers are."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client

from sessions.models import Artifact, Import, KeptConfig, Trial
from tests.factories import CONFIG, make_one_of_everything

pytestmark = pytest.mark.usefixtures("home")
FILES = {
    "/api/sessions/{run_id}/artifacts/{key}/",
    "/api/sessions/{run_id}/files/{key}/",
    "/api/sessions/{run_id}/export/",
    "/api/export/",
}
# Whose keys stand in an address, when not those of artifacts.
KEYS: dict[str, type[Model]] = {"/api/imports/": Import, "/api/configs/library/": KeptConfig, "/api/trials/": Trial}
# What a route must be told.
QUERIES = {"/api/metrics/": "?sessions=ball"}


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    make_one_of_everything(ada)
    client.force_login(ada)
    return client


def schema_of(api: Client) -> dict[str, Any]:
    schema = api.get("/api/schema/?format=json").json()
    assert isinstance(schema, dict)
    return schema


def as_json_schema(part: Any) -> Any:
    """OpenAPI 3.0's "nullable" in the words of JSON Schema; objects have the properties named and no others."""
    if isinstance(part, list):
        return [as_json_schema(one) for one in part]
    if not isinstance(part, dict):
        return part
    plain = {name: as_json_schema(value) for name, value in part.items() if name != "nullable"}
    if "properties" in plain:
        plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if part.get("nullable") else plain


def check(answer: Any, described: dict[str, Any], schema: dict[str, Any]) -> None:
    content = described["content"]["application/json"]["schema"]
    components = as_json_schema(schema["components"])
    jsonschema.validate(answer, {**as_json_schema(content), "components": components})


def test_every_answer_that_reads_has_the_shape_described(api: Client) -> None:
    schema = schema_of(api)
    reading = {path: operations["get"] for path, operations in schema["paths"].items() if "get" in operations}
    assert len(reading) > 12
    for path, operation in reading.items():
        if path in FILES:
            continue
        key = str(
            next((kind for start, kind in KEYS.items() if path.startswith(start)), Artifact)._default_manager.get().pk
        )
        answer = api.get(path.replace("{run_id}", "ball").replace("{key}", key) + QUERIES.get(path, ""))
        assert answer.status_code == 200, path
        check(answer.json(), operation["responses"]["200"], schema)


def test_points_have_the_shape_described(api: Client) -> None:
    schema = schema_of(api)
    described = schema["paths"]["/api/sessions/{run_id}/metrics/"]["get"]["responses"]["200"]
    answer = api.get("/api/sessions/ball/metrics/?behavior=Ball").json()
    assert answer["series"][0]["steps"] == [1, 2]
    check(answer, described, schema)


@pytest.mark.parametrize(
    ("path", "query"),
    [("/api/sessions/{run_id}/metrics/", "?points=2&relative=true"), ("/api/metrics/", "?sessions=ball&points=2")],
)
def test_points_and_their_seconds_have_the_shape_described(api: Client, path: str, query: str) -> None:
    schema = schema_of(api)
    answer = api.get(path.replace("{run_id}", "ball") + query).json()
    assert answer["series"][0]["seconds"] == [0.0, 1.0]
    check(answer, schema["paths"][path]["get"]["responses"]["200"], schema)


@pytest.mark.parametrize(
    ("path", "status"), [("/api/preview/", 200), ("/api/preflight/", 200), ("/api/sessions/", 201)]
)
def test_a_start_and_its_preview_have_the_shape_described(api: Client, path: str, status: int) -> None:
    schema = schema_of(api)
    body = {"run_id": "ball-1", "config": CONFIG.decode(), "trainer": "practice"}
    answer = api.post(path, json.dumps(body), content_type="application/json")
    assert answer.status_code == status
    check(answer.json(), schema["paths"][path]["post"]["responses"][str(status)], schema)


@pytest.mark.parametrize("config", ["behaviors: {A: {max_stepz: 1}}", "default: {trainer: ppo}", "", "a: \0", "\ud800"])
def test_a_validation_has_the_shape_described(api: Client, config: str) -> None:
    schema = schema_of(api)
    path = "/api/configs/validate/"
    answer = api.post(path, json.dumps({"config": config}), content_type="application/json")
    assert answer.status_code == 200
    check(answer.json(), schema["paths"][path]["post"]["responses"]["200"], schema)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/configs/common/", {}),
        ("/api/configs/common/", {"change": {"path": ["behaviors", "Ball", "time_horizon"], "value": "32"}}),
        ("/api/configs/compare/", {"session": "ball"}),
    ],
)
def test_what_the_editor_asks_has_the_shape_described(api: Client, path: str, body: dict[str, Any]) -> None:
    schema = schema_of(api)
    text = CONFIG.decode() + "  Cube: {}\n"
    answer = api.post(path, json.dumps({"config": text, **body}), content_type="application/json")
    assert answer.status_code == 200
    check(answer.json(), schema["paths"][path]["post"]["responses"]["200"], schema)


@pytest.mark.parametrize(("action", "status"), [("stop", 200), ("kill", 200), ("resume", 409), ("restore", 200)])
def test_actions_and_refusals_have_the_shape_described(api: Client, action: str, status: int) -> None:
    schema = schema_of(api)
    answer = api.post(f"/api/sessions/ball/{action}/")
    assert answer.status_code == status
    operation = schema["paths"][f"/api/sessions/{{run_id}}/{action}/"]["post"]
    check(answer.json(), operation["responses"][str(status)], schema)


def test_the_documentation_has_a_page(api: Client) -> None:
    assert api.get("/api/docs/").status_code == 200
