"""Storing what was read of an event file: points, histograms, texts, restarts and the position, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from sessions.metrics.codec import Points
from sessions.metrics.events import Batch
from sessions.metrics.restarts import Order, cut_of
from sessions.metrics.runs import before
from sessions.models import EventFile, Series
from sessions.selectors.points import points_between
from sessions.services import distributions, points
from sessions.services.transitions import touch

logger = logging.getLogger(__name__)

# Of one attempt. A page cannot show more, and no trainer writes a tenth of it.
MOST_SERIES = 10_000


def order_of(file: EventFile) -> Order:
    """Return what the reader has to know of what was read before."""
    return Order(file.version, file.last_step)


def store_batch(file: EventFile, batch: Batch, *, session_id: int) -> bool:
    """Store what was read behind a file's position, and move it; False when another reader moved it first."""
    with transaction.atomic():
        moved = EventFile.objects.filter(pk=file.pk, offset=file.offset).update(
            offset=batch.next_offset,
            skipped=F("skipped") + batch.skipped,
            version=batch.order.version,
            last_step=batch.order.last_step,
        )
        if not moved:
            return False
        if batch.cuts:
            cut(file.attempt_id, file.behavior, batch.cuts)
        kept = _known_or_few(file, batch.points)
        points.append_columns({(file.attempt_id, file.behavior, tag): new for tag, new in kept.items()})
        distributions.keep_histograms(file.attempt_id, file.behavior, batch.histograms)
        distributions.keep_texts(file.attempt_id, file.behavior, batch.texts)
        touch(session_id)
    file.offset, file.version, file.last_step = batch.next_offset, batch.order.version, batch.order.last_step
    if batch.skipped:
        logger.warning("%s: %d damaged or unreadable records were passed over", file.path, batch.skipped)
    return True


def cut(attempt: int, behavior: str, cuts: Mapping[str | None, int]) -> None:
    """Forget points of a behavior that a restart took back: those with a tag's step in `cuts`, or a larger one.

    Under None stands the step for all tags. To be called inside a transaction. A series that loses points becomes
    another row, so that whoever reads on after a cursor reads it from its beginning.
    """
    shorter: dict[points.Key, Points] = {}
    for one in Series.objects.filter(attempt_id=attempt, behavior=behavior):
        step = cut_of(cuts, one.tag)
        if step is None:
            continue
        kept = before(points_between(one), step)
        if len(kept) < one.count:
            one.delete()
            shorter[attempt, behavior, one.tag] = kept
    points.append_columns(shorter)
    distributions.forget(attempt, behavior, cuts)


def _known_or_few(file: EventFile, found: Mapping[str, Points]) -> Mapping[str, Points]:
    """Leave out the points of new series beyond the MOST_SERIES of an attempt."""
    series = Series.objects.filter(attempt_id=file.attempt_id)
    room = MOST_SERIES - series.count()
    if len(found) <= room:
        return found
    known = set(series.filter(behavior=file.behavior).values_list("tag", flat=True))
    added = [tag for tag in found if points.stored_name(tag) not in known]
    left_out = set(added[max(0, room) :])
    if left_out:
        logger.warning("%s: %d series beyond %d of an attempt are left out", file.path, len(left_out), MOST_SERIES)
    return {tag: new for tag, new in found.items() if tag not in left_out}
