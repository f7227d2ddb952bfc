"""Chunks of any size: each says which point is its first, and its bytes say how they are packed.

Series get what can be told of them without their points.
"""

import math
import struct

from django.db import migrations, models

ROW = struct.Struct("<qdd")
CHUNK_POINTS = 250
KIND = b"\x01"


def fill(apps, schema_editor):
    """Say of what is stored: the first point of each chunk, the kind of its bytes, the summary of its series."""
    Series = apps.get_model("training", "Series")
    for series in Series.objects.filter(count__gt=0).iterator():
        chunks = list(series.chunks.order_by("number"))
        low, high = math.inf, -math.inf
        for chunk in chunks:
            data = bytes(chunk.data)
            known = [row[2] for row in ROW.iter_unpack(data) if math.isfinite(row[2])]
            low, high = min([low, *known]), max([high, *known])
            chunk.first, chunk.data = chunk.number * CHUNK_POINTS, KIND + data
            chunk.save(update_fields=["first", "data"])
        if chunks:
            series.first_step, series.first_time, _ = ROW.unpack_from(bytes(chunks[0].data), 1)
            series.last_time = ROW.unpack_from(bytes(chunks[-1].data), len(chunks[-1].data) - ROW.size)[1]
            series.tail = chunks[-1].first
            series.min_value, series.max_value = (low, high) if low <= high else (None, None)
            series.save()


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0004_origin"),
    ]

    operations = [
        migrations.AddField(
            "series",
            "compact",
            models.BooleanField(default=False, help_text="Whether all its chunks are compressed and few."),
        ),
        migrations.AddField("series", "first_step", models.BigIntegerField(null=True)),
        migrations.AddField("series", "first_time", models.FloatField(help_text="Seconds since 1970.", null=True)),
        migrations.AddField("series", "last_time", models.FloatField(help_text="Seconds since 1970.", null=True)),
        migrations.AddField(
            "series", "max_value", models.FloatField(help_text="The largest that is a finite number.", null=True)
        ),
        migrations.AddField(
            "series", "min_value", models.FloatField(help_text="The smallest that is a finite number.", null=True)
        ),
        migrations.AddField(
            "series", "tail", models.PositiveIntegerField(default=0, help_text="The first point of its last chunk.")
        ),
        migrations.AddField(
            "serieschunk",
            "first",
            models.PositiveIntegerField(default=0, help_text="How many points of the series come before it."),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RemoveConstraint("serieschunk", "chunk_unique"),
        migrations.AlterModelOptions("serieschunk", {"ordering": ("series", "first")}),
        migrations.RemoveField("serieschunk", "number"),
        migrations.AddConstraint(
            "serieschunk", models.UniqueConstraint(fields=("series", "first"), name="chunk_unique")
        ),
        migrations.AddIndex(
            "series", models.Index(condition=models.Q(("compact", False)), fields=["attempt"], name="series_loose")
        ),
    ]
