"""The pages of the history: notes, bulk changes with their undo, behaviors, projects, the trash, retention."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.models import Attempt, RetentionPolicy, TrainingSession
from sessions.services import chores, editing, upkeep
from tests.factories import CONFIG, make_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "async_task", lambda task: None)


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def content(page: Client, address: str) -> str:
    return html.unescape(page.get(address).content.decode())


def listed(page: Client, query: str = "") -> list[str]:
    return [one.run_id for one in page.get(f"/sessions/?{query}").context["sessions"]]


def ended(owner: User, *names: str) -> None:
    for name in names:
        make_session(owner=owner, run_id=name, state=State.STOPPED)


def test_what_is_noted_is_edited_on_the_sessions_page(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball")
    typed = {"name": "The <b>best</b>", "project": "Paper", "tags": "a, b c", "notes": "two\nlines"}
    assert page.post("/sessions/ball/edit/", typed).headers["Location"] == "/sessions/ball/#about"
    session = TrainingSession.objects.get()
    assert (session.name, session.project, session.tags) == ("The <b>best</b>", "Paper", ["a", "b c"])
    shown = page.get("/sessions/ball/").content.decode()
    assert "The &lt;b&gt;best&lt;/b&gt;" in shown
    assert "<b>best</b>" not in shown
    assert "?project=Paper&amp;archived=any" in shown
    assert "Changed name, notes, tags, project." in html.unescape(shown)


def test_who_may_only_look_finds_no_form_and_is_refused(client: Client, ada: User, ben: User) -> None:
    make_session(owner=ada, run_id="ball")
    client.force_login(ben)
    assert 'action="/sessions/ball/edit/"' not in content(client, "/sessions/ball/")
    client.post("/sessions/ball/edit/", {"name": "x"})
    client.post("/retention/", {"keep_best": 5, "undo_days": 7})
    assert TrainingSession.objects.get().name == ""
    assert not RetentionPolicy.objects.filter(keep_best=5).exists()
    assert client.get("/trash/").status_code == 403
    assert client.get("/retention/").status_code == 200


def test_what_is_ticked_is_changed_and_taken_back_with_a_button(page: Client, ada: User) -> None:
    ended(ada, "a", "b", "c")
    answer = page.post("/bulk/", {"run_id": ["a", "b"], "action": "trash", "query": "order=run_id"}, follow=True)
    assert answer.redirect_chain == [("/sessions/?order=run_id", 302)]
    assert [one.run_id for one in answer.context["sessions"]] == ["c"]
    form = re.search(r'<form method="post" action="/bulk/">.*?Undo', answer.content.decode(), re.DOTALL)
    assert form
    undo = re.findall(r'name="(action|run_id)" value="([^"]*)"', form[0])
    assert undo == [("action", "restore"), ("run_id", "a"), ("run_id", "b")]
    page.post("/bulk/", {"action": "restore", "run_id": ["a", "b"]})
    assert listed(page, "order=run_id") == ["a", "b", "c"]


def test_one_session_is_trashed_with_an_undo_too(page: Client, ada: User) -> None:
    ended(ada, "ball")
    assert 'value="restore"' in page.post("/sessions/ball/trash/", follow=True).content.decode()


def test_a_bulk_change_says_what_was_refused_and_that_nothing_was_ticked(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="runs", state=State.RUNNING)
    assert "has not ended" in page.post("/bulk/", {"run_id": "runs", "action": "trash"}, follow=True).content.decode()
    assert "No session was ticked" in page.post("/bulk/", {"action": "trash"}, follow=True).content.decode()
    assert "no action" in page.post("/bulk/", {"run_id": "runs", "action": "stop"}, follow=True).content.decode()


def test_the_list_is_filtered_by_project_tag_and_shelf_and_says_how_many(page: Client, ada: User) -> None:
    ended(ada, "a", "b", "c")
    page.post("/bulk/", {"run_id": ["a", "b"], "action": "project", "value": "Paper"})
    page.post("/bulk/", {"run_id": ["a"], "action": "tag", "value": "x"})
    page.post("/bulk/", {"run_id": ["b"], "action": "archive"})
    assert sorted(listed(page)) == ["a", "c"]
    assert listed(page, "project=Paper") == ["a"]
    assert sorted(listed(page, "project=Paper&archived=any")) == ["a", "b"]
    assert listed(page, "archived=true") == ["b"]
    assert listed(page, "tag=x&created_after=2001-01-01&created_before=2999-01-01") == ["a"]
    assert listed(page, "created_before=2001-01-01") == []
    assert "Paper (2)" in content(page, "/sessions/")
    page.post("/bulk/", {"run_id": ["b"], "action": "trash"})
    assert listed(page, "archived=true") == []
    assert listed(page, "trash=true") == ["b"]


def test_behaviors_lead_to_their_sessions(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball")
    make_session(owner=ada, run_id="odd", config=CONFIG.replace(b"Ball", b"A&B c"))
    shown = page.get("/behaviors/").content.decode()
    assert "?behavior=A%26B%20c&amp;archived=any" in shown
    assert listed(page, "behavior=A%26B%20c&archived=any") == ["odd"]
    assert [one.name for one in page.get("/behaviors/?text=a%26").context["behaviors"]] == ["A&B c"]


def test_projects_are_renamed_on_their_page(page: Client, ada: User) -> None:
    session = make_session(owner=ada, run_id="ball")
    editing.edit(session, {"project": "One"}, by="ada")
    assert "One" in content(page, "/projects/")
    assert "1 session moved" in page.post("/projects/", {"name": "One", "to": "Two"}, follow=True).content.decode()
    assert page.post("/projects/", {"name": "One", "to": "Three"}).status_code == 404
    page.post("/projects/", {"name": "Two", "to": ["Two", ""]})
    assert TrainingSession.objects.get().project == ""


def test_the_trash_shows_what_goes_before_it_goes(page: Client, ada: User, tmp_path: Path) -> None:
    ended(ada, "a", "b")
    mine = tmp_path / "my results" / "a"
    mine.mkdir(parents=True)
    (mine / "Ball.onnx").write_bytes(b"x" * 2_000_000)
    Attempt.objects.filter(session__run_id="a").update(results_dir=str(mine.parent))
    page.post("/bulk/", {"run_id": ["a", "b"], "action": "trash"})
    shown = content(page, "/trash/")
    assert f"<code>{mine}</code> too, 2.0 MB" in shown
    fields = dict(re.findall(r'name="((?:folder|bytes):a)" value="([^"]*)"', shown))
    assert fields == {"folder:a": str(mine), "bytes:a": "2000000"}
    answer = page.post("/trash/", {"run_id": ["a", "b"], "with_folder": "a", **fields}, follow=True)
    assert "2 sessions are being deleted" in answer.content.decode()
    while not upkeep.work():
        pass
    assert not mine.exists()
    shown = content(page, "/trash/")
    assert "The trash is empty" in shown
    assert f"{mine} was deleted too" in shown


def test_a_folder_that_grew_since_it_was_shown_stays(page: Client, ada: User, tmp_path: Path) -> None:
    ended(ada, "a")
    page.post("/bulk/", {"run_id": ["a"], "action": "trash"})
    fields = {"run_id": "a", "with_folder": "a", "folder:a": str(tmp_path), "bytes:a": "5"}
    assert "are not in" in page.post("/trash/", fields, follow=True).content.decode()
    assert TrainingSession.objects.get().chore == ""


def test_the_rules_of_retention_are_set_tried_and_run(page: Client, ada: User) -> None:
    ended(ada, "a")
    rules = {"trash_days": "0", "archive_days": "", "most_gb": "", "keep_best": "0", "undo_days": "7"}
    assert page.post("/retention/", {**rules, "action": "save"}).status_code == 302
    stored = RetentionPolicy.objects.get()
    assert (stored.enabled, stored.trash_days, stored.archive_days) == (False, 0, None)
    assert "Ended 0 days ago." in content(page, "/retention/")
    assert "are off" in page.post("/retention/", {"action": "run"}, follow=True).content.decode()
    page.post("/retention/", {**rules, "enabled": "on"})
    assert "Done: 1 session." in page.post("/retention/", {"action": "run"}, follow=True).content.decode()
    assert listed(page, "trash=true") == ["a"]
    assert page.post("/retention/", {**rules, "undo_days": "-1"}).status_code == 422
