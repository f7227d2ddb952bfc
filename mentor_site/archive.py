"""A backup as one zip file: written with a manifest of sizes and sums, and believed only as far as that goes.

An archive may come from anywhere. Everything in it is looked at before the first byte of it is written.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from sessions.errors import MentorError
from sessions.runtime.records import build
from sessions.runtime.rundir import RUN_ID

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE, SECRET_KEY = "mentor.sqlite3", "secret_key"
RUN_PARTS = ("session.json", "attempts", "results", "kept", "starts")
MOST_MANIFEST_BYTES = 64 << 20
BLOCK_BYTES = 1 << 20
MEMORY_BYTES = 64 << 20
LONGEST_NAME = 1024


class BadArchive(MentorError):
    """The file is no backup that may be restored; nothing of it was written."""

    code = "bad_archive"


@dataclass(frozen=True)
class Entry:
    """One file: its size in bytes, its SHA-256 in hexadecimal, its time of change in nanoseconds."""

    name: str
    size: int
    sha256: str
    modified_ns: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `home` is where it was made, `migrations` the state of its tables as app/name."""

    version: str
    made_at: str
    machine: str
    home: str
    database: str
    migrations: list[str]
    with_results: bool
    files: tuple[Entry, ...] = field(default=())
    format: int = FORMAT


class Writer:
    """A new archive; `add` files, then `finish`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.entries: list[Entry] = []

    def add(self, path: Path, name: str) -> bool:
        """Add a file as it is now; False when it went away or may not be read."""
        try:
            with path.open("rb") as source, tempfile.SpooledTemporaryFile(MEMORY_BYTES) as copy:
                modified_ns = os.fstat(source.fileno()).st_mtime_ns
                size, digest = _copy(source, copy)
                copy.seek(0)
                self._write(name, copy, size)
        except (FileNotFoundError, PermissionError):
            return False
        self.entries.append(Entry(name, size, digest, modified_ns))
        return True

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, last."""
        self._archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))

    def _write(self, name: str, source: IO[bytes], size: int) -> None:
        with self._archive.open(_information(name), "w", force_zip64=size > 1 << 30) as target:
            _copy(source, target)


def _information(name: str) -> zipfile.ZipInfo:
    information = zipfile.ZipInfo(name)  # without a time of its own: the manifest has it
    information.compress_type = zipfile.ZIP_DEFLATED
    information.external_attr = (stat.S_IFREG | 0o600) << 16
    return information


def _copy(source: IO[bytes], target: IO[bytes] | None, limit: int | None = None) -> tuple[int, str]:
    """Copy all bytes and return their number and SHA-256; raises BadArchive when there are more than `limit`."""
    size, digest = 0, hashlib.sha256()
    while block := source.read(BLOCK_BYTES):
        size += len(block)
        if limit is not None and size > limit:
            raise BadArchive("A file in the archive is larger than its manifest says.")
        digest.update(block)
        if target is not None:
            target.write(block)
    return size, digest.hexdigest()


@contextmanager
def new_archive(path: Path) -> Iterator[Writer]:
    """Make the archive at `path`, readable by its owner alone: there whole at the end, or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def may_be_restored(name: str) -> bool:
    """Tell whether a file of this name belongs in a backup: one of MENTOR's places, and no way out of them."""
    parts = name.split("/")
    if len(name) > LONGEST_NAME or not all(map(_is_plain, parts)):
        return False
    if len(parts) == 1:
        return name in (DATABASE, SECRET_KEY)
    if parts[0] == "reports":
        return True
    return parts[0] == "runs" and len(parts) > 2 and bool(RUN_ID.match(parts[1])) and parts[2] in RUN_PARTS


def _is_plain(part: str) -> bool:
    if part in ("", ".", "..") or "\\" in part or any(ord(character) < 32 for character in part):
        return False
    return sys.platform != "win32" or not (":" in part or part.endswith((".", " ")))


@contextmanager
def opened(path: Path, *, room_bytes: int) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a backup whose manifest, names and sizes are right; raises BadArchive. Contents are not yet read."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            _check_names(archive, manifest)
            needed = sum(entry.size for entry in manifest.files)
            if needed > room_bytes:
                raise BadArchive(
                    f"The backup needs {needed / 1e9:.1f} GB, and {room_bytes / 1e9:.1f} GB are free.",
                    hint="Make room, or set MENTOR_HOME to a larger disk.",
                )
            yield archive, manifest
    except FileNotFoundError as error:
        raise BadArchive(f"There is no file {path}.") from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, OSError) as error:
        raise BadArchive(f"{path} cannot be read as a backup: {error}.") from error


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    names = archive.namelist()
    if names.count(MANIFEST) != 1 or archive.getinfo(MANIFEST).file_size > MOST_MANIFEST_BYTES:
        raise BadArchive("The file is no backup of MENTOR's: it has no manifest.")
    with archive.open(MANIFEST) as source:
        data = source.read(MOST_MANIFEST_BYTES + 1)
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadArchive("The manifest of the backup cannot be read.") from error
    return _understood(facts)


def _understood(facts: Any) -> Manifest:
    listed = facts.pop("files", None) if isinstance(facts, dict) else None
    if isinstance(facts, dict) and isinstance(facts.get("format"), int) and facts["format"] > FORMAT:
        raise BadArchive("The backup was made by a newer MENTOR.", hint="Restore it with that one.")
    manifest = build(Manifest, facts) if isinstance(facts, dict) else None
    entries = [build(Entry, one) if isinstance(one, Mapping) else None for one in listed or ()]
    if manifest is None or not isinstance(listed, list) or None in entries:
        raise BadArchive("The manifest of the backup is not understood.")
    return Manifest(**{**vars(manifest), "files": tuple(one for one in entries if one is not None)})


def _check_names(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    sizes = {entry.name: entry.size for entry in manifest.files}
    found = [information for information in archive.infolist() if information.filename != MANIFEST]
    names = [information.filename for information in found]
    if len(sizes) != len(manifest.files) or len(set(names)) != len(names) or set(names) != set(sizes):
        raise BadArchive("The files of the backup are not those that its manifest names.")
    for information in found:
        if not may_be_restored(information.filename):
            raise BadArchive(f"The backup holds {information.filename!r}, which has no place in MENTOR_HOME.")
        kind = stat.S_IFMT(information.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or information.is_dir() or information.flag_bits & 0x1:
            raise BadArchive(f"{information.filename} in the backup is no plain file.")
        if information.file_size != sizes[information.filename] or information.file_size < 0:
            raise BadArchive(f"{information.filename} has another size than the manifest says.")


def verify(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Read every file and compare its SHA-256; raises BadArchive. Writes nothing."""
    for entry in manifest.files:
        with archive.open(entry.name) as source:
            _compare(entry, *_copy(source, None, entry.size))


def unpack(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    """Write every file below `folder`, compared once more; raises BadArchive."""
    for entry in manifest.files:
        path = folder / entry.name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with archive.open(entry.name) as source, os.fdopen(descriptor, "wb") as target:
            _compare(entry, *_copy(source, target, entry.size))
        os.utime(path, ns=(entry.modified_ns, entry.modified_ns))


def _compare(entry: Entry, size: int, digest: str) -> None:
    if (size, digest) != (entry.size, entry.sha256):
        raise BadArchive(f"{entry.name} in the backup is damaged: its sum is not that of the manifest.")
