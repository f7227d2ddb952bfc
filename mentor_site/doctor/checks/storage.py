"""Where MENTOR keeps what it keeps: its folder, the disks, the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mentor_site.doctor.findings import ERROR, WARNING, Finding, ok
from sessions.domain.trouble import BEHIND, Trouble

NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "9p", "fuse.sshfs", "webdav"}
SYNCED_FOLDERS = re.compile(r"onedrive|dropbox|google ?drive|icloud|nextcloud|pcloud|syncthing", re.IGNORECASE)
GIGABYTE = 1024**3
LARGE_LOG = 512 * 1024 * 1024
FEW_FILES = 10_000
# What a run adds to the path of its folder; Windows takes 260 characters with the end of the text.
LONGEST_BELOW, WINDOWS_CHARACTERS = 150, 259


@dataclass(frozen=True)
class Home:
    """Where MENTOR_HOME lies; `file_system` is the type's name, empty when it is not known."""

    path: str
    file_system: str


@dataclass(frozen=True)
class Disk:
    """The disk that a folder is on: bytes, None where the system does not tell; `files` that may still be made."""

    name: str
    path: str
    free: int | None
    reserve: int
    files: int | None = None


@dataclass(frozen=True)
class Database:
    """How the database is set up: `journal` of SQLite, bytes of its file and of what waits beside it."""

    vendor: str
    journal: str = ""
    size: int = 0
    waiting: int = 0


def of_home(home: Home) -> Iterator[Finding]:
    """Databases and locks want a disk of this machine."""
    title = "MENTOR's folder"
    remote = home.path.startswith(("\\\\", "//")) or home.file_system.lower() in NETWORK_FILE_SYSTEMS
    if remote:
        yield Finding(
            ERROR,
            title,
            f"{home.path} lies on another machine.",
            "SQLite and the locks by which living trainings are known are not safe on network drives.",
            "Set MENTOR_HOME to a folder on a disk of this machine.",
        )
    if (synced := SYNCED_FOLDERS.search(home.path)) is not None:
        yield Finding(
            WARNING,
            title,
            f"{home.path} lies in a folder that {synced[0]} keeps in step.",
            "Such programs hold, move and copy files while they are written; a database does not survive that.",
            "Set MENTOR_HOME to a folder outside of it.",
        )
    if not remote and synced is None:
        yield ok(title, f"{home.path} lies on a disk of this machine{_named(home.file_system)}.")


def _named(file_system: str) -> str:
    return f" ({file_system})" if file_system else ""


def of_disk(disk: Disk) -> Iterator[Finding]:
    """Room for what trainings write."""
    if disk.free is None:
        yield Finding(
            WARNING,
            disk.name,
            f"The system does not tell how much room there is at {disk.path}.",
            "MENTOR cannot keep trainings from filling the disk.",
            "Look whether the disk is mounted.",
        )
    elif disk.free < disk.reserve:
        yield Finding(
            WARNING,
            disk.name,
            f"Only {disk.free / GIGABYTE:.1f} GB are free for {disk.path}.",
            f"Below {disk.reserve / GIGABYTE:.1f} GB nothing is started, and what trains is stopped while it can save.",
            "Make room, or set MENTOR_HOME to a larger disk. MENTOR_DISK_RESERVE_MB is the limit.",
        )
    else:
        yield ok(
            disk.name, f"{disk.free / GIGABYTE:,.1f} GB are free; {disk.reserve / GIGABYTE:.1f} GB are kept in reserve."
        )
    if disk.files is not None and disk.files < FEW_FILES:
        yield Finding(
            WARNING,
            disk.name,
            f"Only {disk.files} more files can be made at {disk.path}, whatever room there is.",
            "Without a free inode nothing can be written, and trainings end.",
            "Delete many small files there, or set MENTOR_HOME to another disk.",
        )


def of_unknown_runs(count: int) -> Iterator[Finding]:
    """Runs on the disk that the database does not know."""
    if count:
        yield Finding(
            WARNING,
            "History",
            f"The database does not know everything of {count} run{'s' * (count > 1)} on the disk.",
            "Their history is on the disk, and not on any page.",
            "Stop MENTOR, then run manage.py recover.",
        )
    else:
        yield ok("History", "The database knows every run on the disk.")


def of_trouble(trouble: Trouble | None, *, new: bool) -> Iterator[Finding]:
    """What keeps the database from being used; `new` when there is nothing to keep in one yet."""
    title = "Database"
    if trouble is not None:
        kind = WARNING if trouble.passing or trouble is BEHIND else ERROR
        why = "Until then no page shows what trains, and nothing is started."
        yield Finding(kind, title, trouble.detail, why, trouble.hint)
    elif new:
        yield ok(title, "There is none yet; manage.py up makes it.")
    else:
        yield ok(title, "It can be read and written, is whole as far as was looked, and has this MENTOR's tables.")


def of_database(database: Database) -> Iterator[Finding]:
    """How SQLite is set up; other databases look after themselves."""
    if database.vendor != "sqlite":
        yield ok("Kind of database", database.vendor)
        return
    if database.journal.lower() == "wal":
        yield ok("Journal", "Readers and writers do not wait for each other (WAL).")
    else:
        yield Finding(
            WARNING,
            "Journal",
            f"The database's journal is {database.journal or 'not known'}, not WAL.",
            "Pages and the supervisor wait for each other; file systems without shared memory allow no WAL.",
            "Restart MENTOR, which asks for it; if that does not help, set MENTOR_HOME to a disk of this machine.",
        )
    if database.waiting > LARGE_LOG:
        yield Finding(
            WARNING,
            "Journal",
            f"{database.waiting / GIGABYTE:.1f} GB wait beside the database to be taken into it.",
            "Something reads the database without end, and looks become slow.",
            "End programs that hold it open, such as a database browser; then restart MENTOR.",
        )


def of_long_paths(home: str, *, enabled: bool) -> Iterator[Finding]:
    """On Windows, whether the files of a run can have their names; `enabled` is LongPathsEnabled."""
    title = "Long paths"
    if not enabled and len(home) + LONGEST_BELOW > WINDOWS_CHARACTERS:
        yield Finding(
            WARNING,
            title,
            f"MENTOR_HOME is {len(home)} characters long, and Windows takes {WINDOWS_CHARACTERS} in a whole path.",
            "Checkpoints of behaviors with long names could not be written.",
            "Set MENTOR_HOME to a short folder such as C:\\mentor, or turn long paths on (LongPathsEnabled).",
        )
    else:
        yield ok(title, "The files of a run can have their names.")
