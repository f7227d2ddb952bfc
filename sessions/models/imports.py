"""Folders of results that were adopted, and the runs that were found in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sessions.models.machine import Machine
from sessions.models.session import TrainingSession


class Import(models.Model):
    """A folder whose runs are in the history; looked at again, so that what is added to it is seen."""

    # Waiting: a look was asked for. Working: one is under way; it goes on after `cursor`.
    STATES = (("waiting", "waiting"), ("working", "working"), ("done", "done"), ("gone", "not there now"))

    machine = models.ForeignKey(Machine, on_delete=models.PROTECT)
    folder = models.CharField(max_length=1024)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    asked_at = models.DateTimeField(auto_now_add=True)
    copy = models.BooleanField(default=False, help_text="Whether the files are copied to MENTOR_HOME.")
    follow = models.BooleanField(default=True, help_text="Whether it is looked at again.")
    tags = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=10, choices=STATES, default="waiting")
    again = models.BooleanField(default=False, help_text="Asked for while a look was under way.")
    worked_at = models.DateTimeField(null=True, blank=True, help_text="The last sign of work on it.")
    cursor = models.JSONField(null=True, blank=True, help_text="The last folder that was done with, as its parts.")
    now_at = models.CharField(max_length=1024, blank=True, help_text="Where the look is.")
    entries = models.BigIntegerField(default=0, help_text="Files and folders that were looked at.")
    found = models.PositiveIntegerField(default=0)
    imported = models.PositiveIntegerField(default=0)
    grown = models.PositiveIntegerField(default=0, help_text="Known, and with something new.")
    known = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    remarks = models.JSONField(default=list, blank=True, help_text="Folders that were refused or cut, and why.")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="When the last look began.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it ended.")

    class Meta:
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("machine", "folder", "copy"), name="one_import_per_folder"),)

    def __str__(self) -> str:
        return self.folder


class ImportedRun(models.Model):
    """Where a run was found that became a session."""

    session = models.OneToOneField(
        TrainingSession,
        null=True,
        on_delete=models.SET_NULL,
        related_name="found_as",
        help_text="Empty once it was deleted: then it is not adopted again by itself.",
    )
    source = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="runs")
    folder = models.CharField(max_length=1024, help_text="Where it was found; below it are its event files.")
    name = models.CharField(max_length=255, help_text="Its name there.")
    format = models.CharField(max_length=20)
    version = models.CharField(max_length=50, blank=True, help_text="Of ML-Agents, as far as its files say.")
    stamp = models.CharField(max_length=32, blank=True, help_text="Digest of names, sizes and times when last read.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("folder", "name"), name="one_session_per_found_run"),)

    def __str__(self) -> str:
        return self.folder
