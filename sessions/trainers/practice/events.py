"""TensorBoard event files, written record by record and flushed with every summary.

A record is its length, a checksum of that, the event, and a checksum of the event (TensorFlow's TFRecord);
the checksums are CRC-32C, rotated by 15 bits and shifted by a constant.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sessions.domain.crc32c import masked_crc32c
from sessions.trainers.practice import protobuf

STRING = 7  # DataType.DT_STRING
_numbers = itertools.count()


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + _checksum(length) + event + _checksum(event)


class EventFile:
    """One `events.out.tfevents.…` file of a behavior; nothing is left unwritten after `flush`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = int(time.time())
        name = f"events.out.tfevents.{now:010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self.path = folder / name
        self.file = self.path.open("wb")
        self._write(protobuf.block(3, "brain.Event:2"))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        self._summarise(tag, protobuf.single(2, value), step)

    def histogram(self, tag: str, values: Sequence[float], step: int) -> None:
        """Add the distribution of `values`, which must not be empty."""
        self._summarise(tag, protobuf.block(5, histogram(np.asarray(values, dtype=float))), step)

    def text(self, tag: str, text: str, step: int = 0) -> None:
        kind = protobuf.block(9, protobuf.block(1, protobuf.block(1, "text")))
        shape = protobuf.block(2, protobuf.block(2, protobuf.integer(1, 1)))
        tensor = protobuf.integer(1, STRING) + shape + protobuf.block(8, text)
        self._summarise(tag, kind + protobuf.block(8, tensor), step)

    def _summarise(self, tag: str, content: bytes, step: int) -> None:
        value = protobuf.block(1, protobuf.block(1, tag) + content)
        self._write(protobuf.integer(2, step) + protobuf.block(5, value))

    def _write(self, content: bytes) -> None:
        self.file.write(record(protobuf.double(1, time.time()) + content))

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.file.close()


def _limits() -> np.ndarray:
    upward = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate((-upward[::-1], [0.0], upward, [np.finfo(float).max]))


def histogram(values: np.ndarray) -> bytes:
    """Return a HistogramProto with buckets that grow by a tenth, empty ones at both ends left out."""
    limits = _limits()
    counts = np.bincount(np.searchsorted(limits, values), minlength=len(limits))
    filled = np.flatnonzero(counts)
    kept = slice(max(filled[0] - 1, 0), filled[-1] + 1)
    moments = (values.min(), values.max(), len(values), values.sum(), (values**2).sum())
    head = b"".join(protobuf.double(number, float(value)) for number, value in enumerate(moments, start=1))
    return head + protobuf.doubles(6, limits[kept]) + protobuf.doubles(7, counts[kept])
