"""Imports as a user may see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from sessions.domain.results_layout import FORMATS
from sessions.errors import Missing
from sessions.models import Import, ImportedRun, TrainingSession

WORDS = {
    "waiting": "Waits for the worker.",
    "working": "Is being looked through.",
    "done": "In the history.",
    "gone": "The folder is not there now. What was imported stays in the history.",
}


@dataclass(frozen=True)
class RemarkShape:
    """A folder of which something is not in the history, and why."""

    folder: str
    why: str


@dataclass(frozen=True)
class ImportShape:
    """One folder that was adopted, and what the last look at it found; counts are of runs."""

    id: int
    folder: str
    state: str
    explanation: str
    copy: bool
    follow: bool = field(metadata={"help": "Whether it is looked at again by itself."})
    tags: list[str]
    asked_by: str | None
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    now_at: str = field(metadata={"help": "While it is looked through: the folder below, where the look is."})
    entries: int = field(metadata={"help": "Files and folders that were looked at."})
    found: int
    imported: int
    grown: int = field(metadata={"help": "Known before, and with something new."})
    known: int
    refused: int
    remarks: list[RemarkShape] = field(metadata={"help": "The first of what was refused or left out."})

    @property
    def is_open(self) -> bool:
        """Whether somebody works on it, or will."""
        return self.state in ("waiting", "working")


@dataclass(frozen=True)
class SourceShape:
    """Where an imported session was found."""

    folder: str
    name: str
    format: str
    version: str
    followed: bool


def visible_imports(user: User | AnonymousUser) -> QuerySet[Import]:
    """Return the imports a user may see: all with the permission to view sessions, else only the user's own."""
    if not user.is_authenticated:
        return Import.objects.none()
    found = Import.objects.select_related("asked_by")
    return found if user.has_perm("training.view_trainingsession") else found.filter(Q(asked_by_id=user.pk))


def import_with(key: int, user: User | AnonymousUser) -> Import:
    """Return one visible import; raises Missing when there is none."""
    found = visible_imports(user).filter(pk=key).first()
    if found is None:
        raise Missing("There is no such import.")
    return found


def import_shape(one: Import) -> ImportShape:
    """Return the import as page and API show it."""
    names = (
        "folder", "state", "copy", "follow", "tags", "asked_at", "begun_at", "ended_at", "entries", "found", "imported",
        "grown", "known", "refused",
    )  # fmt: skip
    return ImportShape(
        id=one.pk,
        explanation=WORDS[one.state],
        asked_by=one.asked_by.get_username() if one.asked_by else None,
        now_at=one.now_at if one.state == "working" else "",
        remarks=[RemarkShape(folder, why) for folder, why in one.remarks],
        **{name: getattr(one, name) for name in names},
    )


def import_shapes(user: User | AnonymousUser) -> list[ImportShape]:
    """Return all imports a user may see, the newest first."""
    return [import_shape(one) for one in visible_imports(user)]


def source_of(session: TrainingSession) -> SourceShape | None:
    """Return where a session was found; None for one that MENTOR started."""
    found = ImportedRun.objects.filter(session=session).select_related("source").first()
    if found is None:
        return None
    followed = found.source is not None and found.source.follow
    return SourceShape(found.folder, found.name, FORMATS.get(found.format, found.format), found.version, followed)
