"""How fast a training is with several settings, measured by short trainings one after the other."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sessions.models.session import TrainingSession

STATES = [(state, state) for state in ("running", "done", "failed", "stopped")]
RUN_STATES = [(state, state) for state in ("queued", "running", "done", "failed", "stopped")]


class Trial(models.Model):
    """A search for the fastest settings of one training; the result outlives what was written for it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    session = models.ForeignKey(
        TrainingSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="trials", help_text="Like it."
    )
    run_id = models.CharField(
        max_length=64, help_text="Of the training that is to be faster, whether it exists or not."
    )
    trainer = models.ForeignKey("training.Trainer", on_delete=models.CASCADE)
    environment = models.ForeignKey("training.Environment", on_delete=models.CASCADE)
    config_name = models.CharField(max_length=255, blank=True)
    config = models.BinaryField()
    options = models.JSONField(default=dict)
    further = models.JSONField(default=dict, blank=True, help_text="Fields of a start that speed does not depend on.")
    present = models.JSONField(default=dict, help_text="The setting that a change is compared with.")
    seconds = models.FloatField(help_text="How long each setting is measured.")
    priority = models.IntegerField(default=0)
    state = models.CharField(max_length=10, choices=STATES, default="running")
    reason = models.TextField(blank=True, help_text="Why it ended without a result.")
    result = models.JSONField(default=dict, blank=True, help_text="What is proposed, and why.")
    asked_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=[s for s, _ in STATES]), name="trial_state_is_known"),
        )

    def __str__(self) -> str:
        return f"trial {self.pk} of {self.run_id}"


class TrialRun(models.Model):
    """One setting of a trial: a session of its own, which is removed when it was measured."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    setting = models.JSONField()
    session = models.OneToOneField(TrainingSession, null=True, on_delete=models.SET_NULL, related_name="trial_run")
    run_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=RUN_STATES, default="queued")
    reason = models.TextField(blank=True)
    beside = models.BooleanField(default=False, help_text="Whether other trainings ran meanwhile.")
    result = models.JSONField(default=dict, blank=True, help_text="Speed, its error, and what it took of the machine.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("trial", "number"), name="trial_number_unique"),
            models.CheckConstraint(
                condition=models.Q(state__in=[s for s, _ in RUN_STATES]), name="trial_run_state_is_known"
            ),
        )

    def __str__(self) -> str:
        return self.run_id or f"{self.trial_id}/{self.number}"
