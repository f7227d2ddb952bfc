"""Finding the interpreter behind an mlagents-learn, and asking it what is installed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROBE_SECONDS = 30
# Reads metadata only: importing mlagents would load torch and take seconds.
PROBE = """
import json, platform
from importlib import metadata
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
print(json.dumps({"python": platform.python_version(), "mlagents": version("mlagents"), "torch": version("torch"),
                  "numpy": version("numpy")}))
"""


@dataclass(frozen=True)
class Probe:
    """What an interpreter said of itself; `problem` is a sentence when it cannot train with ML-Agents."""

    python_version: str = ""
    version: str = ""
    torch_version: str = ""
    problem: str = ""


def interpreter_behind(learn: Path) -> Path | None:
    """Return the Python that runs this mlagents-learn, or None when it cannot be told.

    A script names it in its first lines; a Windows `.exe` stands in the `Scripts` folder of its environment.
    """
    for candidate in (*_beside(learn), *_named_in(learn)):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    return None


def _beside(learn: Path) -> list[Path]:
    if learn.suffix.lower() != ".exe":
        return []
    return [learn.parent / "python.exe", learn.parent.parent / "python.exe"]


def _named_in(learn: Path) -> list[Path]:
    try:
        with learn.open("rb") as file:
            lines = file.read(4096).decode("utf-8", "replace").splitlines()[:3]
    except OSError:
        return []
    if not lines or not lines[0].startswith("#!"):
        return []
    first = lines[0][2:].strip()
    if first.startswith("/usr/bin/env"):
        return [found for word in first.split()[1:] if "python" in word for found in _on_path(word)]
    if "python" in Path(first.split(" -")[0]).name:
        return [Path(first.split(" -")[0])]
    # Long paths and blanks: '''exec' "/path/to/python" "$0" "$@"
    return [Path(word) for line in lines[1:] for word in _executed(line) if "python" in Path(word).name]


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found)] if found else []


def _executed(line: str) -> list[str]:
    """The words behind a shell's `exec`: the program and its arguments."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    return words[1:] if words[:1] == ["exec"] else []


def find_learn(option: Path | None) -> tuple[Path, str] | None:
    """Return the mlagents-learn to use and where it was found ("option" or "path"), or None.

    Without the option, the folder of this interpreter comes first (both may share one environment), then PATH.
    """
    if option is not None:
        return option, "option"
    name = "mlagents-learn.exe" if sys.platform == "win32" else "mlagents-learn"
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside, "path"
    found = shutil.which("mlagents-learn")
    return (Path(found), "path") if found else None


def probe(interpreter: Path) -> Probe:
    """Ask an interpreter for its versions; never raises."""
    try:
        answer = subprocess.run(  # noqa: S603
            [str(interpreter), "-I", "-c", PROBE],
            capture_output=True,
            timeout=PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        facts = json.loads(answer.stdout.decode("utf-8", "replace").strip().splitlines()[-1])
        if not isinstance(facts, dict):
            raise ValueError("its answer is of another kind")
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return Probe(problem=f"{interpreter} did not answer as a Python would: {_short(error)}")
    if not facts.get("mlagents"):
        return Probe(facts.get("python", ""), problem=f"The package mlagents is not installed for {interpreter}.")
    return Probe(facts.get("python", ""), facts["mlagents"], facts.get("torch", ""))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
