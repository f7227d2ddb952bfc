"""The page of imports, and how pages show what was imported."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from reports.services import build
from sessions.models import Import, TrainingSession
from tests.eventfiles import REWARD, make_run, write_events

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere") / "results"


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_the_history_leads_to_the_import_and_the_form_imports(browser: Client, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    assert "/import/" in text(browser, "/sessions/")
    answer = browser.post("/import/", {"folder": str(results), "tags": "thesis, old,thesis"})
    assert answer.status_code == 302
    page = text(browser, "/import/")
    assert str(results) in page
    assert 'data-open="no"' in page
    assert TrainingSession.objects.get().tags == ["imported", "thesis", "old"]


def test_a_wrong_folder_is_said_beside_its_field(browser: Client) -> None:
    answer = browser.post("/import/", {"folder": "/no/such/folder"})
    assert answer.status_code == 422
    assert "There is no folder" in answer.content.decode()


def test_what_was_refused_is_listed_with_its_reason(browser: Client, results: Path) -> None:
    make_run(results, "a", max_steps=300)
    next((results / "a" / "Ball").glob("*tfevents*")).unlink()
    browser.post("/import/", {"folder": str(results)})
    assert "without an event file" in text(browser, "/import/")


def test_watching_can_be_ended_and_begun_again(browser: Client, results: Path) -> None:
    make_run(results, "a")
    browser.post("/import/", {"folder": str(results)})
    source = Import.objects.get()
    for follow in ("no", "yes"):
        assert browser.post(f"/import/{source.pk}/follow/", {"follow": follow}).status_code == 302
        source.refresh_from_db()
        assert source.follow is (follow == "yes")


def test_who_may_only_look_sees_no_form(client: Client, ben: User) -> None:
    client.force_login(ben)
    assert "Import a folder" not in text(client, "/import/")
    client.post("/import/", {"folder": "/"})
    assert not Import.objects.exists()


def test_every_page_shows_a_session_that_was_imported(browser: Client, results: Path) -> None:
    make_run(results, "done", max_steps=300)
    write_events(results / "live" / "Ball", {REWARD: [0.1]}, began=int(time.time()) - 1, writer="host.5")
    write_events(results.parent / "logs" / "PPO_1", {"rollout/ep_rew_mean": [1.0]})
    browser.post("/import/", {"folder": str(results.parent)})
    for address in ("/", "/queue/", "/sessions/", "/trainers/", "/start/", "/import/", "/reports/"):
        text(browser, address)
    for session in TrainingSession.objects.all():
        page = text(browser, f"/sessions/{session.run_id}/")
        assert "MENTOR did not start this training" in page
        assert "Stop and save" not in page or 'data-action="stop" hidden' in page
        build(session)
    assert "live" in text(browser, "/")
    assert browser.get("/sessions/done/console/").status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be given there")
def test_hostile_names_stay_names(browser: Client, results: Path) -> None:
    write_events(results / EVIL / f"{EVIL}b", {f"Environment/{EVIL}": [1.0], REWARD: [2.0]})
    browser.post("/import/", {"folder": str(results)})
    session = TrainingSession.objects.get()
    build(session)
    for address in (f"/sessions/{session.run_id}/", "/sessions/", "/import/", "/"):
        assert EVIL not in text(browser, address)


def test_a_run_without_a_point_can_be_shown(browser: Client, results: Path) -> None:
    write_events(results / "a" / "Ball", {}, began=int(time.time()) - 1)
    browser.post("/import/", {"folder": str(results)})
    session = TrainingSession.objects.get()
    assert session.state == "running"
    text(browser, f"/sessions/{session.run_id}/")
    build(session)
