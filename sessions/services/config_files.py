"""Configurations on this machine: which files may be read as one, and by whom."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from sessions.domain.config import MAX_BYTES
from sessions.errors import InvalidStart

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")


def read_config_file(text: str, *, by: User) -> bytes:
    """Return the bytes of a configuration on this machine.

    Raises InvalidStart when it is no such file, too large, or lies where this user may not read.
    """
    path = local_path(text)
    if path.suffix.lower() not in CONFIG_SUFFIXES:
        raise InvalidStart("A configuration's name ends in .yaml, .yml or .json.")
    if not by.has_perm("training.manage_environment") and not any(path.is_relative_to(root) for root in browse_roots()):
        raise InvalidStart("This folder is not open to you.", hint="MENTOR_FOLDERS names the folders that are.")
    try:
        if not path.is_file():
            raise InvalidStart(f"There is no file {path}.")
        if path.stat().st_size > MAX_BYTES:
            raise InvalidStart(f"{path.name} is larger than 256 KB; that is no configuration.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidStart(f"{path} cannot be read: {error.strerror or error}.") from error


def browse_roots() -> list[Path]:
    """Return the folders in which configurations may be chosen."""
    return settings.MENTOR["MENTOR_FOLDERS"] or [Path.home()]


def local_path(text: str) -> Path:
    """Return an absolute path on this machine with links resolved; raises InvalidStart for any other kind."""
    if "\0" in text or text.startswith(("\\\\", "//")):
        raise InvalidStart("Only paths on this machine can be used.")
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise InvalidStart("Give the whole path, from the root of the drive.")
    return Path(os.path.realpath(path))
