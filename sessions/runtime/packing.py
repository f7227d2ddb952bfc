"""Files kept compressed: gzip that every tool reads, in members that say how long they are, to be read from anywhere.

A file is compressed into a draft beside it, member by member; killed meanwhile, the next call goes on behind the last
whole member. The original goes only when the draft, read back, has the same SHA-256.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from sessions.runtime.files import open_regular, retrying
from sessions.runtime.system import here

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 256 * 1024
LEVEL = 6
ENDING = ".gz"
# TensorBoard takes every file with this word in its name for an event file.
EVENTS, HIDDEN_EVENTS = "tfevents", "tf-events"
# Magic, deflate and "has an extra field"; no time; no flags; system unknown; the extra field: its length, then "MP"
# with eight bytes, the length of the whole member and of what it holds.
HEAD = struct.Struct("<4sIBBH2sHII")
TAIL = struct.Struct("<II")
MAGIC, OURS = b"\x1f\x8b\x08\x04", b"MP"


class Member(NamedTuple):
    """Where a part of the file lies, in it and in what is packed: two offsets and two lengths in bytes."""

    start: int
    offset: int
    length: int
    packed: int


def packed_path(path: Path) -> Path:
    """Return where the compressed form of a file is kept."""
    return path.with_name(path.name.replace(EVENTS, HIDDEN_EVENTS) + ENDING)


def plain_path(packed: Path) -> Path:
    """Return where the file goes that a compressed one holds."""
    return packed.with_name(packed.name.removesuffix(ENDING).replace(HIDDEN_EVENTS, EVENTS))


def open_bytes(path: Path) -> BinaryIO:
    """Open a file to be read, compressed or not: positions are those of the plain file. Raises OSError."""
    for attempt in (path, packed_path(path)):
        with suppress(FileNotFoundError):
            return open_regular(attempt) if attempt == path else unpacked(attempt)
    return open_regular(path)  # put back between the two looks


def unpacked(packed: Path) -> BinaryIO:
    """Open a compressed file as what it holds. Raises OSError."""
    # Only heads and members are read, each at its place: a buffer would read more than that.
    return io.BufferedReader(PackedFile(cast("BinaryIO", packed.open("rb", buffering=0))))


class PackedFile(io.RawIOBase):
    """What a compressed file holds, to be read from any position."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._members = list(members(file))
        self._starts = [one.start for one in self._members]
        self._position = 0
        self._block: tuple[int, bytes] = (-1, b"")

    @property
    def size(self) -> int:
        last = self._members[-1] if self._members else Member(0, 0, 0, 0)
        return last.start + last.length

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self.size:
            return 0
        number = bisect_right(self._starts, self._position) - 1
        start = self._position - self._starts[number]
        part = self._read_block(number)[start : start + len(view)]
        view[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _read_block(self, number: int) -> bytes:
        if self._block[0] != number:
            self._block = (number, read_member(self._file, self._members[number]))
        return self._block[1]

    def close(self) -> None:
        self._file.close()
        super().close()


def members(file: BinaryIO) -> Iterator[Member]:
    """Yield the whole members of a compressed file; what follows the last whole one is passed over."""
    size = file.seek(0, os.SEEK_END)
    start = offset = 0
    while offset + HEAD.size <= size:
        file.seek(offset)
        magic, _, _, _, _, name, _, packed, length = HEAD.unpack(file.read(HEAD.size))
        if magic != MAGIC or name != OURS or packed <= HEAD.size or offset + packed > size:
            return
        yield Member(start, offset, length, packed)
        start, offset = start + length, offset + packed


def read_member(file: BinaryIO, member: Member) -> bytes:
    """Return what a member holds. Raises OSError when it is damaged."""
    file.seek(member.offset + HEAD.size)
    data = file.read(member.packed - HEAD.size)
    try:
        block = zlib.decompress(data[: -TAIL.size], wbits=-zlib.MAX_WBITS, bufsize=max(1, member.length))
    except zlib.error as error:
        raise OSError(f"a compressed file is damaged at byte {member.offset}: {error}") from error
    if TAIL.unpack(data[-TAIL.size :]) != (zlib.crc32(block), len(block)) or len(block) != member.length:
        raise OSError(f"a compressed file is damaged at byte {member.offset}")
    return block


def as_member(block: bytes) -> bytes:
    """Return a block as a gzip member."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(block) + deflate.flush()
    packed = HEAD.size + len(body) + TAIL.size
    head = HEAD.pack(MAGIC, 0, 0, 255, 12, OURS, 8, packed, len(block))
    return head + body + TAIL.pack(zlib.crc32(block), len(block))


def pack(path: Path, *, deadline: float, clock: Callable[[], float] = time.monotonic) -> bool:
    """Compress a file; False when `deadline` came first and a further call goes on.

    A file that would not get smaller stays as it is. Raises OSError, and then the original is as it was.
    """
    target = packed_path(path)
    draft = target.with_name(f".{target.name}.draft")
    if target.exists():  # from a call that was killed before its last step
        if not path.exists():
            return True
        if _is_same(target, path):
            retrying(path.unlink)
            return True
        retrying(target.unlink)
    before = path.stat()
    if not _append(path, draft, deadline, clock):
        return False
    if draft.stat().st_size >= before.st_size:
        draft.unlink()
        return True
    _replace(draft, target, like=before, same=lambda: _holds(draft, path) and _unchanged(path, before))
    retrying(path.unlink)
    return True


def unpack(packed: Path, *, deadline: float, clock: Callable[[], float] = time.monotonic) -> bool:
    """Bring a compressed file back; False when `deadline` came first and a further call goes on.

    Raises OSError, and then the compressed file is as it was.
    """
    path = plain_path(packed)
    draft = packed.with_name(f".{packed.name}.plain.draft")
    if path.exists():  # from a call that was killed before its last step
        if not _is_same(packed, path):
            raise OSError(f"{path} is there, and is not what {packed.name} holds")
        retrying(packed.unlink)
        return True
    if not _write_out(packed, draft, deadline, clock):
        return False
    _replace(draft, path, like=packed.stat(), same=lambda: _holds(packed, draft))
    retrying(packed.unlink)
    return True


def _is_same(packed: Path, path: Path) -> bool:
    try:
        return _holds(packed, path)
    except OSError:
        return False


def _append(path: Path, draft: Path, deadline: float, clock: Callable[[], float]) -> bool:
    """Compress what the draft lacks of the file; False when the deadline came first."""
    draft.touch(mode=0o600)
    with path.open("rb") as source, draft.open("r+b") as target:
        known = list(members(target))
        start, offset = (known[-1].start + known[-1].length, known[-1].offset + known[-1].packed) if known else (0, 0)
        size = os.fstat(source.fileno()).st_size
        if start > size or (start < size and start % BLOCK_BYTES):
            start = offset = 0  # it was a draft of another file
        target.truncate(offset)
        target.seek(offset)
        source.seek(start)
        blocks = iter(lambda: source.read(BLOCK_BYTES), b"")
        return _copied(map(as_member, blocks), target, deadline, clock)


def _write_out(packed: Path, draft: Path, deadline: float, clock: Callable[[], float]) -> bool:
    """Write what the draft lacks of the plain file; False when the deadline came first."""
    draft.touch(mode=0o600)
    with unpacked(packed) as source, draft.open("r+b") as target:
        size = source.seek(0, os.SEEK_END)
        start = target.seek(0, os.SEEK_END)
        start = size if start >= size else start - start % BLOCK_BYTES
        target.truncate(start)
        target.seek(start)
        source.seek(start)
        return _copied(iter(lambda: source.read(BLOCK_BYTES), b""), target, deadline, clock)


def _copied(parts: Iterator[bytes], target: BinaryIO, deadline: float, clock: Callable[[], float]) -> bool:
    """Write the parts, durably; False when the deadline came first."""
    done = True
    for part in parts:
        target.write(part)
        if clock() >= deadline:
            done = False
            break
    target.flush()
    os.fsync(target.fileno())
    return done


def _replace(draft: Path, target: Path, *, like: os.stat_result, same: Callable[[], bool]) -> None:
    """Give a draft its name if it is what it should be; raises OSError when it is not."""
    if not same():
        draft.unlink()
        raise OSError(f"{target.name}: what was written is not what was read; it is tried again")
    os.utime(draft, ns=(like.st_atime_ns, like.st_mtime_ns))
    retrying(lambda: draft.replace(target))
    here.sync_folder(target.parent)


def _unchanged(path: Path, before: os.stat_result) -> bool:
    now = path.stat()
    return (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _holds(packed: Path, path: Path) -> bool:
    """Tell whether a compressed file holds exactly what is in another, by their SHA-256."""
    with unpacked(packed) as one, path.open("rb") as other:
        return _digest(one) == _digest(other)


def _digest(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.digest()
