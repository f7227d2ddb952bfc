"""Nudges: a layer that is down or full costs a moment and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from channels.exceptions import ChannelFull
from django.contrib.auth.models import User
from django.db import transaction

from sessions import nudge
from sessions.models import TrainingSession
from sessions.services.transitions import touch
from tests.factories import make_session


class BrokenLayer:
    """A layer whose server is gone, or whose channel is full."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked += 1
        raise self.error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [ConnectionRefusedError("gone"), ChannelFull(), RuntimeError("of the library")])
def test_what_was_stored_stays_stored_when_nobody_can_be_nudged(
    ada: User, home: object, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    layer = BrokenLayer(error)
    session = make_session(owner=ada)
    monkeypatch.setattr(nudge, "get_channel_layer", lambda: layer)
    with transaction.atomic():
        touch(session.pk)
    assert layer.asked == 1
    assert TrainingSession.objects.get(pk=session.pk).version == session.version + 1
