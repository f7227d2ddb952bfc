"""How good a checkpoint is, measured by letting it act; and what a model says of itself."""

from __future__ import annotations

from django.db import models

from sessions.models.session import Artifact, TrainingSession

STATES = [(state, state) for state in ("queued", "running", "done", "failed")]


class Evaluation(models.Model):
    """Episodes of one checkpoint that learned nothing meanwhile; the result outlives what was written for it."""

    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="evaluations")
    artifact = models.ForeignKey(Artifact, null=True, on_delete=models.SET_NULL, related_name="evaluations")
    behavior = models.CharField(max_length=255)
    step = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the checkpoint that acted.")
    seeds = models.JSONField(default=list)
    episodes = models.PositiveIntegerField(help_text="At least so many with each seed.")
    environment = models.CharField(max_length=100, blank=True, help_text="Its name; empty is the Unity Editor.")
    trainer = models.CharField(max_length=200)
    lessons = models.JSONField(default=dict, blank=True, help_text="The lesson of each parameter with a curriculum.")
    behaviors = models.JSONField(default=list, help_text="All that act, each with its nearest checkpoint.")
    state = models.CharField(max_length=10, choices=STATES, default="queued")
    reason = models.TextField(blank=True, help_text="Why it failed.")
    result = models.JSONField(default=dict, blank=True, help_text="Statistics of all episodes, by behavior.")
    asked_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=[s for s, _ in STATES]), name="evaluation_state_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.behavior} at {self.step} of {self.session_id}"


class EvaluationRun(models.Model):
    """The episodes with one seed: a session of their own, which is removed when they are counted."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="runs")
    seed = models.BigIntegerField()
    session = models.OneToOneField(TrainingSession, null=True, on_delete=models.SET_NULL, related_name="evaluation_run")
    run_id = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=STATES, default="queued")
    reason = models.TextField(blank=True)
    result = models.JSONField(default=dict, blank=True, help_text="Statistics, by behavior.")

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("evaluation", "seed"), name="evaluation_seed_unique"),
            models.CheckConstraint(condition=models.Q(state__in=[s for s, _ in STATES]), name="run_state_is_known"),
        )
        indexes = (models.Index(fields=("state",), name="evaluation_run_state"),)

    def __str__(self) -> str:
        return self.run_id


class ModelInspection(models.Model):
    """What an .onnx file says of itself; the same bytes are looked at once, whatever session they are of."""

    sha256 = models.CharField(max_length=64, unique=True)
    facts = models.JSONField(default=dict, blank=True)
    problem = models.TextField(blank=True, help_text="Why it says nothing.")
    asked_at = models.DateTimeField(help_text="When a worker was last told to look.")
    inspected_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.sha256[:12]
