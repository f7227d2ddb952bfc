"""What one installation owns: its folder and its secret key."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path

KEY_BYTES = 64
SHORTEST_KEY = 32


def make_home(home: Path) -> Path:
    """Create MENTOR's folder, readable by its owner alone, and return it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def secret_key(home: Path) -> str:
    """Return this installation's secret key, made at the first call and kept in `secret_key`.

    Two processes that ask at the same moment get the same key: the file is created once, with its content.
    """
    path = make_home(home) / "secret_key"
    if not path.exists():
        _create_once(path, secrets.token_urlsafe(KEY_BYTES))
    return path.read_text(encoding="ascii").strip()


def _create_once(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    draft = Path(name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    try:
        if sys.platform == "win32":
            draft.rename(path)
        else:
            os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
