"""How MENTOR starts the Unity stand-in: as the executable for `--env`, or beside a trainer in Editor mode."""

from __future__ import annotations

import plistlib
import shlex
import sys
from pathlib import Path

NAME = "PracticeBall"
STANDIN = Path(__file__).with_name("unity_standin.py")


def make_launcher(folder: Path, interpreter: Path, platform: str = sys.platform) -> Path | None:
    """Return an executable in `folder` that runs the stand-in with the trainer's `interpreter`.

    Linux gets `PracticeBall.x86_64`, macOS the bundle `PracticeBall.app`; on Windows, where ML-Agents starts
    .exe files only, there is none: use `editor_command`. A training that starts meanwhile never meets half a file.
    ML-Agents takes the path for a glob pattern and removes `.app`, `.exe` and `.x86` wherever they stand in it:
    `folder` must contain neither those nor `*`, `?` or `[`.
    """
    if platform == "win32":
        return None
    if platform != "darwin":
        return _write(folder / f"{NAME}.x86_64", _script(interpreter), mode=0o755)
    contents = folder / f"{NAME}.app" / "Contents"
    _write(contents / "MacOS" / NAME, _script(interpreter), mode=0o755)
    about = {"CFBundleExecutable": NAME, "CFBundleIdentifier": "mentor.practice.ball", "CFBundleName": NAME}
    _write(contents / "Info.plist", plistlib.dumps(about), mode=0o644)
    return folder / f"{NAME}.app"


def editor_command(interpreter: Path) -> list[str]:
    """Return the command of a stand-in that waits for a trainer in Editor mode, like the Play button."""
    return [str(interpreter), str(STANDIN), "--editor"]


def _script(interpreter: Path) -> bytes:
    return f'#!/bin/sh\nexec {shlex.quote(str(interpreter))} {shlex.quote(str(STANDIN))} "$@"\n'.encode()


def _write(path: Path, content: bytes, *, mode: int) -> Path:
    if path.is_file() and path.read_bytes() == content:
        path.chmod(mode)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content)
    draft.chmod(mode)
    return draft.replace(path)
