"""What trainers' parsers said about configurations."""

from __future__ import annotations

from django.db import models

from sessions.models.machine import Trainer


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
