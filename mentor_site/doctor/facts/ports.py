"""Facts about ports; what they mean is in `checks.ports`."""

from __future__ import annotations

import socket
from contextlib import suppress

import psutil
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
    taken = tuple(port for port in block if port not in own and not port_is_free(port))
    editor_taken = EDITOR_PORT not in known.leases and not port_is_free(EDITOR_PORT)
    web_port: int = settings.MENTOR["MENTOR_PORT"]
    web_taken = _listens(web_port)
    return Ports(
        editor_taken=editor_taken,
        base_port=base,
        block=len(block),
        taken=taken,
        web_taken=web_taken,
        web_port=web_port,
        holders=_holders() if taken or editor_taken or web_taken else {},
    )


def _holders() -> dict[int, str]:
    """Who listens where; of other users' programs most systems tell nothing."""
    found: dict[int, str] = {}
    with suppress(psutil.Error, OSError):
        for one in psutil.net_connections(kind="tcp"):
            if one.status == psutil.CONN_LISTEN and one.pid and one.laddr:
                with suppress(psutil.Error):
                    found[one.laddr.port] = f"{psutil.Process(one.pid).name()}, process {one.pid}"
    return found


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
