"""What was asked before a start: of trainers' parsers, and of environments."""

from __future__ import annotations

from django.db import models

from sessions.models.machine import Environment, Trainer


class ParserVerdict(models.Model):
    """Whether the parser of a trainer accepts a configuration; the same question is asked once."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of the trainer as it is installed, and the bytes.")
    trainer = models.ForeignKey(Trainer, on_delete=models.CASCADE)
    config = models.BinaryField()
    asked_at = models.DateTimeField(help_text="When a worker was last told to ask.")
    answered_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(null=True, blank=True, help_text="Unknown when the parser came to no end.")
    stage = models.CharField(max_length=20, blank=True, help_text="Where it was refused: import or configuration.")
    sentence = models.TextField(blank=True)
    fix = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.digest[:12]


class Connection(models.Model):
    """What a build answered when it was started for a moment; the same question is asked once."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of the build, its arguments and the trainer.")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="connections")
    trainer = models.ForeignKey(Trainer, on_delete=models.CASCADE)
    arguments = models.JSONField(default=list, blank=True, help_text="The build's own arguments.")
    sha256 = models.CharField(max_length=64, help_text="Of the build, as it was registered then.")
    asked_at = models.DateTimeField(help_text="When a worker was last told to connect.")
    answered_at = models.DateTimeField(null=True, blank=True)
    behaviors = models.JSONField(null=True, blank=True, help_text="Unknown when there was no answer.")
    sentence = models.TextField(blank=True, help_text="Why there was none.")
    fix = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.digest[:12]
