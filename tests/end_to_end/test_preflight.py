"""Everything checked before a start by the real trainer: its own parser, and the environment itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sessions.trainers.standin.launcher import make_launcher
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = [
    pytest.mark.mlagents,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only"),
]
CONFIG = """\
behaviors:
  ball:
    trainer_type: ppo
    hyperparameters: {batch_size: 32, buffer_size: 128}
    network_settings: {hidden_units: 8, num_layers: 1}
    summary_freq: 200
    max_steps: 400
"""


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(str(make_launcher(tmp_path_factory.mktemp("a build"), Path(sys.executable))))


def everything(mentor: RunningMentor, body: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The checks by their ids, once parser and environment have answered."""

    def answered() -> dict[str, Any] | None:
        found = mentor.ask("POST", "preflight/", body)
        assert "checks" in found, found
        return None if "waits" in (found["parser"], found["connection"]) else found

    found = eventually(answered, seconds=60, what="the answers")
    assert (found["parser"], found["connection"]) == ("answered", "answered")
    return {one["id"]: one for one in found["checks"]}


def test_a_misspelled_behavior_is_found_before_the_start(mentor: RunningMentor, build: Path) -> None:
    assert mentor.ask("POST", "environments/", {"path": str(build), "name": "Balls"})["behaviors"] == []
    wrong = {"run_id": "dry", "config": CONFIG, "trainer": "mlagents", "env_path": str(build), "no_graphics": True}
    found = everything(mentor, wrong)
    assert (found["behaviors"]["level"], found["parser"]["level"]) == ("error", "ok"), found
    assert "Is ball meant to be Ball?" in found["behaviors"]["fix"]
    assert mentor.ask("POST", "sessions/", wrong)["code"] == "invalid_start"

    right = {**wrong, "config": CONFIG.replace("ball", "Ball")}
    assert everything(mentor, right)["behaviors"]["finding"] == "The environment has Ball, as configured."
    assert mentor.ask("GET", "environments/")["results"][0]["behaviors"] == ["Ball"]
    players = [one for one in psutil.process_iter(["cmdline"]) if str(build.parent) in str(one.info["cmdline"])]
    assert players == [], "the environment has ended"
    assert mentor.ask("POST", "sessions/", right)["state"] in GRANTED
    done = mentor.wait_for("dry", "completed", "failed", "lost", "stopped")
    assert done["state"] == "completed", done["explanation"]


def test_a_checkpoint_of_another_network_is_told_by_its_weights(mentor: RunningMentor, build: Path) -> None:
    checkpoint = next(
        one
        for one in mentor.ask("GET", "sessions/dry/checkpoints/")["results"]
        if one["kind"] == "pt" and one["step"] is not None
    )
    config = CONFIG.replace("ball", "Ball").replace("hidden_units: 8", "hidden_units: 64")
    body = {"run_id": "wider", "config": config, "trainer": "mlagents", "env_path": str(build)}
    found = mentor.ask("POST", "preview/", {**body, "initialize_from": str(checkpoint["id"])})
    networks = next(one for one in found["checks"] if one["id"] == "networks")
    assert networks["level"] == "warning"
    assert "hidden_units was 8 and is 64 for Ball" in networks["finding"]
