"""An interpreter is asked what is installed, once, until packages come or go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sessions.trainers import packages


def test_this_interpreter_answers_without_importing_anything() -> None:
    found = packages.installed_beside(sys.executable)
    assert found.problem == ""
    assert found.version("numpy") > (1,)
    assert found.python.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert set(found.modules) == set(packages.MODULES)


def test_it_is_asked_again_only_after_packages_changed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times: list[str] = []

    def ask(interpreter: str) -> dict[str, object]:
        times.append(interpreter)
        return {"python": "3.10.1", "packages": {}, "modules": {}, "cuda": None, "folders": [str(tmp_path)]}

    monkeypatch.setattr(packages, "_ask", ask)
    first = packages.installed_beside("/somewhere/python")
    assert packages.installed_beside("/somewhere/python") is first
    (tmp_path / "new-1.0.dist-info").mkdir()
    assert packages.installed_beside("/somewhere/python").stamp != first.stamp
    assert len(times) == 2


def test_what_is_no_python_says_so(tmp_path: Path) -> None:
    assert "does not answer" in packages.installed_beside(str(tmp_path / "python")).problem


def test_a_slow_interpreter_is_a_doubt_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(interpreter: str) -> dict[str, object]:
        raise subprocess.TimeoutExpired(interpreter, 10)

    monkeypatch.setattr(packages, "_ask", ask)
    assert packages.installed_beside("/slow/python").late
