"""Facts about ports; what they mean is in `checks.ports`."""

from __future__ import annotations

import socket

from django.conf import settings

from mentor_site.doctor.checks.ports import Ports
from mentor_site.doctor.known import Known
from sessions.domain.queue import EDITOR_PORT, LAST_PORT
from sessions.runtime.ports import port_is_free

# What a few trainings with several environments each are given first.
BLOCK_PORTS = 64


def ports(known: Known) -> Ports:
    """Return which ports programs hold that are not MENTOR's trainings."""
    base: int = settings.MENTOR["MENTOR_BASE_PORT"]
    block = range(base, min(base + BLOCK_PORTS, LAST_PORT + 1))
    own = known.leases | {settings.MENTOR["MENTOR_PORT"], EDITOR_PORT}
    return Ports(
        editor_taken=EDITOR_PORT not in known.leases and not port_is_free(EDITOR_PORT),
        base_port=base,
        block=len(block),
        taken=tuple(port for port in block if port not in own and not port_is_free(port)),
        web_taken=_listens(settings.MENTOR["MENTOR_PORT"]),
        web_port=settings.MENTOR["MENTOR_PORT"],
    )


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
