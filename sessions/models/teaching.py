"""What users taught MENTOR about failures."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class TaughtCause(models.Model):
    """A cause that a user knows by a text in the console; it comes before those of the catalogue."""

    text = models.CharField(max_length=300, unique=True, help_text="Looked for as it stands, capitals counted.")
    title = models.CharField(max_length=200)
    cause = models.TextField(max_length=2000, blank=True)
    fix = models.TextField(max_length=2000)
    taught_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    taught_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("title", "pk")

    def __str__(self) -> str:
        return self.title
