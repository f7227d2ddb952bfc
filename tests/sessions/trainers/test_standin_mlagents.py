"""The real mlagents-learn, trained with the Unity stand-in: as an executable, and as the Editor."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sessions.trainers.standin.launcher import editor_command, make_launcher
from tests.sessions.trainers.conftest import Trainer, small_config, summaries

pytestmark = [
    pytest.mark.mlagents,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="ML-Agents on Windows starts .exe files only"),
]

Start = Callable[..., Trainer]
LEARN = "mlagents.trainers.learn"


def free_port(wanted: int = 0) -> int:
    """Return `wanted`, or any free port; raises OSError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("localhost", wanted))
        return int(probe.getsockname()[1])


def test_mlagents_trains_with_the_stand_in_as_an_executable(start: Start, tmp_path: Path) -> None:
    config = small_config(tmp_path, max_steps=2000)
    launcher = make_launcher(tmp_path / "it's a build", Path(sys.executable))
    options = ("--run-id=exe", f"--env={launcher}", f"--base-port={free_port()}", "--seed=1", "--no-graphics")
    trainer = start(LEARN, str(config), *options)
    assert trainer.ended(seconds=60) == 0, trainer.console[-3000:]
    assert [step for step, _ in summaries(trainer.console)] == list(range(200, 2001, 200))
    results = tmp_path / "results" / "exe"
    assert (results / "Ball.onnx").is_file()
    log = (results / "run_logs" / "Player-0.log").read_text(encoding="utf-8")
    assert "The trainer ended the training" in log


@pytest.mark.usefixtures("editor_port")
def test_mlagents_trains_two_behaviors_with_the_stand_in_as_the_editor(start: Start, tmp_path: Path) -> None:
    try:
        free_port(5004)
    except OSError:
        pytest.skip("port 5004, the Editor's, is in use on this machine")
    config = small_config(tmp_path, "Ball", "Ball2", max_steps=1200)
    # Play first, then the trainer: the stand-in keeps trying.
    command = [*editor_command(Path(sys.executable)), "--behaviors", "Ball,Ball2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as editor:
        try:
            trainer = start(LEARN, str(config), "--run-id=editor", "--seed=1")
            assert trainer.ended(seconds=60) == 0, trainer.console[-3000:]
            output, _ = editor.communicate(timeout=10)
        finally:
            editor.kill()
    assert editor.returncode == 0
    assert "The trainer ended the training" in output
    assert "Listening on port 5004." in trainer.console
    for name in ("Ball", "Ball2"):
        assert f"Connected new brain: {name}?team=0" in trainer.console
        assert (tmp_path / "results" / "editor" / f"{name}.onnx").is_file()
