"""Facts about rights; what they mean is in `checks.access`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from mentor_site.doctor.checks.access import Folder, Guarded


def folders() -> Iterator[Folder]:
    """Yield the folders that MENTOR writes to."""
    yield Folder("MENTOR's folder", str(settings.MENTOR_HOME), _problem(Path(settings.MENTOR_HOME)))
    if (results := settings.MENTOR["MENTOR_RESULTS_DIR"]) is not None:
        yield Folder("Results", str(results), _problem(results))
    runs = Path(settings.MENTOR_HOME) / "runs"
    if runs.exists():
        yield Folder("Runs", str(runs), _problem(runs))


def _problem(path: Path) -> str:
    """Why nothing can be written there; of a folder that is still to be made, where it would be made."""
    place = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
    if not place.is_dir():
        return f"{'it' if place == path else place} is no folder"
    if not os.access(place, os.W_OK | os.X_OK):
        return "MENTOR's user has no right to" if place == path else f"it is missing, and {place} may not be written"
    # What Windows answers about rights is not what it does; a file without a name leaves nothing behind.
    if sys.platform == "win32":
        try:
            tempfile.TemporaryFile(dir=place).close()
        except OSError as error:
            return error.strerror or "the system refuses"
    return ""


def home() -> Guarded:
    """Return how MENTOR's folder is guarded."""
    return _guarded(Path(settings.MENTOR_HOME)) or Guarded(str(settings.MENTOR_HOME), 0)


def secrets() -> list[Guarded]:
    """Return the files that nobody else may read, as they are guarded; none on Windows, where others have no way in."""
    names = ("secret_key", "mentor.sqlite3", "mentor.sqlite3-wal")
    return [one for name in names if (one := _guarded(Path(settings.MENTOR_HOME) / name)) is not None]


def _guarded(path: Path) -> Guarded | None:
    if sys.platform == "win32":
        return None
    with suppress(OSError):
        about = path.stat()
        return Guarded(str(path), about.st_mode & 0o777, about.st_uid == os.geteuid())
    return None


def is_root() -> bool:
    """Tell whether this process may do everything; false on Windows."""
    return sys.platform != "win32" and os.geteuid() == 0
