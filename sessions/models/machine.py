"""What a machine offers: trainers, environments, ports; and who watches it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Machine(models.Model):
    """A machine on which a supervisor works."""

    name = models.CharField(max_length=255, unique=True)
    supervisor_seen_at = models.DateTimeField(null=True, blank=True)
    supervisor_pid = models.PositiveIntegerField(null=True, blank=True)
    gpus = models.JSONField(default=list, blank=True, help_text="The names of its GPUs, in the order of their numbers.")
    disk_free = models.BigIntegerField(null=True, blank=True, help_text="Bytes, where runs are kept.")

    def __str__(self) -> str:
        return self.name


class Trainer(models.Model):
    """An installation that can train."""

    KINDS = (("mlagents", "ML-Agents"), ("practice", "Practice trainer"), ("imported", "Trained elsewhere"))
    ORIGINS = (
        ("option", "MENTOR_MLAGENTS_LEARN"),
        ("path", "PATH"),
        ("registered", "registered"),
        ("bundled", "bundled"),
        ("imported", "stands for trainers elsewhere"),
    )

    kind = models.CharField(max_length=20, choices=KINDS)
    name = models.CharField(max_length=100, unique=True)
    interpreter = models.CharField(max_length=1024)
    origin = models.CharField(max_length=20, choices=ORIGINS)
    version = models.CharField(max_length=50, blank=True)
    python_version = models.CharField(max_length=50, blank=True)
    torch_version = models.CharField(max_length=50, blank=True)
    problem = models.TextField(blank=True)
    probed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(fields=("kind", "interpreter"), name="one_trainer_per_interpreter"),)
        permissions = (("manage_environment", "May register trainers and environments"),)

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class Environment(models.Model):
    """A Unity build that trainers may start, as it was when it was registered."""

    name = models.CharField(max_length=100, unique=True)
    path = models.CharField(max_length=1024, unique=True)
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class OutsideCheckpoint(models.Model):
    """A checkpoint, a model, or a run's results folder that lies elsewhere, as it was when it was registered."""

    name = models.CharField(max_length=100, unique=True)
    path = models.CharField(max_length=1024, unique=True)
    kind = models.CharField(max_length=10, choices=(("pt", "checkpoint"), ("onnx", "model"), ("folder", "folder")))
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class PortLease(models.Model):
    """A port of a machine that an attempt holds until it has ended."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="leases")
    port = models.PositiveIntegerField()
    attempt = models.ForeignKey("training.Attempt", on_delete=models.CASCADE, related_name="leases")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("machine", "port"), name="one_lease_per_port"),)

    def __str__(self) -> str:
        return f"{self.machine_id}:{self.port}"


class SignInLink(models.Model):
    """A link that signs one user in, once. Only the digest of its token is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user_id}"
