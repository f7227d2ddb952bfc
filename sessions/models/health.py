"""What was noticed of trainings while they ran."""

from __future__ import annotations

from django.db import models

from sessions.models.session import Attempt


class HealthFinding(models.Model):
    """Something that was wrong with a behavior of an attempt; each kind is kept once, as it was first noticed."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="health_findings")
    behavior = models.CharField(max_length=255)
    kind = models.CharField(max_length=30, help_text="The name of the rule that found it.")
    tag = models.CharField(max_length=255, blank=True, help_text="The curve that tells of it; empty when none does.")
    step = models.BigIntegerField(help_text="Since when it holds.")
    at = models.FloatField(help_text="The wall time of that step, seconds since 1970.")
    title = models.CharField(max_length=100)
    why = models.TextField()
    fix = models.TextField()
    noticed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("noticed_at", "pk")
        constraints = (models.UniqueConstraint(fields=("attempt", "behavior", "kind"), name="finding_told_once"),)

    def __str__(self) -> str:
        return f"{self.behavior}: {self.title}"
