"""Linux and macOS: what a process may take at most."""

from __future__ import annotations

import sys
from contextlib import suppress


def limit_itself(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Take no more memory and time than this from here on and leave no core, where the system can."""
    if sys.platform == "win32":  # for the type checker
        return
    import resource

    limits = {resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_CPU: cpu_seconds, resource.RLIMIT_CORE: 0}
    for kind, most in limits.items():
        with suppress(OSError, ValueError):  # macOS knows some by name only
            resource.setrlimit(kind, (most, most))
