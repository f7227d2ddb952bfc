"""Reports that were built: a file each, under MENTOR_HOME."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models


class Report(models.Model):
    """A report of one session."""

    session = models.ForeignKey("training.TrainingSession", on_delete=models.CASCADE, related_name="reports")
    title = models.CharField(max_length=200)
    name = models.CharField(max_length=255, help_text="File name in MENTOR_HOME/reports.")
    size = models.BigIntegerField()
    made_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-made_at",)
        constraints = (models.UniqueConstraint(fields=("session", "name"), name="report_name_unique"),)

    def __str__(self) -> str:
        return self.title

    @property
    def path(self) -> Path:
        return Path(settings.MENTOR_HOME) / "reports" / self.name
