"""Files that are created once or replaced whole, and never read in halves."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from sessions.runtime.exhaustion import raise_if_exhausted
from sessions.runtime.system import here

Result = TypeVar("Result")

CONTROL_FILE_LIMIT_BYTES = 4 << 20
CHUNK_BYTES = 1 << 20
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Virus scanners and indexers hold a new file for moments: access denied, sharing violation, lock violation.
TRANSIENT_WINDOWS_ERRORS = frozenset({5, 32, 33})
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.75, 1.0)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read; never waits, as a FIFO would make a reader wait.

    Raises OSError when it is missing, unreadable, a link or no regular file.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    if path.is_symlink():  # for systems without O_NOFOLLOW
        raise OSError(errno.ELOOP, "is a link", str(path))
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most_bytes: int | None = None) -> bytes | None:
    """Return the content of a regular file, or None when it is missing, unreadable, too large or a link.

    Raises OSError when this process itself lacks descriptors or memory.
    """
    most_bytes = CONTROL_FILE_LIMIT_BYTES if most_bytes is None else most_bytes
    try:
        with open_regular(path) as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise_if_exhausted(error)
        return None
    return data if len(data) <= most_bytes else None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in `path`, or None when there is none to read."""
    data = read_regular(path)
    if data is None:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def as_bytes(data: bytes | Mapping[str, Any]) -> bytes:
    """Return `data` itself, or the UTF-8 JSON of a mapping."""
    return data if isinstance(data, bytes) else json.dumps(dict(data), indent=1).encode() + b"\n"


def create_once(path: Path, data: bytes | Mapping[str, Any]) -> bool:
    """Create `path` with its whole content, durably; False, and nothing changed, when it was there already.

    Of several processes that try, exactly one gets True. Raises OSError when the disk refuses.
    """
    with _draft(path, as_bytes(data)) as draft:
        try:
            retrying(lambda: here.publish_new(draft, path))
        except FileExistsError:
            return False
    here.sync_folder(path.parent)
    return True


def atomic_write(path: Path, data: bytes | Mapping[str, Any]) -> None:
    """Replace `path` durably: who reads it sees the old or the new content, never a part."""
    with _draft(path, as_bytes(data)) as draft:
        retrying(lambda: draft.replace(path))
    here.sync_folder(path.parent)


@contextmanager
def _draft(path: Path, data: bytes) -> Iterator[Path]:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, NEW_FILE, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        with suppress(OSError):
            draft.unlink()


def retrying(
    action: Callable[[], Result],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Return what `action` returns, tried for about 2.5 s while Windows keeps the file from us."""
    for seconds in RETRY_SECONDS:
        try:
            return action()
        except OSError as error:
            if getattr(error, "winerror", None) not in TRANSIENT_WINDOWS_ERRORS:
                raise
            sleep(seconds)
    return action()


def size_and_crc32(path: Path) -> tuple[int, int]:
    """Return the number of bytes in `path` and their CRC-32; (0, 0) when it cannot be read."""
    size = crc = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                crc = zlib.crc32(chunk, crc)
    except OSError:
        return 0, 0
    return size, crc


def age_seconds(path: Path, *, now: Callable[[], float] = time.time) -> float | None:
    """Return how long ago `path` was last written, by its own clock; None when it is missing."""
    try:
        return max(0.0, now() - path.stat().st_mtime)
    except OSError:
        return None
