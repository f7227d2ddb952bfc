"""Finding the interpreter behind an mlagents-learn, and asking interpreters what they have."""

from __future__ import annotations

import os
import sys
import venv
from pathlib import Path

import pytest

from sessions.trainers import installations
from sessions.trainers.installations import Probe, find_learn, interpreter_behind, probe

posix = pytest.mark.skipif(sys.platform == "win32", reason="scripts with a first line are not how Windows does it")


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    """A file that may be executed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a real environment in which nothing is installed."""
    folder = tmp_path_factory.mktemp("bare") / "an environment"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    return next(path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists())


def claim_installed(python: Path, name: str, version: str) -> None:
    """Put a package's metadata, and nothing of the package, into an environment."""
    site = next(python.parents[1].rglob("site-packages"))
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


@posix
@pytest.mark.parametrize(
    ("folder", "lines"),
    [
        ("plain", "#!{python}"),
        ("plain", "#! {python}"),
        ("plain", "#!{python} -sE"),
        ("with blanks", "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"),
        ("with blanks", "#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''"),
        ("long" * 40, "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''"),
    ],
)
@pytest.mark.parametrize("name", ["python", "python3.10"])
def test_the_interpreter_is_the_one_the_script_would_run(tmp_path: Path, folder: str, lines: str, name: str) -> None:
    python = program(tmp_path / folder / "bin" / name)
    learn = program(tmp_path / "mlagents-learn", lines.format(python=python) + "\nimport sys\n")
    assert interpreter_behind(learn) == python


@posix
@pytest.mark.parametrize("line", ["#!/usr/bin/env python3", "#!/usr/bin/env -S python3 -sE"])
def test_a_script_that_asks_for_any_python_gets_the_one_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    python = program(tmp_path / "bin" / "python3")
    monkeypatch.setenv("PATH", str(python.parent))
    assert interpreter_behind(program(tmp_path / "mlagents-learn", line + "\n")) == python
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert interpreter_behind(tmp_path / "mlagents-learn") is None


@pytest.mark.parametrize("python", ["Scripts/python.exe", "python.exe"])
def test_a_windows_launcher_belongs_to_the_python_beside_or_above_it(tmp_path: Path, python: str) -> None:
    learn = program(tmp_path / "Scripts" / "mlagents-learn.exe", "MZ\0\0")
    assert interpreter_behind(learn) is None
    expected = program(tmp_path / python)
    assert interpreter_behind(learn) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MZ\0\0 a binary",
        "echo no first line",
        "#!/bin/sh\necho hello\n",
        "#!/bin/sh\n'''exec' \"unclosed\n",
        "#!/nowhere/bin/python\n",
        "#!\n",
    ],
)
def test_what_does_not_name_a_python_that_is_there_stays_unknown(tmp_path: Path, text: str) -> None:
    assert interpreter_behind(program(tmp_path / "mlagents-learn", text)) is None


def test_a_script_that_is_not_there_or_a_folder_stays_unknown(tmp_path: Path) -> None:
    assert interpreter_behind(tmp_path / "missing") is None
    assert interpreter_behind(tmp_path) is None


@posix
def test_a_python_that_may_not_be_executed_is_not_taken(tmp_path: Path) -> None:
    python = program(tmp_path / "bin" / "python")
    python.chmod(0o644)
    assert interpreter_behind(program(tmp_path / "mlagents-learn", f"#!{python}\n")) is None


def test_the_option_goes_before_everything_else(tmp_path: Path) -> None:
    assert find_learn(tmp_path / "missing") == (tmp_path / "missing", "option")


@posix
def test_the_folder_of_our_own_interpreter_goes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "own" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_learn(None) is None
    on_path = program(tmp_path / "bin" / "mlagents-learn")
    assert find_learn(None) == (on_path, "path")
    own = program(tmp_path / "own" / "mlagents-learn")
    assert find_learn(None) == (own, "path")


def test_an_interpreter_without_mlagents_says_so(bare: Path) -> None:
    found = probe(bare)
    assert found.problem == f"The package mlagents is not installed for {bare}."
    assert found.python_version.split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert found.version == ""


def test_an_interpreter_is_asked_for_its_versions_and_imports_nothing(bare: Path) -> None:
    claim_installed(bare, "mlagents", "1.1.0")
    assert probe(bare) == Probe(".".join(str(part) for part in sys.version_info[:3]), "1.1.0", "", "")
    claim_installed(bare, "torch", "2.2.2")
    assert (probe(bare).torch_version, probe(bare).problem) == ("2.2.2", "")


@posix
@pytest.mark.parametrize(
    "script",
    ["exit 3", "echo hello", "echo", "true", "echo '['", "printf '\\377\\376'", "kill -9 $$", "echo '[]'", "echo 1"],
)
def test_a_program_that_is_no_python_is_told_in_a_sentence(tmp_path: Path, script: str) -> None:
    odd = program(tmp_path / "python", f"#!/bin/sh\n{script}\n")
    found = probe(odd)
    assert found.problem.startswith(f"{odd} did not answer as a Python would")
    assert (found.version, "\n" in found.problem) == ("", False)


def test_a_program_that_is_not_there_or_cannot_run_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program", encoding="utf-8")
    for path in (tmp_path / "missing", tmp_path / "text", tmp_path):
        assert "did not answer as a Python would" in probe(path).problem


@posix
def test_a_program_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "PROBE_SECONDS", 0.1)
    endless = program(tmp_path / "python", "#!/bin/sh\nexec sleep 20\n")
    assert "did not answer as a Python would" in probe(endless).problem


def test_variables_of_the_caller_cannot_change_what_an_interpreter_says(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(5)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert probe(bare).python_version
