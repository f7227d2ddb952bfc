"""The executable that a trainer is given as `--env`."""

from __future__ import annotations

import plistlib
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sessions.trainers.standin.launcher import editor_command, make_launcher

posix = pytest.mark.skipif(sys.platform == "win32", reason="runs a shell script")


@posix
@pytest.mark.mlagents
def test_linux_gets_a_script_that_runs_whatever_its_path_is_made_of(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a $HOME "folder"'
    interpreter = folder / "my python"
    folder.mkdir()
    interpreter.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    interpreter.chmod(0o755)
    launcher = make_launcher(folder, interpreter, "linux")
    assert launcher == folder / "PracticeBall.x86_64"
    shown = subprocess.run([str(launcher), "--help"], capture_output=True, text=True, check=True)
    assert "--mlagents-port" in shown.stdout


def test_macos_gets_a_bundle(tmp_path: Path) -> None:
    launcher = make_launcher(tmp_path, Path("/usr/bin/python3"), "darwin")
    assert launcher == tmp_path / "PracticeBall.app"
    about = plistlib.loads((launcher / "Contents" / "Info.plist").read_bytes())
    program = launcher / "Contents" / "MacOS" / about["CFBundleExecutable"]
    assert program.read_bytes().startswith(b"#!/bin/sh\nexec /usr/bin/python3 ")


def test_windows_gets_none_and_uses_the_editors_way(tmp_path: Path) -> None:
    assert make_launcher(tmp_path, Path("python.exe"), "win32") is None
    assert list(tmp_path.iterdir()) == []
    command = editor_command(Path("python.exe"))
    assert (command[0], Path(command[1]).name, command[2]) == ("python.exe", "unity_standin.py", "--editor")


def test_an_unchanged_launcher_is_left_alone(tmp_path: Path) -> None:
    first = make_launcher(tmp_path, Path("/one/python"), "linux")
    assert first is not None
    before = first.stat().st_ino
    make_launcher(tmp_path, Path("/one/python"), "linux")
    assert first.stat().st_ino == before
    make_launcher(tmp_path, Path("/two/python"), "linux")
    assert b"/two/python" in first.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
