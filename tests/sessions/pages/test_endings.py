"""The page of a session that stops counts down; the page of one that has ended shows its receipt."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions.domain.states import State
from sessions.models import TrainingSession
from sessions.services import stopping
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")

SAVED = {"behavior": "Ball", "step": 500, "reward": 1.5, "size": 2048, "sha256": "ab" * 32, "final": False}
MODEL = {**SAVED, "id": 1, "path": "Ball.onnx", "kind": "onnx", "final": True, "condition": "whole"}
OLDER = {**SAVED, "id": 2, "path": "Ball/Ball-100.onnx", "kind": "onnx", "step": 100, "condition": "whole"}
CHECKPOINT = {**SAVED, "id": 3, "path": "Ball/checkpoint.pt", "kind": "pt", "step": None, "condition": "whole"}


@pytest.fixture
def session(client: Client, ada: User) -> TrainingSession:
    client.force_login(ada)
    return make_session(owner=ada, run_id="ball", state=State.RUNNING)


def put(session: TrainingSession, state: State, **columns: object) -> None:
    TrainingSession.objects.filter(pk=session.pk).update(state=state.value)
    session.attempts.update(state=state.value, **columns)


def part(client: Client, mark: str, end: str) -> str:
    """The element with this mark, from its tag to its end."""
    found = re.search(rf"<\w+[^>]*{mark}.*?{end}", client.get("/sessions/ball/").content.decode(), re.DOTALL)
    assert found is not None
    return found[0]


def test_a_stop_counts_down_with_the_way_to_end_it_beside(client: Client, session: TrainingSession) -> None:
    assert " hidden" in part(client, 'data-part="stopping"', ">")
    stopping.request_stop(session, by="ada")
    put(session, State.STOPPING)
    note = part(client, 'data-part="stopping"', "</details>")
    assert " hidden" not in note
    assert "The trainer has not answered yet." in note
    assert re.search(r"data-countdown>(2 min \d\d s|3 min 00 s)<", note)
    assert 'action="/sessions/ball/kill/"' in note


def test_a_receipt_shows_what_was_saved_last_and_whether_it_can_be_read(
    client: Client, session: TrainingSession
) -> None:
    assert " hidden" in part(client, 'id="receipt"', ">")
    now = timezone.now()
    put(session, State.PAUSED, launched_at=now, ended_at=now, stop_asked_at=now, stop_asked_by="ada",
        saved=[MODEL, OLDER, CHECKPOINT])  # fmt: skip
    receipt = part(client, 'id="receipt"', "</section>")
    assert "Saved at step 500" in receipt
    assert "can be read" in receipt
    assert "by ada" in receipt
    assert re.findall(r"download>([^<]+)<", receipt) == ["Ball.onnx", "Ball/checkpoint.pt"]
    assert "abababababababab" in receipt


def test_a_receipt_says_what_is_damaged(client: Client, session: TrainingSession) -> None:
    put(session, State.LOST, launched_at=timezone.now(), saved=[MODEL, {**CHECKPOINT, "condition": "broken"}])
    receipt = part(client, 'id="receipt"', "</section>")
    assert "damaged" in receipt
    assert "can be read" not in receipt


def test_a_receipt_of_nothing_says_so(client: Client, session: TrainingSession) -> None:
    put(session, State.STOPPED, launched_at=timezone.now())
    assert "Nothing was saved" in part(client, 'id="receipt"', "</section>")
