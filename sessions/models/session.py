"""Sessions, their attempts, what happened to them and what they left behind."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from sessions.domain.states import ENDED, State, values

# A restart is a rule's: save, end, and go on in a further attempt.
WISHES = [(wish, wish) for wish in ("run", "stop", "kill", "pause", "restart")]
# The words in which a session says what it waits for.
REASONS = [(reason, reason) for reason in ("release", "time", "session", "slot", "Editor", "port", "disk")]
# Where a session comes from: a user started it, it was found on disk, or it is a part of an evaluation or of a trial,
# which shows it.
EVALUATION, TRIAL = "evaluation", "trial"
# These are removed with all their files once they have told what they were started for.
THROWN_AWAY = (EVALUATION, TRIAL)
ORIGINS = (
    ("mentor", "started here"),
    ("imported", "imported"),
    (EVALUATION, "of an evaluation"),
    (TRIAL, "of a trial"),
)
# What MENTOR still has to do to a session's files; `delete_all` includes the results folder of its user.
CHORES = (("pack", "compress"), ("unpack", "decompress"), ("delete", "delete"), ("delete_all", "delete with results"))
DELETING = ("delete", "delete_all")
STATES = [(state.value, state.value.replace("_", " ")) for state in State]


def last_place() -> int:
    """Return a place in the queue behind all that were given before: the time in microseconds."""
    return time.time_ns() // 1000


class TrainingSession(models.Model):
    """One training under one run id: what a user starts, watches, resumes."""

    run_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    project = models.CharField(max_length=100, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    origin = models.CharField(max_length=10, choices=ORIGINS, default="mentor")
    state = models.CharField(max_length=20, choices=STATES, default=State.QUEUED.value)
    explanation = models.TextField(blank=True)
    wanted = models.CharField(max_length=7, choices=WISHES, default="run")
    trainer = models.ForeignKey("training.Trainer", on_delete=models.PROTECT)
    environment = models.ForeignKey(
        "training.Environment",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="Empty is Editor mode.",
    )
    config_name = models.CharField(max_length=255, blank=True)
    config_given = models.BinaryField()
    config_used = models.BinaryField()
    options = models.JSONField(default=dict)
    rules = models.JSONField(default=dict, blank=True, help_text="What MENTOR may do unattended.")
    priority = models.IntegerField(default=0)
    place = models.BigIntegerField(default=last_place, help_text="Among those of its priority, the smallest is next.")
    held = models.BooleanField(default=False, help_text="Keeps its place, but is not started.")
    waits_for = models.CharField(max_length=10, choices=REASONS, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True, help_text="Out of the lists, but kept and findable.")
    trashed_at = models.DateTimeField(null=True, blank=True)
    chore = models.CharField(
        max_length=10, choices=CHORES, blank=True, help_text="What is still to be done to its files."
    )
    chore_after = models.DateTimeField(null=True, blank=True, help_text="When a chore that failed is tried again.")
    disk_bytes = models.BigIntegerField(null=True, blank=True, help_text="Taken by MENTOR's own files, once measured.")
    packed_bytes = models.BigIntegerField(default=0, help_text="How much smaller its files are for being compressed.")
    steps_per_second = models.FloatField(null=True, blank=True)
    # Grows with every stored change, so that a page can ask for what is newer than it has seen.
    version = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(Lower("run_id"), name="run_id_unique_whatever_the_case"),
            models.CheckConstraint(condition=Q(state__in=[s for s, _ in STATES]), name="session_state_is_known"),
        )
        indexes = (
            models.Index(fields=("state", "-priority", "place"), name="session_queue"),
            models.Index(fields=("-created_at",), name="session_newest"),
            # All that the history is ordered by and mostly filtered by: it is listed without reading a row.
            models.Index(
                fields=(
                    "trashed_at",
                    "archived_at",
                    "-created_at",
                    "chore",
                    "origin",
                    "state",
                    "ended_at",
                    "priority",
                    "run_id",
                    "trainer",
                    "environment",
                    "owner",
                ),
                name="session_list",
            ),
            models.Index(
                fields=("project", "trashed_at", "archived_at", "-created_at", "chore", "origin"),
                name="session_project",
            ),
            models.Index(fields=("chore",), condition=~Q(chore=""), name="session_chore"),
        )
        permissions = (
            ("start_session", "May start and resume sessions"),
            ("stop_session", "May stop sessions"),
        )

    def __str__(self) -> str:
        return self.run_id

    def get_absolute_url(self) -> str:
        return reverse("sessions:detail", args=[self.run_id])

    @property
    def mode(self) -> str:
        return "editor" if self.environment_id is None else "executable"


class Attempt(models.Model):
    """One start of a session's process."""

    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=STATES, default=State.QUEUED.value)
    machine = models.ForeignKey("training.Machine", null=True, blank=True, on_delete=models.PROTECT)
    cookie = models.CharField(max_length=64, unique=True)
    not_before = models.DateTimeField(null=True, blank=True, help_text="Waits in the queue until then.")
    after = models.ForeignKey(
        TrainingSession,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="followers",
        help_text="Waits in the queue until this session has ended.",
    )
    automatic = models.BooleanField(default=False, help_text="Queued by a rule, after a crash.")
    resume = models.BooleanField(default=False)
    force = models.BooleanField(default=False)
    command = models.JSONField(default=list, help_text="mlagents-learn and its arguments.")
    base_port = models.PositiveIntegerField(null=True, blank=True)
    device = models.CharField(max_length=20, blank=True, help_text="The GPU it was given; empty leaves it to PyTorch.")
    results_dir = models.CharField(
        max_length=1024,
        blank=True,
        help_text="What mlagents-learn is given as --results-dir; of an imported session, its folder itself.",
    )
    supervised = models.BooleanField(default=True)
    exit_code = models.BigIntegerField(null=True, blank=True)
    granted_at = models.DateTimeField(null=True, blank=True)
    launched_at = models.DateTimeField(null=True, blank=True, help_text="When the launch task took it.")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    stop_asked_at = models.DateTimeField(null=True, blank=True)
    stop_asked_by = models.CharField(max_length=150, blank=True)
    interrupted = models.BooleanField(default=False)
    environment_restarts = models.PositiveIntegerField(default=0, help_text="How often the trainer restarted one.")
    progressed_at = models.DateTimeField(null=True, blank=True, help_text="When a behavior's step last grew.")
    failure = models.TextField(blank=True)
    alarm = models.TextField(blank=True, help_text="What a person should look at.")
    saved = models.JSONField(default=list)
    starts_from = models.JSONField(default=list, blank=True, help_text="Chosen checkpoints that it starts from.")
    console_offset = models.BigIntegerField(default=0, help_text="Bytes of console.log that are understood.")
    console_size = models.BigIntegerField(null=True, blank=True)
    console_crc32 = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("session", "number")
        constraints = (
            models.UniqueConstraint(fields=("session", "number"), name="attempt_number_unique"),
            models.UniqueConstraint(
                fields=("session",),
                condition=~Q(state__in=values(ENDED)),
                name="one_unfinished_attempt_per_session",
            ),
            models.CheckConstraint(condition=Q(state__in=[s for s, _ in STATES]), name="attempt_state_is_known"),
        )
        indexes = (models.Index(fields=("state",), name="attempt_state"),)

    def __str__(self) -> str:
        return f"{self.session_id}/{self.number}"

    @property
    def results(self) -> Path:
        """Where the session's results are: behaviors' folders, models, run_logs."""
        imported = self.session.origin == "imported"
        return Path(self.results_dir) if imported else Path(self.results_dir, self.session.run_id)


class SessionEvent(models.Model):
    """A change of state: when, from what to what, by whom and why."""

    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="events")
    attempt = models.ForeignKey(Attempt, null=True, blank=True, on_delete=models.CASCADE)
    at = models.DateTimeField(auto_now_add=True)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    who = models.CharField(max_length=150)
    why = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.session_id}: {self.from_state} to {self.to_state}"


class Artifact(models.Model):
    """A file of the results tree that is worth keeping: a model or a checkpoint."""

    KINDS = (("onnx", "model"), ("pt", "checkpoint"))

    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="artifacts")
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.SET_NULL)
    path = models.CharField(
        max_length=1024,
        help_text="Below the results folder, of a kept one below the run directory; forward slashes.",
    )
    behavior = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=KINDS)
    step = models.BigIntegerField(null=True, blank=True)
    reward = models.FloatField(null=True, blank=True, help_text="What ML-Agents says itself.")
    smoothed = models.FloatField(null=True, blank=True, help_text="The reward of the summaries before its step.")
    score = models.FloatField(null=True, blank=True, help_text="The same of the tag by which the best are kept.")
    final = models.BooleanField(default=False)
    kept = models.BooleanField(default=False, help_text="MENTOR's own: what ML-Agents removes stays here.")
    condition = models.CharField(max_length=10, blank=True, help_text="From its bytes; empty is not looked at yet.")
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True)
    released_note = models.TextField(blank=True)
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    present = models.BooleanField(default=True)
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("behavior", "-final", "-step", "path")
        constraints = (models.UniqueConstraint(fields=("session", "path"), name="artifact_path_unique"),)

    def __str__(self) -> str:
        return self.path
