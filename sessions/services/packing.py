"""The files of archived sessions compressed, and brought back, in slices that may be killed at any moment."""

from __future__ import annotations

from pathlib import Path

from sessions.domain.states import State
from sessions.models import TrainingSession
from sessions.runtime.packing import pack, unpack, unpacked
from sessions.runtime.removing import bytes_in
from sessions.selectors.keeping import files_to_pack, own_folder, packed_files
from sessions.services import chores
from sessions.services.transitions import record

WHO = "upkeep"


def pack_session(session: TrainingSession, *, deadline: float) -> bool:
    """Compress the session's consoles, Player logs and event files; False when the deadline came first.

    Checkpoints stay as they are. Raises OSError when a file cannot be compressed; it is then as it was.
    """
    folder = own_folder(session)
    if not all(pack(path, deadline=deadline) for path in list(files_to_pack(folder))):
        return False
    files = list(packed_files(folder))
    saved = sum(_saved_by(path) for path in files)
    if chores.finish(session, packed_bytes=saved, disk_bytes=bytes_in(folder)):
        _tell(session, f"Compressed {len(files)} files; they take {saved:,} bytes less.")
    return True


def unpack_session(session: TrainingSession, *, deadline: float) -> bool:
    """Bring the session's compressed files back; False when the deadline came first. Raises OSError."""
    folder = own_folder(session)
    if not unpack_folder(folder, deadline=deadline):
        return False
    if chores.finish(session, packed_bytes=0, disk_bytes=None):
        _tell(session, "Its files are as they were before they were compressed.")
    return True


def unpack_folder(folder: Path, *, deadline: float = float("inf")) -> bool:
    """Bring back what is compressed in a run directory; False when the deadline came first. Raises OSError."""
    return all(unpack(path, deadline=deadline) for path in list(packed_files(folder)))


def _saved_by(path: Path) -> int:
    with unpacked(path) as file:
        return file.seek(0, 2) - path.stat().st_size


def _tell(session: TrainingSession, why: str) -> None:
    state = State(TrainingSession.objects.values_list("state", flat=True).get(pk=session.pk))
    record(session.pk, None, state, state, who=WHO, why=why)
