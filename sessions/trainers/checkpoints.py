"""Checkpoints as files: whether one is whole, told without loading it. A checkpoint is code once it is unpickled."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
import zlib
from enum import Enum
from pathlib import Path

CURRENT = "checkpoint.pt"
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
