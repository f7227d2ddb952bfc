"""What outlives sessions: the rules of how long they are kept, and what was removed."""

from __future__ import annotations

from django.db import models


class RetentionPolicy(models.Model):
    """How long sessions are kept; one row. A limit that is empty does not hold, and none holds unless `enabled`."""

    enabled = models.BooleanField(default=False)
    archive_days = models.PositiveIntegerField(null=True, blank=True)
    trash_days = models.PositiveIntegerField(null=True, blank=True)
    most_gb = models.FloatField(null=True, blank=True)
    keep_best = models.PositiveIntegerField(default=1)
    undo_days = models.PositiveIntegerField(default=7)
    changed_by = models.CharField(max_length=150, blank=True)
    ran_at = models.DateTimeField(null=True, blank=True, help_text="When all it asked for was last done.")

    class Meta:
        verbose_name_plural = "retention policy"

    def __str__(self) -> str:
        return "on" if self.enabled else "off"


class Removal(models.Model):
    """A session that was deleted for good: by whom, when, why, and what that freed."""

    run_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    project = models.CharField(max_length=100, blank=True)
    who = models.CharField(max_length=150)
    why = models.TextField(blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Empty while files are still being deleted.")
    freed_bytes = models.BigIntegerField(default=0)
    folder = models.CharField(max_length=1024, blank=True, help_text="Results folder of the user.")
    folder_deleted = models.BooleanField(default=False, help_text="Whether that folder went along.")

    class Meta:
        ordering = ("-asked_at", "-pk")

    def __str__(self) -> str:
        return self.run_id
