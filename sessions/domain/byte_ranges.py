"""Which part of a file a client asks for: single byte ranges of RFC 9110, section 14."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longer numbers are beyond every file, and slow to convert.
ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Part:
    """Bytes from `start` up to, not including, `end`, of a file of `size` bytes."""

    start: int
    end: int
    size: int

    @property
    def header(self) -> str:
        """The part as a Content-Range says it."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


class OutOfRange(ValueError):
    """The range begins behind the end of the file."""


def asked_part(header: str, size: int) -> Part | None:
    """Return the part that a Range header asks for; None when the whole file is to be sent.

    What is no single range of bytes is as if it were not there, as RFC 9110 allows. Raises OutOfRange for a range
    that has no byte in common with the file.
    """
    found = ONE_RANGE.fullmatch(header)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return _suffix(int(found[2]), size)
    start = int(found[1])
    end = int(found[2]) + 1 if found[2] else size
    if end <= start and found[2]:
        return None
    if start >= size:
        raise OutOfRange
    return Part(start, min(end, size), size)


def _suffix(length: int, size: int) -> Part:
    if not length or not size:
        raise OutOfRange
    return Part(max(0, size - length), size, size)
