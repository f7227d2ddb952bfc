"""Real deletion: a session in the trash is marked, then its files go, then its rows; each step may be repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from sessions.domain.states import ENDED, values
from sessions.errors import Conflict
from sessions.models import Removal, SeriesChunk, TrainingSession
from sessions.models.session import DELETING
from sessions.runtime.removing import remove_tree
from sessions.selectors.keeping import Leaving, is_shared, leaving, lives, own_folder, users_folder
from sessions.selectors.sessions import User, visible_sessions
from sessions.services import chores
from sessions.services.editing import require_permission

ROWS_AT_ONCE = 500
EMPTIED = "The trash was emptied."


@dataclass(frozen=True)
class Consent:
    """A results folder of a user that may be deleted too, as it was shown: where, and at most how many bytes."""

    folder: str
    size: int


def in_trash(user: User) -> list[TrainingSession]:
    """Return what the user may see in the trash, what was put there first, first."""
    return list(visible_sessions(user).filter(trashed_at__isnull=False).order_by("trashed_at", "pk"))


def empty_trash(
    *, by: User, run_ids: Sequence[str] | None = None, folders: Mapping[str, Consent] | None = None
) -> list[str]:
    """Delete sessions of the trash for good (all that the user may see, or those named); return their run ids.

    MENTOR's own files go with them. A results folder of the user, or one that was imported, goes only with a Consent
    that names it. Raises NotAllowed, and Conflict for a folder that is not what was consented to; then nothing goes.
    """
    require_permission(by, "training.delete_trainingsession")
    found = [one for one in in_trash(by) if run_ids is None or one.run_id in run_ids]
    along = {one.pk: _consented(one, (folders or {}).get(one.run_id)) for one in found}
    gone = [one.run_id for one in found if mark(one, who=by.get_username(), why=EMPTIED, folder=along[one.pk])]
    chores.upkeep_soon()
    return gone


def mark(session: TrainingSession, *, who: str, why: str, folder: Path | None = None) -> bool:
    """Let a session in the trash be deleted; from now on nobody sees it. False when it is no longer in the trash."""
    rows = TrainingSession.objects.filter(pk=session.pk, trashed_at__isnull=False, state__in=values(ENDED))
    left = users_folder(session)
    with transaction.atomic():
        chore = "delete_all" if folder else "delete"
        if not rows.exclude(chore__in=DELETING).update(chore=chore, chore_after=None, version=F("version") + 1):
            return False
        Removal.objects.create(
            run_id=session.run_id,
            name=session.name,
            project=session.project,
            who=who,
            why=why,
            folder=str(folder or left or ""),
        )
    return True


def _consented(session: TrainingSession, consent: Consent | None) -> Path | None:
    if consent is None:
        return None
    found: Leaving = leaving(session)
    if not found.folder or found.folder != consent.folder:
        raise Conflict(f"The results of {session.run_id} are not in {consent.folder}.", hint="Look at the trash again.")
    if found.folder_bytes > consent.size:
        raise Conflict(f"{found.folder} has grown since it was shown.", hint="Look at the trash again.")
    folder = Path(found.folder)
    if any(place.is_relative_to(folder) for place in (Path(settings.MENTOR_HOME).resolve(), Path.home())):
        raise Conflict(f"{folder} holds more than the results of {session.run_id}.")
    if is_shared(folder, session):
        raise Conflict(f"{folder} is shared with another session.", hint="Delete that one first, or leave the folder.")
    return folder


def remove_session(session: TrainingSession, *, deadline: float) -> bool:
    """Delete what is left of a session that is marked; False when the deadline came first, or it turned out to live.

    Raises OSError when a file cannot be deleted.
    """
    if lives(session):
        chores.postpone(session)
        return False
    for name in settings.MENTOR_ON_REMOVAL:
        import_string(name)(session.pk)
    if not _files_are_gone(session, deadline) or not _rows_are_gone(session, deadline):
        return False
    Removal.objects.filter(run_id=session.run_id, ended_at__isnull=True).update(ended_at=timezone.now())
    return True


def removed_folder() -> Path:
    """Return where run directories are put that are being deleted, so that nothing finds them any more."""
    return Path(settings.MENTOR_HOME) / "removed"


def _files_are_gone(session: TrainingSession, deadline: float) -> bool:
    removal = Removal.objects.filter(run_id=session.run_id, ended_at__isnull=True).order_by("-pk").first()
    own, aside = own_folder(session), removed_folder() / f"{session.pk}-{session.run_id}"
    if own.exists() and not own.is_symlink() and not aside.exists():
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        own.rename(aside)
    done = _remove(aside, removal, deadline)
    if done and session.chore == "delete_all" and removal and removal.folder:
        done = _remove(Path(removal.folder), removal, deadline)
        Removal.objects.filter(pk=removal.pk).update(folder_deleted=done)
    return done


def _remove(folder: Path, removal: Removal | None, deadline: float) -> bool:
    removed = remove_tree(folder, deadline=deadline)
    if removal and removed.freed_bytes:
        Removal.objects.filter(pk=removal.pk).update(freed_bytes=F("freed_bytes") + removed.freed_bytes)
    return removed.done


def _rows_are_gone(session: TrainingSession, deadline: float) -> bool:
    """Delete the rows, the many ones first and a few hundred at a time."""
    chunks = SeriesChunk.objects.filter(series__attempt__session=session)
    while keys := list(chunks.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        SeriesChunk.objects.filter(pk__in=keys).delete()
        if monotonic() > deadline:
            return False
    TrainingSession.objects.filter(pk=session.pk, chore__in=DELETING).delete()
    return True
