"""Exports: one session, or those that a query chooses, to those who may see them; from the API and the terminal."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from mentor_site.options import BASE_DIR
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import SeriesChunk, TrainingSession
from sessions.selectors import exports
from sessions.selectors.exports import TABLES
from sessions.services import points
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")
REWARD = "Environment/Cumulative Reward"


def trained(owner: User, run_id: str, *, count: int = 3, behavior: str = "Ball", **changes: Any) -> TrainingSession:
    session = make_session(owner=owner, run_id=run_id, state=State.COMPLETED, **changes)
    attempt = session.attempts.get()
    for tag in (REWARD, "Losses/Policy Loss"):
        points.append(attempt, behavior, [Point(tag, 10 * one, 1.7e9 + one, one / 3) for one in range(count)])
    return session


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def content(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(answer).decode(), newline="")))


def test_the_points_of_a_session_are_a_long_table(api: Client, ada: User) -> None:
    trained(ada, "ball")
    answer = api.get("/api/sessions/ball/export/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ball-points.csv"'
    read = rows(answer)
    assert list(read[0]) == ["run_id", "attempt", "behavior", "tag", "step", "wall_time", "value"]
    assert read[1] == {
        "run_id": "ball", "attempt": "1", "behavior": "Ball", "tag": REWARD, "step": "10",
        "wall_time": "2023-11-14T22:13:21.000000Z", "value": repr(1 / 3),
    }  # fmt: skip
    assert len(read) == 6


def test_json_and_parquet_hold_the_same_points(api: Client, ada: User, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    trained(ada, "ball", count=700)
    read = json.loads(content(api.get("/api/sessions/ball/export/?export_format=json")))
    path = tmp_path / "points.parquet"
    answer = api.get("/api/sessions/ball/export/?export_format=parquet")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ball-points.parquet"'
    path.write_bytes(content(answer))
    with duckdb.connect() as connection:
        select = "select run_id, attempt, behavior, tag, step, epoch(wall_time), value from read_parquet(?)"
        table = connection.execute(select, [str(path)]).fetchall()
    assert [row[4] for row in table] == [row["step"] for row in read]
    assert [row[6] for row in table] == [row["value"] for row in read]
    assert (len(read), table[1][:6]) == (1400, ("ball", 1, "Ball", REWARD, 10, 1.7e9 + 1))


def test_some_tags_and_behaviors_can_be_asked_for(api: Client, ada: User) -> None:
    session = trained(ada, "ball")
    points.append(session.attempts.get(), "Other", [Point(REWARD, 1, 1.7e9, 1.0)])
    assert len(rows(api.get("/api/sessions/ball/export/", {"series_tag": REWARD}))) == 4
    assert len(rows(api.get("/api/sessions/ball/export/", {"behavior": ["Other", "Third"]}))) == 1
    assert len(rows(api.get("/api/sessions/ball/export/", {"behavior": "", "series_tag": [REWARD, "x"]}))) == 4


def test_values_that_are_no_numbers_are_written_as_each_format_can(api: Client, ada: User) -> None:
    session = trained(ada, "ball", count=0)
    values = [math.nan, math.inf, -math.inf]
    points.append(session.attempts.get(), "Ball", [Point("x", step, 1.7e9, one) for step, one in enumerate(values)])
    assert [row["value"] for row in rows(api.get("/api/sessions/ball/export/"))] == ["NaN", "inf", "-inf"]
    read = json.loads(content(api.get("/api/sessions/ball/export/?export_format=json")))
    assert [row["value"] for row in read] == [None] * 3


def test_a_session_has_a_row_for_each_behavior(api: Client, ada: User) -> None:
    trained(ada, "ball", tags=("a", "b"), notes="=cmd|' /C calc'!A0")
    (row,) = rows(api.get("/api/sessions/ball/export/?what=sessions"))
    assert list(row) == [column.name for column in TABLES["sessions"]]
    assert (row["run_id"], row["state"], row["behavior"], row["tags"]) == ("ball", "completed", "Ball", "a; b")
    assert row["notes"] == "'=cmd|' /C calc'!A0"
    assert len(row["config_sha256"]) == 64


def test_a_query_chooses_sessions_as_the_list_does(api: Client, ada: User) -> None:
    for run_id, tags in (("one", ("x",)), ("two", ()), ("three", ("x",))):
        trained(ada, run_id, tags=tags)
    TrainingSession.objects.filter(run_id="three").update(trashed_at=timezone.now())

    def found(**query: Any) -> set[str]:
        return {row["run_id"] for row in rows(api.get("/api/export/", query))}

    assert found() == {"one", "two"}
    assert found(tag="x") == {"one"}
    assert found(tag="x", trash="true") == {"three"}
    assert found(run_id=["one", "two", "nobody"]) == {"one", "two"}
    assert found(state="", text="", behavior="", order="", tag="x") == {"one"}
    assert found(state="running") == set()
    assert found(what="sessions", order="run_id") == {"one", "two"}


@pytest.mark.parametrize(
    "query", [{"export_format": "xlsx"}, {"what": "secrets"}, {"state": "no such state"}, {"order": "password"}]
)
def test_a_wrong_query_is_told_before_anything_is_sent(api: Client, query: dict[str, str]) -> None:
    answer = api.get("/api/export/", query)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_nobody_exports_what_they_may_not_see(client: Client, ada: User, cyd: User) -> None:
    trained(ada, "hers")
    trained(cyd, "theirs")
    client.force_login(cyd)
    assert client.get("/api/sessions/hers/export/").status_code == 404
    assert {row["run_id"] for row in rows(client.get("/api/export/"))} == {"theirs"}
    assert rows(client.get("/api/export/", {"run_id": "hers"})) == []


def test_what_was_before_a_new_beginning_is_left_out_as_on_the_page(api: Client, ada: User) -> None:
    session = trained(ada, "ball")
    session.attempts.create(number=2, cookie="2", force=True, state=State.COMPLETED.value)
    assert rows(api.get("/api/sessions/ball/export/")) == []


def test_long_series_and_many_short_ones_come_whole_and_in_order(
    api: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "POINTS_AT_ONCE", 3 * SeriesChunk.POINTS)
    monkeypatch.setattr(exports, "SESSIONS_AT_ONCE", 2)
    for number, count in enumerate((2000, 10, 300, 750, 0, 22_000)):
        trained(ada, f"run-{number}", count=count)
    read = rows(api.get("/api/export/", {"order": "run_id", "series_tag": REWARD}))
    expected = [
        (f"run-{number}", str(10 * one))
        for number, count in enumerate((2000, 10, 300, 750, 0, 22_000))
        for one in range(count)
    ]
    assert [(row["run_id"], row["step"]) for row in read] == expected


def test_the_page_offers_the_export_of_what_it_shows(api: Client, ada: User) -> None:
    trained(ada, "ball")
    assert (
        "/api/sessions/ball/export/?what=points&amp;export_format=parquet"
        in api.get("/sessions/ball/").content.decode()
    )
    text = api.get("/sessions/?state=completed&text=%26%3C").content.decode()
    assert "/api/export/?state=completed&amp;text=%26%3C&amp;what=sessions&amp;export_format=csv" in text


def test_the_command_writes_a_file_whole_or_not_at_all(ada: User, tmp_path: Path) -> None:
    for run_id in ("one", "two"):
        trained(ada, run_id)
    path = tmp_path / "out.csv"
    call_command("export", "two", "one", output=path)
    assert path.read_text(encoding="utf-8").count("\n") == 13
    call_command("export", query="text=tw", what="sessions", output=path)
    assert [line.split(",")[0] for line in path.read_text(encoding="utf-8").splitlines()] == ["run_id", "two"]
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["out.csv"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "Name sessions"),
        ({"sessions": ["nobody"]}, "There is no session nobody"),
        ({"query": "state=nonsense"}, "state: "),
    ],
)
def test_the_command_says_what_is_wrong(db: None, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("export", *arguments.pop("sessions", []), **arguments)


def test_a_folder_that_is_not_there_is_told(ada: User, tmp_path: Path) -> None:
    trained(ada, "one")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", "one", output=tmp_path / "none" / "out.csv")


@pytest.mark.slow
def test_the_command_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "export", "--help"], capture_output=True, text=True, check=True
    )
    assert "parquet" in done.stdout
