"""All models, to look at. Changes go through services, so rows cannot be added or edited here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_q import models as queue

from sessions import models

ADMIN_TITLE = "MENTOR administration"
admin.site.site_header = admin.site.site_title = ADMIN_TITLE


if TYPE_CHECKING:  # generic for the type checker only

    class Page(admin.ModelAdmin[Any]): ...

    class Inline(admin.TabularInline[Any, Any]): ...
else:
    Page, Inline = admin.ModelAdmin, admin.TabularInline


class ReadOnly(Page):
    """Shows rows; adds, changes and deletes none."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Part(Inline):
    """Rows of a session, shown on its page."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AttemptPart(Part):
    model = models.Attempt
    fk_name = "session"
    fields = readonly_fields = ("number", "state", "exit_code", "started_at", "ended_at", "supervised")


class BehaviorPart(Part):
    model = models.BehaviorProgress
    fields = readonly_fields = ("name", "step", "max_steps", "mean_reward", "std_reward")


class EventPart(Part):
    model = models.SessionEvent
    fields = readonly_fields = ("at", "from_state", "to_state", "who", "why")


@admin.register(models.TrainingSession)
class TrainingSessionAdmin(ReadOnly):
    list_display = ("run_id", "state", "trainer", "environment", "owner", "created_at", "ended_at")
    list_filter = ("state", "trainer", "environment")
    search_fields = ("run_id", "name", "notes")
    exclude = ("config_given", "config_used")
    inlines = (AttemptPart, BehaviorPart, EventPart)


@admin.register(models.Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("session", "number", "state", "exit_code", "machine", "started_at", "ended_at")
    list_filter = ("state", "machine")
    search_fields = ("session__run_id",)


@admin.register(models.SessionEvent)
class SessionEventAdmin(ReadOnly):
    list_display = ("at", "session", "from_state", "to_state", "who", "why")
    search_fields = ("session__run_id", "who", "why")


@admin.register(models.BehaviorProgress)
class BehaviorProgressAdmin(ReadOnly):
    list_display = ("session", "name", "step", "max_steps", "mean_reward", "std_reward")
    search_fields = ("name", "session__run_id")


@admin.register(models.Artifact)
class ArtifactAdmin(ReadOnly):
    list_display = ("session", "path", "kind", "step", "size", "final", "kept", "released_at", "present")
    list_filter = ("kind", "final", "kept", "present")
    search_fields = ("session__run_id", "path")


@admin.register(models.Series)
class SeriesAdmin(ReadOnly):
    list_display = ("attempt", "behavior", "tag", "count", "last_step", "last_value", "min_value", "max_value")
    search_fields = ("behavior", "tag")


@admin.register(models.SeriesChunk)
class SeriesChunkAdmin(ReadOnly):
    list_display = ("series", "first", "count")


@admin.register(models.Histogram, models.Text)
class KeptAdmin(ReadOnly):
    list_display = ("attempt", "behavior", "tag", "step")
    search_fields = ("behavior", "tag")


@admin.register(models.EventFile)
class EventFileAdmin(ReadOnly):
    list_display = ("attempt", "path", "offset", "skipped")


@admin.register(models.Import)
class ImportAdmin(ReadOnly):
    list_display = ("folder", "machine", "state", "follow", "asked_by", "asked_at", "found", "imported")
    list_filter = ("state", "follow", "machine")
    search_fields = ("folder",)


@admin.register(models.ImportedRun)
class ImportedRunAdmin(ReadOnly):
    list_display = ("session", "folder", "name", "format", "version")
    list_filter = ("format",)
    search_fields = ("folder", "session__run_id")


@admin.register(models.Removal)
class RemovalAdmin(ReadOnly):
    list_display = ("run_id", "asked_at", "ended_at", "who", "why", "freed_bytes", "folder", "folder_deleted")
    search_fields = ("run_id", "who")


@admin.register(models.RetentionPolicy)
class RetentionPolicyAdmin(ReadOnly):
    list_display = (
        "enabled",
        "archive_days",
        "trash_days",
        "most_gb",
        "keep_best",
        "undo_days",
        "changed_by",
        "ran_at",
    )


@admin.register(models.Trainer)
class TrainerAdmin(ReadOnly):
    list_display = ("name", "kind", "version", "python_version", "origin", "problem")


@admin.register(models.Environment)
class EnvironmentAdmin(ReadOnly):
    list_display = ("name", "path", "size", "registered_by", "registered_at")


@admin.register(models.OutsideCheckpoint)
class OutsideCheckpointAdmin(ReadOnly):
    list_display = ("name", "kind", "path", "size", "registered_by", "registered_at")


@admin.register(models.Evaluation)
class EvaluationAdmin(ReadOnly):
    list_display = ("session", "behavior", "step", "state", "episodes", "asked_by", "created_at")
    list_filter = ("state",)
    search_fields = ("session__run_id", "behavior")


@admin.register(models.EvaluationRun)
class EvaluationRunAdmin(ReadOnly):
    list_display = ("run_id", "seed", "state", "reason")
    list_filter = ("state",)
    search_fields = ("run_id",)


@admin.register(models.ModelInspection)
class ModelInspectionAdmin(ReadOnly):
    list_display = ("sha256", "problem", "asked_at", "inspected_at")
    search_fields = ("sha256", "problem")


@admin.register(models.KeptConfig)
class KeptConfigAdmin(ReadOnly):
    list_display = ("name", "version", "kept_by", "kept_at")
    search_fields = ("name",)


@admin.register(models.HealthFinding)
class HealthFindingAdmin(ReadOnly):
    list_display = ("title", "behavior", "attempt", "step", "noticed_at")
    list_filter = ("kind",)
    list_select_related = ("attempt__session",)


@admin.register(models.TaughtCause)
class TaughtCauseAdmin(ReadOnly):
    list_display = ("title", "text", "taught_by", "taught_at")
    search_fields = ("title", "text")


@admin.register(models.Machine)
class MachineAdmin(ReadOnly):
    list_display = ("name", "supervisor_seen_at", "supervisor_pid")


@admin.register(models.ParserVerdict)
class ParserVerdictAdmin(ReadOnly):
    list_display = ("digest", "trainer", "accepted", "sentence", "asked_at", "answered_at")
    search_fields = ("digest", "sentence")
    exclude = ("config",)


@admin.register(models.Connection)
class ConnectionAdmin(ReadOnly):
    list_display = ("environment", "trainer", "arguments", "sentence", "asked_at", "answered_at")
    list_select_related = ("environment", "trainer")
    search_fields = ("environment__name", "sentence")


class TrialRunPart(Part):
    model = models.TrialRun
    fields = readonly_fields = ("number", "setting", "run_id", "state", "reason")


@admin.register(models.Trial)
class TrialAdmin(ReadOnly):
    list_display = ("run_id", "state", "reason", "asked_by", "created_at", "ended_at")
    inlines = (TrialRunPart,)
    exclude = ("config",)


@admin.register(models.TrialRun)
class TrialRunAdmin(ReadOnly):
    list_display = ("run_id", "trial", "number", "setting", "state", "reason")


@admin.register(models.PortLease)
class PortLeaseAdmin(ReadOnly):
    list_display = ("machine", "port", "attempt")


@admin.register(models.SignInLink)
class SignInLinkAdmin(ReadOnly):
    list_display = ("user", "expires_at", "used_at")
    exclude = ("digest",)


# django-q2's own pages let staff schedule any function by name, which is running any program.
for model in (queue.Schedule, queue.Success, queue.Failure, queue.OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
