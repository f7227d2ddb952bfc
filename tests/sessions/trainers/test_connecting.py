"""A build that is started for a moment, by the trainer's own Python, to read its behaviors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sessions.trainers import connecting
from sessions.trainers.connecting import connect
from sessions.trainers.standin.launcher import make_launcher
from tests.running import eventually

pytestmark = [
    pytest.mark.mlagents,
    pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only"),
]


@pytest.fixture
def build(tmp_path: Path) -> str:
    return str(make_launcher(tmp_path, Path(sys.executable)))


def script(folder: Path, text: str) -> str:
    path = folder / "Broken"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def has_ended(pid: int) -> bool:
    """Whether it runs no more, also where nobody asks for its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_behaviors_are_those_of_the_build_with_its_arguments(build: str) -> None:
    found = connect(sys.executable, build, arguments=["--behaviors", "Ball,Other"], variables=os.environ)
    assert found.sentence == ""
    assert [one["name"] for one in found.behaviors or []] == ["Ball", "Other"]
    assert found.behaviors is not None
    assert found.behaviors[0] == {"name": "Ball", "observations": [[8]], "continuous": 2, "discrete": []}


def test_a_build_that_ends_at_once_is_told_with_a_fix(tmp_path: Path) -> None:
    found = connect(sys.executable, script(tmp_path, "exit 3"), variables=os.environ)
    assert found.behaviors is None
    assert found.sentence == "It could not be connected: The Unity player ended by itself."
    assert found.fix


def test_a_build_that_never_answers_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    found = connect(
        sys.executable, script(tmp_path, f"echo $$ > {pid}; exec sleep 1000"), variables=os.environ, seconds=4.0
    )
    assert "did not answer" in found.sentence
    eventually(lambda: has_ended(int(pid.read_text())), what="the end of the player")


def test_an_interpreter_that_is_gone_is_told() -> None:
    assert "could not be asked" in connect("/nowhere/python", "/nowhere/Ball", variables={}).sentence


def test_the_build_ends_when_nobody_waits_for_the_answer_any_more(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    build = script(tmp_path, f"echo $$ > {pid}; exec sleep 1000")
    told = [build, str(connecting._free_port()), "[]", str(tmp_path), "60"]
    argv = [sys.executable, "-c", connecting.PROGRAM, *told]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: pid.exists() and pid.read_text().strip(), what="the player")
        assert process.stdin is not None
        process.stdin.close()
        eventually(lambda: has_ended(int(pid.read_text())), what="the end of the player")
