"""Checkpoints and models as files: whether one is whole, told without loading it. An unpickled checkpoint is code."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO

CURRENT = "checkpoint.pt"
# Of an ONNX file: graph and operator set, which it cannot be without; more fields than any has; protobuf's fixed sizes.
NEEDED, MOST_FIELDS, FIXED = {7, 8}, 1000, {1: 8, 5: 4}
UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


class Condition(str, Enum):
    """What is known of a checkpoint from its bytes. A blank one holds no weights: who loads it begins at step 0."""

    WHOLE = "whole"
    BLANK = "blank"
    BROKEN = "broken"
    MISSING = "missing"


def condition(path: Path) -> Condition:
    """Return how a checkpoint of torch (or of the practice trainer) is; every byte is read and checked."""
    if not path.is_file():
        return Condition.MISSING
    try:
        with zipfile.ZipFile(path) as archive:
            if not _looks_right(archive) or archive.testzip() is not None:
                return Condition.BROKEN
            return Condition.WHOLE if _holds_weights(archive) else Condition.BLANK
    except UNREADABLE:
        return Condition.BROKEN


def is_for_torch(path: Path) -> bool:
    """Tell whether a whole checkpoint is ML-Agents' own, rather than the practice trainer's."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _is_torch(archive)
    except UNREADABLE:
        return False


def model_condition(path: Path) -> Condition:
    """Return how an ONNX model is: protobuf fields that end where the file ends, with those it needs among them."""
    if not path.is_file():
        return Condition.MISSING
    try:
        with path.open("rb") as stream:
            return Condition.WHOLE if set(_fields(stream, path.stat().st_size)) >= NEEDED else Condition.BROKEN
    except (OSError, ValueError):
        return Condition.BROKEN


def _fields(stream: BinaryIO, size: int) -> Iterator[int]:
    """The numbers of the outermost fields; raises ValueError where there is no field, or not all of it."""
    for _ in range(MOST_FIELDS):
        if stream.tell() == size:
            return
        number, kind = divmod(_varint(stream), 8)
        if kind == 0:
            _varint(stream)
        elif kind == 2 or kind in FIXED:
            stream.seek(FIXED.get(kind) or _varint(stream), io.SEEK_CUR)
        else:
            raise ValueError("no field of protobuf")
        if stream.tell() > size:
            raise ValueError("the file was cut")
        yield number
    raise ValueError("no model has so many fields")


def _varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("no number of protobuf")


def _looks_right(archive: zipfile.ZipFile) -> bool:
    """Both trainers store without compression: something else is not theirs, and could unpack to any size."""
    members = archive.infolist()
    stored = all(one.compress_type == zipfile.ZIP_STORED for one in members)
    return stored and (_is_torch(archive) or any(one.filename.endswith(".npy") for one in members))


def _is_torch(archive: zipfile.ZipFile) -> bool:
    return any(re.fullmatch(r"[^/]+/data\.pkl", name) for name in archive.namelist())


def _holds_weights(archive: zipfile.ZipFile) -> bool:
    return any(re.fullmatch(r"[^/]+/data/\d+|[^/]+\.npy", name) for name in archive.namelist())


def blank() -> bytes:
    """Return a checkpoint of torch with nothing in it: ML-Agents loads it, says so, and begins at step 0.

    Without it a resume ends as soon as a behavior appears that never saved anything.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (("data.pkl", pickle.dumps({}, protocol=2)), ("version", b"3\n")):
            archive.writestr(zipfile.ZipInfo(f"checkpoint/{name}"), content)  # ZipInfo: always with the same date
    return stream.getvalue()


def step_of(name: str, behavior: str) -> int | None:
    """Return the step in a checkpoint's file name, such as 5000 in Ball-5000.pt; None for any other name."""
    found = re.fullmatch(rf"{re.escape(behavior)}-(\d{{1,18}})\.pt", name)
    return int(found[1]) if found else None
