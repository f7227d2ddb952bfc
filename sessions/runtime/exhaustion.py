"""Errors that say something about this process, and nothing about what it looked at."""

from __future__ import annotations

import errno

EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def raise_if_exhausted(error: OSError) -> None:
    """Raise `error` again when this process lacks descriptors or memory: it cannot tell what is there and who lives."""
    if error.errno in EXHAUSTED:
        raise error
