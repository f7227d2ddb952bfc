"""All files of a session: what is in its results folder and beside its attempts, found by looking, never by a path.

A file has an id that only a fresh look can turn into a path again: a keyed digest of where it lies. Links are not
followed, and what MENTOR itself keeps beside an attempt is not a file of the run.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from sessions.errors import Missing
from sessions.models import TrainingSession
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.files import results_of

MOST_FILES = 3000
# Looked at in all, folders included: a folder of a million entries costs no more than this.
MOST_ENTRIES = 10_000
MOST_DEPTH = 12
SALT = "sessions.run_files"
# Of an attempt's folder; the rest of it is how MENTOR and the shim talk to each other.
OF_ATTEMPTS = re.compile(
    r"console\.log|config\.yaml|config\.given\.yaml|shim\.error\.txt|.+\.(?:demo|mp4|webm|gif|csv)"
)
PLAYER_LOG = re.compile(r"Player-(0|[1-9][0-9]{0,3})\.log")
EVENTS = "events.out.tfevents."
NAMED = {
    "configuration.yaml": "configuration",
    "config.yaml": "configuration",
    "config.given.yaml": "configuration",
    "training_status.json": "status",
    "timers.json": "timers",
    "console.log": "console",
}
BY_ENDING = {
    ".demo": "demonstration",
    ".mp4": "video",
    ".webm": "video",
    ".gif": "video",
    ".csv": "csv",
    ".onnx": "model",
    ".nn": "model",
    ".pt": "checkpoint",
    ".ckpt": "checkpoint",
}
# In this order they are listed.
KINDS = (
    "configuration", "status", "timers", "console", "player_log", "video", "demonstration", "csv", "model",
    "checkpoint", "events", "other",
)  # fmt: skip
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class RunFile:
    """A file as it was when it was looked at: its path, and where that is below its root."""

    path: Path
    place: str
    size: int
    modified: float


@dataclass(frozen=True)
class RunFileShape:
    """A file as API and pages show it. `name` is for people: it begins with results/ or attempts/N/."""

    id: str
    name: str
    kind: str
    size: int
    modified_at: datetime
    url: str


@dataclass(frozen=True)
class Listing:
    """The files of a session; `complete` is false when there are more than are looked at."""

    files: list[RunFileShape]
    complete: bool


def listing_of(session: TrainingSession) -> Listing:
    """Return the files of a session, by kind and name."""
    found = list(islice(run_files(session), MOST_FILES + 1))
    shapes = [_shape(session, one) for one in found[:MOST_FILES]]
    order = {kind: number for number, kind in enumerate(KINDS)}
    shapes.sort(key=lambda one: (order[one.kind], one.name))
    return Listing(shapes, len(found) <= MOST_FILES)


def run_file(session: TrainingSession, key: str) -> RunFile:
    """Return the file with that id as it is now; raises Missing when a fresh look does not find it."""
    for one in run_files(session):
        if constant_time_compare(_id(session, one.place), key):
            return one
    raise Missing("There is no such file.", hint="Look at the list again: files come and go while a session trains.")


def folder_of_results(session: TrainingSession, name: str = "") -> Path | None:
    """Return a folder of the results, or that of all of them; None when there is none, or when it leads out of it."""
    results = results_of(session)
    if results is None:
        return None
    root = os.path.realpath(results)
    folder = Path(os.path.realpath(Path(root, name)))
    return folder if folder.is_dir() and folder.is_relative_to(root) else None


def run_files(session: TrainingSession) -> Iterator[RunFile]:
    """Yield the regular files of a session, those nearest to a root first."""
    results = results_of(session)
    if results is not None:
        yield from _below(results, "results")
    run = RunDirectory(settings.MENTOR_HOME, session.run_id)
    for number in session.attempts.order_by("number").values_list("number", flat=True):
        for one in _below(run.attempt(number).path, f"attempts/{number}"):
            if OF_ATTEMPTS.fullmatch(one.path.name):
                yield one


def _below(folder: Path, name: str) -> Iterator[RunFile]:
    root = os.path.realpath(folder)
    waiting = deque([(root, name, 0)])
    left = MOST_ENTRIES
    while waiting and left > 0:
        path, place, depth = waiting.popleft()
        entries = _entries(path, left)
        left -= len(entries)
        for entry in entries:
            below = f"{place}/{entry.name}"
            if _is_folder(entry):
                if depth < MOST_DEPTH and os.path.realpath(entry.path) == os.path.join(path, entry.name):  # noqa: PTH118
                    waiting.append((entry.path, below, depth + 1))
            elif (file := _file(entry, below)) is not None:
                yield file


def _entries(path: str, most: int) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(islice(entries, most), key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _file(entry: os.DirEntry[str], place: str) -> RunFile | None:
    try:
        if not entry.is_file(follow_symlinks=False):
            return None
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return RunFile(Path(entry.path), place, about.st_size, about.st_mtime)


def _id(session: TrainingSession, place: str) -> str:
    secret = f"{session.pk}:".encode() + os.fsencode(place)
    return salted_hmac(SALT, secret, algorithm="sha256").hexdigest()[:32]


def kind_of(name: str) -> str:
    """Return what a file is, by its name."""
    if PLAYER_LOG.fullmatch(name):
        return "player_log"
    if name.startswith(EVENTS):
        return "events"
    return NAMED.get(name) or BY_ENDING.get(os.path.splitext(name)[1].lower(), "other")  # noqa: PTH122


def _shape(session: TrainingSession, file: RunFile) -> RunFileShape:
    key = _id(session, file.place)
    return RunFileShape(
        id=key,
        name=printable(file.place),
        kind=kind_of(file.path.name),
        size=file.size,
        modified_at=_moment(file.modified),
        url=reverse("api:file", args=[session.run_id, key]),
    )


def printable(name: str) -> str:
    """Return a name as text that can be shown: bytes that are no text and characters that mislead are replaced."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", os.fsencode(name).decode("utf-8", "replace"))


def _moment(seconds: float) -> datetime:
    """The moment of a change; a clock that was nowhere near is taken for the beginning of time."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)
