"""Environments: the only programs trainers may start. Registered once, looked at again before every launch."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from sessions.errors import InvalidStart, NotAllowed
from sessions.models import Environment

HASHED_BYTES = 64 * 1024 * 1024
BUILD_SUFFIXES = {"win32": (".exe",), "darwin": (".app",)}
SCRIPTS_OF_WINDOWS = {".bat", ".cmd", ".ps1", ".lnk", ".scr", ".vbs", ".js", ".com"}


def resolve(text: str) -> Path:
    """Return the path under which ML-Agents would find this build, links resolved.

    ML-Agents cuts off the suffix and then prefers `X.x86_64` and `X.x86` to `X`, so a path that names another file
    than the one it would start is refused. Raises InvalidStart.
    """
    text = text.strip()
    if "\0" in text or text.startswith(("\\\\", "//")):
        raise InvalidStart("Only a path on this machine can be an environment.")
    if any(character in text for character in "*?["):
        raise InvalidStart("The path of an environment may not contain *, ? or [.")
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise InvalidStart("Give the whole path of the environment, from the root of the drive.")
    path = Path(os.path.realpath(path))
    if path.suffix.lower() in SCRIPTS_OF_WINDOWS:
        raise InvalidStart(f"A {path.suffix} file cannot be an environment.")
    if sys.platform != "win32" and path.is_file() and not os.access(path, os.X_OK):
        raise InvalidStart(f"{path} may not be executed.", hint=f"Allow it: chmod +x {path}")
    if launched_by_mlagents(path) is None:
        raise InvalidStart(f"There is no Unity build at {path}.", hint="Choose the executable that Unity built.")
    _check_roots(path)
    return path


def launched_by_mlagents(path: Path) -> Path | None:
    """Return the file ML-Agents starts for this `--env`, or None when there is none or it would be another one."""
    if sys.platform == "darwin":
        inner = path / "Contents" / "MacOS" / path.stem if path.suffix == ".app" else path
        return inner if inner.is_file() else None
    stem = str(path)
    for suffix in (".app", ".exe", ".x86_64", ".x86"):
        stem = stem.replace(suffix, "")
    endings = (".exe",) if sys.platform == "win32" else (".x86_64", ".x86", "")
    first = next((Path(stem + ending) for ending in endings if Path(stem + ending).is_file()), None)
    if first is None or Path(os.path.realpath(first)) != path:
        return None
    return first


def _check_roots(path: Path) -> None:
    roots: list[Path] = settings.MENTOR["MENTOR_ENV_ROOTS"]
    if roots and not any(path.is_relative_to(root) for root in roots):
        raise InvalidStart("This environment lies outside the folders that MENTOR_ENV_ROOTS names.")


def register(path: Path, *, by: User, name: str = "") -> Environment:
    """Remember a build as it is now and return it; raises NotAllowed, or InvalidStart for a name that is taken."""
    if not by.has_perm("training.manage_environment"):
        raise NotAllowed("You may not register environments.", hint="Ask an administrator.")
    if name and Environment.objects.filter(name=name).exclude(path=str(path)).exists():
        raise InvalidStart(
            "The environment was not registered.",
            errors={"name": [f"There is an environment {name} already."]},
        )
    size, modified_ns, digest = fingerprint(path)
    columns = {"size": size, "modified_ns": modified_ns, "sha256": digest, "registered_by": by}
    known = Environment.objects.filter(path=str(path)).first()
    columns["name"] = name or (known.name if known else _free_name(path.stem))
    return Environment.objects.update_or_create(path=str(path), defaults=columns)[0]


def unchanged(environment: Environment) -> bool:
    """Tell whether the build is still the one that was registered; raises InvalidStart when it is gone."""
    size, _, digest = fingerprint(resolve(environment.path))
    return digest == environment.sha256 and size == environment.size


def verify(environment: Environment) -> None:
    """Raise InvalidStart unless the build is still the one that was registered."""
    if not unchanged(environment):
        raise InvalidStart(
            f"{environment.name} has changed since it was registered.",
            hint="If you built it anew, register it again on the environments page.",
            errors={"env_path": [f"{environment.name} has changed since it was registered."]},
        )


def fingerprint(path: Path) -> tuple[int, int, str]:
    """Return size, time of change in nanoseconds and SHA-256 (of the first 64 MB) of what would be started."""
    file = launched_by_mlagents(path) or path
    stat = file.stat()
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        left = HASHED_BYTES
        while left and (block := stream.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return stat.st_size, stat.st_mtime_ns, digest.hexdigest()


def _free_name(stem: str) -> str:
    taken = set(Environment.objects.filter(name__startswith=stem).values_list("name", flat=True))
    number = 1
    name = stem
    while name in taken:
        number += 1
        name = f"{stem} {number}"
    return name
