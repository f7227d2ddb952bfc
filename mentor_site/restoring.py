"""Putting a backup in the place of what is there: unpacked beside it, then moved in, and finished if interrupted."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

from mentor_site import keeping
from mentor_site.archive import DATABASE, SECRET_KEY, BadArchive, Manifest, opened, unpack, verify
from mentor_site.installation import SHORTEST_KEY
from sessions.domain.trouble import AHEAD
from sessions.errors import Conflict
from sessions.selectors.database import file_trouble, known_migrations

UNPACKING, READY = ".restoring-", ".restored"
FOLDERS = ("runs", "reports")


def holds_data(home: Path) -> bool:
    """Tell whether a restore would push something aside that matters."""
    database = home / DATABASE
    return (database.exists() and database.stat().st_size > 0) or any(
        any((home / folder).iterdir()) for folder in FOLDERS if (home / folder).is_dir()
    )


def restore(archive: Path, home: Path, machine: str) -> tuple[Manifest, Path]:
    """Put the backup in the place of what `home` holds; return its manifest and where the old is now.

    Raises BadArchive, with nothing written, for an archive that is not right in every part, and Conflict while a
    training of this home runs: it would go on writing into what is restored.
    """
    if living := keeping.living_attempts(home):
        raise Conflict(f"These trainings run: {', '.join(living)}.", hint="Stop them first.")
    with opened(archive, room_bytes=shutil.disk_usage(home).free) as (source, manifest):
        _check_version(manifest)
        verify(source, manifest)
        for half in home.glob(f"{UNPACKING}*"):  # of a restore that was killed while it unpacked
            shutil.rmtree(half)
        staging = Path(tempfile.mkdtemp(dir=home, prefix=UNPACKING))
        try:
            unpack(source, manifest, staging)
            _make_ready(staging, manifest, home, machine)
            staging.rename(home / READY)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    return manifest, finish(home)


def _check_version(manifest: Manifest) -> None:
    apps = {app for app, _ in known_migrations()}
    had = {(app, name) for app, _, name in (key.partition("/") for key in manifest.migrations)}
    if any(key[0] in apps and key not in known_migrations() for key in had):
        raise BadArchive("The backup was made by a newer MENTOR.", hint=AHEAD.hint)


def _make_ready(staging: Path, manifest: Manifest, home: Path, machine: str) -> None:
    for folder in FOLDERS:
        (staging / folder).mkdir(mode=0o700, exist_ok=True)
    key = staging / SECRET_KEY
    if key.exists() and not _is_key(key.read_bytes()):
        raise BadArchive("The secret key in the backup is none.")
    database = staging / DATABASE
    if database.exists():
        if (trouble := file_trouble(database)) is not None:
            raise BadArchive(f"The database in the backup cannot be used. {trouble.detail}")
        _move_house(database, manifest, home, machine)


def _is_key(data: bytes) -> bool:
    return data.isascii() and len(data.strip()) >= SHORTEST_KEY


def _move_house(database: Path, manifest: Manifest, home: Path, machine: str) -> None:
    """Let paths and the machine's name be those of here, so that results are found and attempts are followed."""
    with contextlib.closing(sqlite3.connect(database)) as file, file:
        file.execute(
            "UPDATE training_attempt SET results_dir = ? || substr(results_dir, ?) WHERE substr(results_dir, 1, ?) = ?",
            (str(home), len(manifest.home) + 1, len(manifest.home), manifest.home),
        )
        file.execute("UPDATE OR IGNORE training_machine SET name = ? WHERE name = ?", (machine, manifest.machine))


def finish(home: Path) -> Path:
    """Move in what is ready, each part by one rename, and set aside what was there; return where that is now.

    Called again after an interruption, at the latest by the next `up`, it goes on where it was.
    """
    aside = keeping.new_folder_aside(home, "restore")
    ready = home / READY
    for part in sorted(ready.iterdir()):
        if part.name == DATABASE:
            keeping.move_database_aside(home / DATABASE, aside)
        keeping.move_aside(home / part.name, aside)
        part.rename(home / part.name)
    ready.rmdir()
    return aside


def is_unfinished(home: Path) -> bool:
    """Tell whether a restore was interrupted while it moved in."""
    return (home / READY).is_dir()
