"""Configurations that users keep under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class KeptConfig(models.Model):
    """One version of a named configuration; never changed, another text becomes the next version."""

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    text = models.TextField()
    kept_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "-version")
        constraints = (models.UniqueConstraint(fields=("name", "version"), name="one_text_per_version"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"
