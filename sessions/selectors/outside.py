"""Checkpoints from elsewhere, as lists show them: looked at without being read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sessions.models import OutsideCheckpoint
from sessions.trainers.checkpoints import CURRENT, Condition

NAMES = ("name", "path", "kind", "size", "sha256", "registered_at")


def outside_shapes() -> list[dict[str, Any]]:
    """Return the checkpoints from outside, each with whether it is there as it was registered."""
    known = OutsideCheckpoint.objects.select_related("registered_by")
    return [
        {
            "id": one.pk,
            **{name: getattr(one, name) for name in NAMES},
            "registered_by": one.registered_by.get_username() if one.registered_by else "",
            "condition": condition_of_outside(one),
        }
        for one in known
    ]


def checkpoint_files(folder: Path) -> list[Path]:
    """Return the checkpoints of a run's results folder, one for each behavior."""
    return sorted(path for path in folder.glob(f"*/{CURRENT}") if path.is_file() and not path.is_symlink())


def condition_of_outside(known: OutsideCheckpoint) -> str:
    """Return whole, changed or missing; that the bytes are the same is looked at when it is used."""
    path = Path(known.path)
    try:
        files = checkpoint_files(path) if known.kind == "folder" else [path]
        size = sum(one.stat().st_size for one in files)
    except OSError:
        return Condition.MISSING.value
    if not files:
        return Condition.MISSING.value
    return Condition.WHOLE.value if size == known.size else "changed"
