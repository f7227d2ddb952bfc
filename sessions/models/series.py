"""What was understood of the numbers a session wrote."""

from __future__ import annotations

from django.db import models

from sessions.models.session import Attempt, TrainingSession


class BehaviorProgress(models.Model):
    """Where one behavior of a session stands, from the console and, at the end, from its files."""

    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="behaviors")
    name = models.CharField(max_length=255)
    step = models.BigIntegerField(default=0)
    max_steps = models.BigIntegerField(null=True, blank=True)
    trainer_type = models.CharField(max_length=50, blank=True, help_text="ppo, sac, poca; empty when unknown.")
    mean_reward = models.FloatField(null=True, blank=True)
    best_reward = models.FloatField(null=True, blank=True, help_text="The largest `mean_reward` so far.")
    std_reward = models.FloatField(null=True, blank=True)
    elapsed_seconds = models.FloatField(null=True, blank=True, help_text="Since the attempt started, at `step`.")
    seen = models.BooleanField(default=False, help_text="Whether the trainer has spoken of it.")
    trained_at = models.DateTimeField(null=True, blank=True, help_text="When its last summary came.")

    class Meta:
        ordering = ("pk",)
        verbose_name_plural = "behavior progress"
        constraints = (models.UniqueConstraint(fields=("session", "name"), name="behavior_name_unique"),)
        indexes = (
            models.Index(fields=("name", "session"), name="behavior_by_name"),
            models.Index(fields=("name", "-trained_at"), name="behavior_last"),
        )

    def __str__(self) -> str:
        return self.name


class EventFile(models.Model):
    """An event file and how far it has been read."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="event_files")
    path = models.CharField(max_length=1024, help_text="Below the session's results folder, with forward slashes.")
    behavior = models.CharField(max_length=255)
    offset = models.BigIntegerField(default=0)
    skipped = models.IntegerField(default=0, help_text="Damaged records that were passed over.")
    # By these a copy of the file is known again, wherever it lies.
    name = models.CharField(max_length=255, blank=True, db_index=True, help_text="Its name without folders.")
    head = models.CharField(max_length=80, blank=True, help_text="Length and SHA-256 of its first bytes.")
    version = models.FloatField(default=0, help_text="Of the file format, as far as the run's files told it.")
    last_step = models.BigIntegerField(default=-1, help_text="What steps are compared with before version 2.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("attempt", "path"), name="event_file_unique"),)

    def __str__(self) -> str:
        return self.path


class Series(models.Model):
    """The points of one tag of one behavior in one attempt; the points are in its chunks."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="series")
    behavior = models.CharField(max_length=255)
    tag = models.CharField(max_length=255)
    count = models.PositiveIntegerField(default=0)
    first_step = models.BigIntegerField(null=True)
    first_time = models.FloatField(null=True, help_text="Seconds since 1970.")
    last_step = models.BigIntegerField(null=True)
    last_time = models.FloatField(null=True, help_text="Seconds since 1970.")
    last_value = models.FloatField(null=True)
    min_value = models.FloatField(null=True, help_text="The smallest that is a finite number.")
    max_value = models.FloatField(null=True, help_text="The largest that is a finite number.")
    tail = models.PositiveIntegerField(default=0, help_text="The first point of its last chunk.")
    compact = models.BooleanField(default=False, help_text="Whether all its chunks are compressed and few.")

    class Meta:
        ordering = ("attempt", "behavior", "tag")
        verbose_name_plural = "series"
        constraints = (models.UniqueConstraint(fields=("attempt", "behavior", "tag"), name="series_unique"),)
        indexes = (models.Index(fields=("attempt",), condition=models.Q(compact=False), name="series_loose"),)

    def __str__(self) -> str:
        return f"{self.behavior} {self.tag}"


class SeriesChunk(models.Model):
    """Packed points of a series, one after the other (see `sessions.metrics.codec`).

    Those that come one by one are put into chunks of up to `POINTS`; compressed chunks hold at least `COMPACT_POINTS`,
    but for a last one.
    """

    POINTS = 250
    COMPACT_POINTS = 10_000

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="chunks")
    first = models.PositiveIntegerField(help_text="How many points of the series come before it.")
    count = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ("series", "first")
        constraints = (models.UniqueConstraint(fields=("series", "first"), name="chunk_unique"),)

    def __str__(self) -> str:
        return f"{self.series_id}/{self.first}"
