"""The system this runs on. `here` offers the same names everywhere; nothing else asks which system it is."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from sessions.runtime import windows as here
else:
    from sessions.runtime import unix as here

__all__ = ["here"]
