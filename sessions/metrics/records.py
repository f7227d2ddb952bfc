"""TFRecord framing: where the records of an event file are, and where they go on behind damage.

A record is a length (uint64), the masked CRC-32C of the length, the payload, and the payload's masked CRC-32C.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from sessions.domain.crc32c import masked_crc32c

HEADER = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
FOOTER_BYTES = CHECKSUM.size
FRAME_BYTES = HEADER.size + FOOTER_BYTES
# Nothing in an event file that is of use here is longer; protobuf itself ends at 2 GB.
MOST_PAYLOAD = 16 * 1024 * 1024
MOST_MESSAGE = 2**31
NOT_ZERO = re.compile(rb"[^\0]")


class Lengths:
    """The length in a record's header, with the checksum of each kind of header computed once."""

    MOST = 10_000

    def __init__(self) -> None:
        # By header: a look into it is all that a record takes whose length is known.
        self.known: dict[bytes, int] = {}

    def of(self, data: bytes, position: int) -> int | None:
        """Return the length of the payload whose header begins at `position`, None when its checksum is wrong."""
        header = data[position : position + HEADER.size]
        length = self.known.get(header)
        if length is None:
            length, crc = HEADER.unpack(header)
            if masked_crc32c(header[:8]) != crc:
                return None
            if len(self.known) < self.MOST:
                self.known[header] = length
        return length


def sound(data: bytes, start: int, end: int) -> bool:
    """Return whether the payload between `start` and `end` is what was written, by the checksum behind it."""
    return masked_crc32c(data[start:end]) == CHECKSUM.unpack_from(data, end)[0]


def next_record(data: bytes) -> int | None:
    """Return where behind its beginning the first record is that is whole in `data` and whose checksums both hold.

    None when there is none: what looks like damage may be the end of a file that is being written. Checks no more
    bytes than `data` has, whatever it is made of.
    """
    lengths, budget = Lengths(), len(data)
    for position in _candidates(data):
        length = lengths.of(data, position)
        if length is None or length > len(data) - position - FRAME_BYTES:
            continue
        budget -= length
        if budget < 0:
            return None
        start = position + HEADER.size
        if sound(data, start, start + length):
            return position
    return None


def _candidates(data: bytes) -> Iterator[int]:
    """Where a header may begin: the upper half of a length below 4 GB is four zero bytes."""
    position = 1
    while True:
        found = data.find(bytes(4), position + 4)
        if found < 0 or found > len(data) - FRAME_BYTES + 4:
            return
        position = found - 4
        filled = NOT_ZERO.search(data, position)
        if filled is None:
            return
        # No header is all zeros, but a hole is, as a disk leaves it after a loss of power.
        if filled.start() < position + HEADER.size:
            yield position
        position = max(position + 1, filled.start() - HEADER.size + 1)
