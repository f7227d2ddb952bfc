"""The page of a session's files: readable when all is well, and calm when nothing is."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.states import State
from sessions.models import TrainingSession
from tests.factories import make_session

GOLDEN = Path(__file__).parents[2] / "golden" / "run_logs"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    given = (
        (GOLDEN / "given.yaml")
        .read_bytes()
        .replace(b"  Ball:\n    trainer_type: ppo", b"  Ball:\n    trainer_type: sac")
    )
    session = make_session(owner=ada, run_id="ball", state=State.COMPLETED)
    session.attempts.update(results_dir=str(home / "runs/ball/results"))
    TrainingSession.objects.update(config_given=given)
    return session


@pytest.fixture
def results(session: TrainingSession, home: Path) -> Path:
    folder = home / "runs/ball/results/ball"
    (folder / "run_logs").mkdir(parents=True)
    return folder


def text_of(page: Client) -> str:
    answer = page.get("/sessions/ball/files/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_a_training_wrote_at_its_end_can_be_read(page: Client, results: Path) -> None:
    for name in ("timers.json", "training_status.json"):
        shutil.copy(GOLDEN / name, results / "run_logs")
    shutil.copy(GOLDEN / "configuration.yaml", results)
    text = text_of(page)
    assert "<b>62.8 %</b> went to the environment" in text
    assert "TrainerController.advance" in text
    assert "Lesson 1" in text
    assert "results/r/Ball/Ball-2984.onnx" in text
    assert "1 of the settings that were given was used differently" in text
    assert "results/run_logs/timers.json" in text


def test_before_the_end_the_page_says_when_the_files_come(page: Client, session: TrainingSession) -> None:
    assert "timers.json is written when the trainer ends" in text_of(page)
    TrainingSession.objects.update(state=State.RUNNING.value)
    assert "or those of the attempt before" in text_of(page)


@pytest.mark.parametrize("content", [b"", b"no json", b"[" * 50_000, b"x" * 2_000_000, b'{"\\ud800": {"elo": 1}}'])
def test_files_that_are_not_what_they_should_be_are_told_as_such(page: Client, results: Path, content: bytes) -> None:
    for name in ("run_logs/timers.json", "run_logs/training_status.json", "configuration.yaml"):
        (results / name).write_bytes(content)
    text_of(page)


def test_nothing_in_a_file_gets_out_of_its_place(page: Client, results: Path) -> None:
    (results / "run_logs/timers.json").write_text(
        f'{{"total": 1, "children": {{"{HOSTILE}": {{"total": 1}}}}, "gauges": {{"{HOSTILE}": {{}}}}}}'
    )
    (results / "run_logs/training_status.json").write_text(f'{{"{HOSTILE}": {{"elo": 1}}}}')
    (results / "configuration.yaml").write_text(f'"{HOSTILE}": "{HOSTILE}"\n')
    text = text_of(page)
    assert HOSTILE not in text
    assert text.count(html.escape(HOSTILE)) >= 4


def test_films_play_on_the_page(page: Client, results: Path) -> None:
    (results / "film.mp4").write_bytes(b"x")
    assert '<video controls preload="metadata" src="/api/sessions/ball/files/' in text_of(page)


def test_only_who_may_see_the_session_sees_its_files(client: Client, session: TrainingSession, cyd: User) -> None:
    client.force_login(cyd)
    assert client.get("/sessions/ball/files/").status_code == 404
