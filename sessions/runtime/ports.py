"""Whether a port is free."""

from __future__ import annotations

import socket


def port_is_free(port: int) -> bool:
    """Tell whether nothing listens on this port, asked as strictly as the system allows."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
