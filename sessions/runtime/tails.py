"""The ends of logs."""

from __future__ import annotations

import os
from pathlib import Path

from sessions.runtime.packing import open_bytes


def tail(path: Path, most: int) -> str:
    """Return the whole lines among the last `most` bytes of a file, compressed or not; nothing when it cannot be read.

    What stands before the first end of a line may be the rest of a secret, and is left out.
    """
    try:
        with open_bytes(path) as file:
            start = max(0, file.seek(0, os.SEEK_END) - most)
            file.seek(start)
            data = file.read(most)
    except OSError:
        return ""
    return (data.partition(b"\n")[2] if start else data).decode("utf-8", "replace")
