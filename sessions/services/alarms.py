"""What a person should look at, kept with the attempt it is about."""

from __future__ import annotations

import logging

from django.db import transaction

from sessions.models import Attempt
from sessions.services.transitions import touch

logger = logging.getLogger(__name__)


def raise_alarm(attempt: Attempt, sentence: str) -> None:
    """Add a sentence to the alarm of an attempt, unless it is there already."""
    with transaction.atomic():
        before = Attempt.objects.values_list("alarm", flat=True).get(pk=attempt.pk)
        if sentence in before:
            return
        Attempt.objects.filter(pk=attempt.pk).update(alarm=f"{before} {sentence}".strip())
        touch(attempt.session_id)
    logger.warning("attempt %s: %s", attempt, sentence)


def take_back(attempt: Attempt, sentence: str) -> None:
    """Take a sentence out of the alarm of an attempt, if it is there."""
    with transaction.atomic():
        before = Attempt.objects.values_list("alarm", flat=True).get(pk=attempt.pk)
        if sentence in before:
            Attempt.objects.filter(pk=attempt.pk).update(alarm=" ".join(before.replace(sentence, "").split()))
            touch(attempt.session_id)
