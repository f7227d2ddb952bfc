"""What an earlier version stored is there after an upgrade."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from sessions.models import Series
from sessions.selectors.points import points_between

ROW = struct.Struct("<qdd")


@pytest.mark.django_db(transaction=True)
def test_points_in_chunks_of_250_are_found_and_summed_up() -> None:
    before = "0004_origin"
    call_command("migrate", "training", before, verbosity=0)
    old = MigrationExecutor(connection).loader.project_state([("training", before)]).apps
    series = old_series(old, [[float(n) for n in range(250)], [float("nan"), -3.5]])
    call_command("migrate", verbosity=0)
    now = Series.objects.get(pk=series)
    assert (now.first_step, now.last_step, now.first_time, now.last_time) == (0, 251, 0.5, 251.5)
    assert (now.min_value, now.max_value, now.tail, now.compact) == (-3.5, 249.0, 250, False)
    assert list(points_between(now).steps) == list(range(252))
    assert list(points_between(now, 251).values) == [-3.5]


def old_series(old: Any, chunks: list[list[float]]) -> int:
    """A series as it was stored then; its steps are its places."""
    trainer = old.get_model("training", "Trainer").objects.create(
        name="practice", kind="practice", interpreter="python"
    )
    session = old.get_model("training", "TrainingSession").objects.create(
        run_id="ball", trainer=trainer, config_given=b"", config_used=b""
    )
    attempt = old.get_model("training", "Attempt").objects.create(session=session, number=1, cookie="c")
    total = sum(map(len, chunks))
    series = old.get_model("training", "Series").objects.create(
        attempt=attempt, behavior="Ball", tag="t", count=total, last_step=total - 1, last_value=None
    )
    place = 0
    for number, values in enumerate(chunks):
        data = b"".join(ROW.pack(place + n, place + n + 0.5, value) for n, value in enumerate(values))
        series.chunks.create(number=number, count=len(values), data=data)
        place += len(values)
    return int(series.pk)
