"""Folders and configurations of this machine, only below the folders that are open to users."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sessions.errors import Missing
from sessions.services.config_files import CONFIG_SUFFIXES, browse_roots, local_path

MOST_ENTRIES = 1000


def listing(text: str) -> dict[str, Any]:
    """Return a folder's folders and configurations, and its parent if that is open too; raises Missing."""
    roots = [Path(os.path.realpath(root)) for root in browse_roots()]
    folder = local_path(text) if text else roots[0]
    if not any(folder.is_relative_to(root) for root in roots) or not folder.is_dir():
        raise Missing("This folder is not open.", hint="MENTOR_FOLDERS names the folders that are.")
    folders, files = _entries(folder)
    parent = folder.parent if any(folder.parent.is_relative_to(root) for root in roots) else None
    return {
        "folder": str(folder),
        "parent": str(parent) if parent and parent != folder else None,
        "folders": [{"name": one.name, "path": str(one)} for one in folders],
        "files": [{"name": one.name, "path": str(one)} for one in files],
    }


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    try:
        entries = sorted(folder.iterdir(), key=lambda one: one.name.lower())[:MOST_ENTRIES]
        shown = [entry for entry in entries if not entry.name.startswith(".")]
        folders = [entry for entry in shown if entry.is_dir() and not entry.is_symlink()]
        return folders, [entry for entry in shown if entry.suffix.lower() in CONFIG_SUFFIXES and entry.is_file()]
    except OSError as error:
        raise Missing(f"{folder} cannot be read: {error.strerror or error}.") from error
