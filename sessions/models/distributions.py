"""Histograms and texts that a session wrote, as many of each series as are worth keeping."""

from __future__ import annotations

from django.db import models

from sessions.models.session import Attempt


class Kept(models.Model):
    """One of a series of one tag of one behavior in one attempt; `number` counts all that were written."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="%(class)ss")
    behavior = models.CharField(max_length=255)
    tag = models.CharField(max_length=255)
    number = models.PositiveIntegerField()
    step = models.BigIntegerField()
    wall_time = models.FloatField(null=True)

    class Meta:
        abstract = True
        ordering = ("attempt", "behavior", "tag", "number")
        constraints = (
            models.UniqueConstraint(fields=("attempt", "behavior", "tag", "number"), name="%(class)s_unique"),
        )

    def __str__(self) -> str:
        return f"{self.behavior} {self.tag} {self.step}"


class Histogram(Kept):
    """A distribution: left edge, right edge and count of each bucket as float32, compressed with zlib."""

    buckets = models.BinaryField()


class Text(Kept):
    """A text, such as the hyperparameters."""

    text = models.TextField()
