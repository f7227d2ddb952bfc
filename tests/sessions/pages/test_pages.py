"""The pages: they say what there is, to whom may see it, and nothing hostile gets out of its place."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Artifact, Attempt, SessionEvent, Trainer, TrainingSession
from sessions.services import points
from sessions.services.actions import ACTIONS
from tests.factories import CONFIG, make_mlagents_trainer, make_practice_trainer, make_session

pytestmark = pytest.mark.usefixtures("home")
PAGES = [
    "/",
    "/?partial=1",
    "/start/",
    "/sessions/",
    "/sessions/ball/",
    "/trainers/",
    "/environments/",
    "/checkpoints/",
    "/reports/",
]
HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def session(ada: User) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING)


def put(session: TrainingSession, state: State, **columns: Any) -> None:
    TrainingSession.objects.filter(pk=session.pk).update(state=state.value, **columns)
    session.attempts.update(state=state.value)


def write_console(home: Path, data: bytes, *, attempt: int = 1) -> None:
    folder = home / "runs" / "ball" / "attempts" / str(attempt)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "console.log").write_bytes(data)


def said(answer: Any) -> list[str]:
    """The messages of an answer that redirects."""
    return [str(message) for message in answer.wsgi_request._messages]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_html_for_who_is_signed_in(page: Client, session: TrainingSession, address: str) -> None:
    answer = page.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert page.head(address).status_code == 200


@pytest.mark.parametrize("address", [*PAGES, "/sessions/ball/console/"])
def test_no_page_without_signing_in(client: Client, session: TrainingSession, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("state", State)
def test_a_session_has_its_page_in_every_state(page: Client, ada: User, state: State) -> None:
    make_session(owner=ada, run_id="ball", state=state)
    for address in ("/", "/sessions/", "/sessions/ball/"):
        content = page.get(address).content.decode()
        assert f'data-state="{state.value}"' in content


def test_who_may_not_see_a_session_finds_no_trace_of_it(client: Client, session: TrainingSession, cyd: User) -> None:
    client.force_login(cyd)
    for address in ("/sessions/ball/", "/sessions/ball/console/"):
        assert client.get(address).status_code == 404
    for action in ACTIONS:
        assert client.post(f"/sessions/ball/{action}/").status_code == 404
    for address in ("/", "/sessions/", "/sessions/?text=ball", "/reports/"):
        assert "/sessions/ball/" not in client.get(address).content.decode()
    assert TrainingSession.objects.get().wanted == "run"


@pytest.mark.parametrize("path", ["", "console/", "stop/", "kill/", "resume/", "trash/", "restore/"])
def test_a_session_there_is_not_is_missing(page: Client, path: str) -> None:
    send = page.get if path in ("", "console/") else page.post
    answer = send(f"/sessions/nobody/{path}")
    assert answer.status_code == 404
    assert "There is no session nobody" in answer.content.decode()


@pytest.mark.parametrize("run_id", ["..", "a%2Fb", "%00", "x" * 500, "ü"])
def test_a_run_id_that_cannot_be_is_missing(page: Client, run_id: str) -> None:
    assert page.get(f"/sessions/{run_id}/").status_code == 404


def test_the_dashboard_sorts_sessions_by_what_they_do(page: Client, ada: User) -> None:
    for run_id, state in (("r", State.RUNNING), ("e", State.WAITING_FOR_EDITOR), ("q", State.QUEUED)):
        make_session(owner=ada, run_id=run_id, state=state)
    make_session(owner=ada, run_id="first", priority=5)
    make_session(owner=ada, run_id="done", state=State.COMPLETED)
    gone = make_session(owner=ada, run_id="gone", state=State.COMPLETED)
    put(gone, State.COMPLETED, trashed_at=timezone.now())
    context = page.get("/").context
    assert [one.run_id for one in context["running"]] == ["e", "r"]
    assert [one.run_id for one in context["waiting"]] == ["first", "q"]
    assert [one.run_id for one in context["ended"]] == ["done"]


def test_the_list_keeps_its_filters_from_page_to_page(page: Client, ada: User) -> None:
    for number in range(26):
        make_session(owner=ada, run_id=f"s{number:02}", tags=("t",))
    answer = page.get("/sessions/?tag=t&order=run_id&behavior=")
    assert [one.run_id for one in answer.context["sessions"]] == [f"s{number:02}" for number in range(25)]
    assert "tag=t" in answer.context["query"]
    last = page.get("/sessions/?tag=t&order=run_id&page=2").context["sessions"]
    assert [one.run_id for one in last] == ["s25"]
    for wrong in ("state=nonsense", "order=password"):
        assert list(page.get(f"/sessions/?{wrong}").context["sessions"]) == []
    assert page.get("/sessions/?page=99").context["page"].number == 2


def test_the_list_and_dashboard_ask_as_often_for_many_sessions_as_for_few(
    page: Client, ada: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make_session(owner=ada, run_id=f"s{number}", state=State.RUNNING if number % 2 else State.COMPLETED)
    for address, most in (("/", 15), ("/sessions/", 15)):
        with django_assert_max_num_queries(most):
            page.get(address)


def test_a_sessions_page_shows_command_configuration_events_files_and_numbers(
    page: Client, session: TrainingSession, home: Path
) -> None:
    points.append(session.attempts.get(), "Ball", [Point("Environment/Cumulative Reward", 500, 1e9, 1.5)])
    Artifact.objects.create(
        session=session, path="Ball/Ball-500.onnx", behavior="Ball", kind="onnx", step=500, size=5, modified_ns=0,
        sha256="abc123" * 10,
    )  # fmt: skip
    write_console(home, b"[INFO] hello\nhalf")
    answer = page.get("/sessions/ball/")
    content = answer.content.decode()
    for text in ("--run-id=ball", "trainer_type: ppo", "Ball/Ball-500.onnx", "abc123abc123", "[INFO] hello", "ada"):
        assert text in content
    assert answer.context["log_text"] == "[INFO] hello\n"
    assert answer.context["log_next"] == 13
    assert answer.context["config_given"] is None
    live = answer.context["live"]
    assert live["log"] == {"attempt": 1, "offset": 0, "next": 13}
    assert live["points"]["series"][0]["values"] == [1.5]


def test_a_long_console_begins_with_a_whole_line_near_its_end(
    page: Client, session: TrainingSession, home: Path
) -> None:
    line = b"x" * 99 + b"\n"
    write_console(home, line * 2000)
    answer = page.get("/sessions/ball/")
    assert answer.context["log_offset"] % 100 == 0
    assert 100_000 < answer.context["log_offset"] < 200_000
    assert answer.context["log_next"] == 200_000
    assert "earlier lines are in the whole log" in answer.content.decode()


def test_both_configurations_are_shown_when_overrides_changed_it(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball", overrides={"behaviors.Ball.max_steps": 77})
    context = page.get("/sessions/ball/").context
    assert context["config_given"] == CONFIG.decode()
    assert "77" in context["config_used"]


@pytest.mark.parametrize(
    ("state", "wanted", "offered"),
    [
        (State.QUEUED, "run", {"stop", "hold"}),
        (State.RUNNING, "run", {"stop", "pause", "kill"}),
        (State.STOPPING, "pause", {"stop", "kill"}),
        (State.PAUSED, "pause", {"resume", "archive", "trash"}),
        (State.STOPPING, "stop", {"kill"}),
        (State.STOPPING, "kill", set()),
        (State.COMPLETED, "run", {"resume", "archive", "trash"}),
        (State.FAILED, "run", {"resume", "archive", "trash"}),
    ],
)
def test_a_page_offers_what_can_be_done_now(
    page: Client, ada: User, state: State, wanted: str, offered: set[str]
) -> None:
    session = make_session(owner=ada, run_id="ball", state=state)
    TrainingSession.objects.filter(pk=session.pk).update(wanted=wanted)
    content = page.get("/sessions/ball/").content.decode()
    shown = {name for name in ACTIONS if f'data-action="{name}">' in content}
    assert shown == offered


@pytest.mark.parametrize("action", ["stop", "kill"])
def test_stop_and_kill_are_asked_for_and_answered_with_the_page(
    page: Client, session: TrainingSession, action: str
) -> None:
    answer = page.post(f"/sessions/ball/{action}/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sessions/ball/")
    assert TrainingSession.objects.get().wanted == action
    assert len(said(answer)) == 1


def test_a_stop_of_a_session_that_has_ended_is_a_sentence_on_its_page(page: Client, session: TrainingSession) -> None:
    put(session, State.COMPLETED)
    answer = page.post("/sessions/ball/stop/")
    assert answer.headers["Location"] == "/sessions/ball/"
    (sentence,) = said(answer)
    assert sentence in html.unescape(page.get("/sessions/ball/").content.decode())
    assert TrainingSession.objects.get().wanted == "run"


def test_resume_queues_a_further_attempt(page: Client, session: TrainingSession) -> None:
    put(session, State.STOPPED)
    assert page.post("/sessions/ball/resume/").headers["Location"] == "/sessions/ball/"
    latest = Attempt.objects.get(number=2)
    assert (latest.resume, latest.state) == (True, "queued")
    assert SessionEvent.objects.order_by("-pk").first().who == "ada"  # type: ignore[union-attr]


def test_the_trash_takes_an_ended_session_and_gives_it_back(page: Client, session: TrainingSession) -> None:
    page.post("/sessions/ball/trash/")
    assert TrainingSession.objects.get().trashed_at is None
    put(session, State.FAILED)
    assert page.post("/sessions/ball/trash/").headers["Location"] == "/sessions/"
    assert TrainingSession.objects.get().trashed_at is not None
    assert list(page.get("/sessions/").context["sessions"]) == []
    assert page.post("/sessions/ball/restore/").headers["Location"] == "/sessions/ball/"
    assert TrainingSession.objects.get().trashed_at is None


def test_who_may_only_look_can_press_nothing(client: Client, session: TrainingSession, ben: User) -> None:
    client.force_login(ben)
    before = TrainingSession.objects.values().get()
    for action in ("stop", "kill"):
        client.post(f"/sessions/ball/{action}/")
    put(session, State.STOPPED)
    for action in ("resume", "trash", "restore"):
        answer = client.post(f"/sessions/ball/{action}/")
        assert answer.status_code == 302
        assert any("may not" in sentence for sentence in said(answer))
    assert TrainingSession.objects.values().get() == {**before, "state": "stopped"}
    assert Attempt.objects.count() == 1


def test_owners_may_stop_their_own_session_without_the_permission(client: Client, ben: User, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    TrainingSession.objects.filter(pk=session.pk).update(owner=ben)
    client.force_login(ben)
    client.post("/sessions/ball/stop/")
    assert TrainingSession.objects.get().wanted == "stop"


def test_hostile_text_stays_text_on_every_page(page: Client, ada: User, home: Path) -> None:
    config = CONFIG + f"# {HOSTILE}\n".encode()
    session = make_session(
        owner=ada, run_id="ball", name=HOSTILE[:200], notes=HOSTILE, tags=(HOSTILE,), config=config, state=State.FAILED
    )
    TrainingSession.objects.update(explanation=HOSTILE, config_name=HOSTILE)
    session.behaviors.update(name=HOSTILE, seen=True)
    SessionEvent.objects.update(why=HOSTILE, who=HOSTILE)
    Trainer.objects.update(problem=HOSTILE, version=HOSTILE[:50])
    Attempt.objects.update(failure=HOSTILE, saved=[{"path": HOSTILE}], command=["mlagents-learn", HOSTILE])
    Artifact.objects.create(
        session=session, path=f"{HOSTILE}.onnx", behavior=HOSTILE, kind="onnx", size=1, modified_ns=0
    )
    points.append(session.attempts.get(), HOSTILE, [Point(HOSTILE, 1, 1e9, 1.0)])
    write_console(home, f"{HOSTILE}\n\x1b[31mred\n".encode())
    for address in [*PAGES, "/sessions/?text=" + HOSTILE, "/sessions/?behavior=" + HOSTILE]:
        content = page.get(address).content.decode()
        assert "<script>alert" not in content, address
        assert "<img src=x" not in content, address


def test_the_whole_console_is_downloaded_byte_for_byte(page: Client, session: TrainingSession, home: Path) -> None:
    data = b"first\r\n\xff\x00 no text\nhalf"
    write_console(home, data)
    write_console(home, b"of the second", attempt=2)
    answer = page.get("/sessions/ball/console/")
    assert b"".join(answer.streaming_content) == data  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ball-1-console.log"'
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert page.get("/sessions/ball/console/?attempt=2").status_code == 404
    session.attempts.update(number=2)
    answer = page.get("/sessions/ball/console/?attempt=2")
    assert b"".join(answer.streaming_content) == b"of the second"  # type: ignore[attr-defined]


@pytest.mark.parametrize("attempt", ["", "1", "x", "²", "-1", "9" * 5000])
def test_a_console_that_does_not_exist_yet_is_an_empty_text(
    page: Client, session: TrainingSession, attempt: str
) -> None:
    answer = page.get("/sessions/ball/console/", {"attempt": attempt})
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_file_is_reached_from_its_row_on_the_page(page: Client, session: TrainingSession, home: Path) -> None:
    results = home / "runs/ball/results/ball"
    results.mkdir(parents=True)
    (results / "Ball.onnx").write_bytes(b"model")
    Artifact.objects.create(session=session, path="Ball.onnx", behavior="Ball", kind="onnx", size=5, modified_ns=0)
    (row,) = page.get("/sessions/ball/").context["other_files"]
    assert b"".join(page.get(row.url).streaming_content) == b"model"  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", ["/trainers/", "/environments/"])
def test_registering_wrongly_keeps_what_was_typed_and_says_what_is_wrong(page: Client, address: str) -> None:
    answer = page.post(address, {"name": "mine", "interpreter": "/nowhere/python", "path": "/nowhere/Ball"})
    assert answer.status_code == 422
    assert "/nowhere/" in answer.content.decode()
    assert answer.context["errors"]


@pytest.mark.parametrize("address", ["/trainers/", "/environments/"])
def test_registering_needs_its_permission(client: Client, cyd: User, tmp_path: Path, address: str) -> None:
    make_practice_trainer()
    build = tmp_path / "Ball.x86_64"
    build.write_text("#!/bin/sh\n", encoding="utf-8")
    build.chmod(0o755)
    client.force_login(cyd)
    answer = client.post(address, {"name": "mine", "interpreter": str(build), "path": str(build)})
    assert answer.status_code == 422
    assert "may not" in answer.content.decode()
    assert Trainer.objects.count() == 1


def test_trainers_are_listed_with_what_is_wrong_with_them(page: Client) -> None:
    make_practice_trainer()
    broken = make_mlagents_trainer()
    broken.problem = "The package mlagents is not installed."
    broken.save()
    content = page.get("/trainers/").content.decode()
    assert "The package mlagents is not installed." in content
    assert "/nowhere/python" in content
