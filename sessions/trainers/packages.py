"""Asking a trainer's interpreter what is installed beside it; remembered until packages come or go."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions.domain.preflight.installed import Installed

ASK_SECONDS = 10
PACKAGES = (
    "mlagents", "mlagents_envs", "torch", "numpy", "protobuf", "setuptools", "onnx", "onnxscript", "grpcio", "cattrs",
)  # fmt: skip
MODULES = ("pkg_resources", "distutils", "onnx", "onnxscript")
# Finds, and imports nothing: torch alone would take seconds.
QUESTION = f"""
import json, pathlib, platform, re, sysconfig
from importlib import metadata, util
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
def there(name):
    try:
        return util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
def cuda():
    try:
        place = util.find_spec("torch").submodule_search_locations[0]
        text = (pathlib.Path(place) / "version.py").read_text(encoding="utf-8")
    except (AttributeError, ImportError, OSError, IndexError, ValueError):
        return None
    found = re.findall(r"^(?:cuda|hip)\\b[^=\\n]*=\\s*(?:None|'([^']*)')", text, re.MULTILINE)
    return next((one for one in found if one), "") if found else None
paths = sysconfig.get_paths()
print(json.dumps({{
    "python": platform.python_version(),
    "packages": {{name: version(name) for name in {PACKAGES!r}}},
    "modules": {{name: there(name) for name in {MODULES!r}}},
    "cuda": cuda(),
    "folders": sorted({{paths["purelib"], paths["platlib"]}}),
}}))
"""
EVERY_PACKAGE = """
from importlib import metadata
found = {(one.metadata["Name"] or "").lower(): one.version for one in metadata.distributions()}
print("\\n".join(f"{name}=={version}" for name, version in sorted(found.items()) if name))
"""


@dataclass(frozen=True)
class _Answer:
    installed: Installed
    folders: tuple[str, ...]


_known: dict[str, _Answer] = {}


def installed_beside(interpreter: str) -> Installed:
    """Return what is installed for an interpreter; never raises, and asks it again only when packages changed."""
    answer = _known.get(interpreter)
    if answer is not None and answer.installed.stamp == _stamp(interpreter, answer.folders):
        return answer.installed
    try:
        facts = _ask(interpreter)
        folders = tuple(str(folder) for folder in facts["folders"])
        found = _installed(facts, _stamp(interpreter, folders))
    except subprocess.TimeoutExpired:
        return Installed(problem=f"{interpreter} did not answer within {ASK_SECONDS} seconds.", late=True)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        _known.pop(interpreter, None)
        return Installed(problem=f"{interpreter} does not answer as a Python would: {_short(error)}")
    remember(interpreter, found, folders)
    return found


def every_package(interpreter: str) -> list[str]:
    """Return all that is installed for an interpreter, as name==version; nothing when it does not answer."""
    try:
        answer = subprocess.run(  # noqa: S603
            [interpreter, "-I", "-c", EVERY_PACKAGE],
            capture_output=True,
            timeout=ASK_SECONDS,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return answer.stdout.decode("utf-8", "replace").splitlines()


def remember(interpreter: str, found: Installed, folders: tuple[str, ...]) -> None:
    """Keep what is known of an interpreter until one of its folders changes."""
    _known[interpreter] = _Answer(found, folders)


def _ask(interpreter: str) -> dict[str, Any]:
    answer = subprocess.run(  # noqa: S603
        [interpreter, "-I", "-c", QUESTION],
        capture_output=True,
        timeout=ASK_SECONDS,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    facts: dict[str, Any] = json.loads(answer.stdout.decode("utf-8", "replace").strip().splitlines()[-1])
    return facts


def _installed(facts: dict[str, Any], stamp: str) -> Installed:
    cuda = facts["cuda"]
    return Installed(
        python=str(facts["python"]),
        packages={str(name): str(version) for name, version in facts["packages"].items() if version},
        modules={str(name): bool(there) for name, there in facts["modules"].items()},
        cuda=None if cuda is None else str(cuda),
        stamp=stamp,
    )


def _stamp(interpreter: str, folders: tuple[str, ...]) -> str:
    """Installing and removing a package changes the time of the folder that its metadata lies in."""
    times = []
    for path in (interpreter, *folders):
        times.append(0)
        with suppress(OSError):
            times[-1] = Path(path).stat().st_mtime_ns
    return "-".join(map(str, times))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
