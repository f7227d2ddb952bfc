"""The only sender to Channels: a message without data, so that losing one loses nothing.

On one machine the supervisor and the web process share no channel layer, so pages also look at the database; the
nudge reaches what lives in the same process at once, and with Redis every process on every machine.
"""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger(__name__)


def group(session_id: int) -> str:
    """Return the name of the group that follows one session."""
    return f"session.{session_id}"


def session(session_id: int) -> None:
    """Tell open pages that there is something new to read."""
    layer = get_channel_layer()
    if layer is None or isinstance(layer, InMemoryChannelLayer):
        return
    try:
        async_to_sync(layer.group_send)(group(session_id), {"type": "session.nudge"})
    except Exception as error:  # whatever the layer's library raises: pages look for themselves
        logger.debug("A nudge was lost: %s", error)
