"""django-q2's cluster, except for one thing that it does not survive."""

from __future__ import annotations

import logging
import os
from typing import Any

from django_q.cluster import Sentinel

logger = logging.getLogger(__name__)


class Cluster(Sentinel):  # type: ignore[misc]
    """A cluster that ends when one of its parts was killed, so that `up` starts a whole one again.

    A part that waits for the next task holds the lock of its queue. Killed, it takes the lock along: whoever took its
    place would wait for ever, and no session would be launched any more. A part that ends by itself is replaced.
    """

    def reincarnate(self, process: Any) -> None:
        """Replace a part that ended by itself or ran out of time."""
        if process.exitcode not in (0, None):
            logger.warning("A part of the worker was killed (%s); it is started again as a whole.", process.exitcode)
            os._exit(1)
        super().reincarnate(process)
