"""Checkpoints from elsewhere: listed by name, place and digest, and never loaded here. An unpickled one is code.

They are looked at again whenever one is used; what has changed since is refused.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from django.contrib.auth.models import User

from sessions.errors import InvalidInput, InvalidStart, NotAllowed
from sessions.models import OutsideCheckpoint
from sessions.selectors.outside import checkpoint_files
from sessions.services.artifacts import KINDS, condition_of, sha256_of
from sessions.services.config_files import local_path
from sessions.services.staging import TROUBLE, Chosen, looked_at
from sessions.trainers.checkpoints import CURRENT, Condition

NAME = re.compile(r"[^\W_][\w .()+-]{0,99}")
# A digest is made while somebody waits for it.
MOST_BYTES = 4 << 30
MOST_BEHAVIORS = 100


def register(text: str, *, by: User, name: str = "") -> OutsideCheckpoint:
    """Remember a .pt or .onnx file, or a run's results folder, as it is now, and return it.

    Raises NotAllowed, or InvalidInput with sentences by field.
    """
    if not by.has_perm("training.manage_environment"):
        raise NotAllowed("You may not register checkpoints.", hint="Ask an administrator.")
    try:
        path = local_path(text.strip())
    except InvalidStart as error:
        raise _wrong("path", error.detail) from error
    known = OutsideCheckpoint.objects.filter(path=str(path)).first()
    name = name.strip() or (known.name if known else _free_name(path))
    _check_name(name, path)
    try:
        columns = _folder(path) if path.is_dir() else _file(path)
    except OSError as error:
        raise _wrong("path", f"{path} cannot be read: {error.strerror or error}.") from error
    columns |= {"name": name, "registered_by": by}
    return OutsideCheckpoint.objects.update_or_create(path=str(path), defaults=columns)[0]


def forget(checkpoint: OutsideCheckpoint, *, by: User) -> None:
    """Take a checkpoint off the list; its file stays. Raises NotAllowed."""
    if not by.has_perm("training.manage_environment"):
        raise NotAllowed("You may not take checkpoints off the list.", hint="Ask an administrator.")
    checkpoint.delete()


def checkpoints_in(name: str) -> list[Chosen]:
    """Return what a training can start from by this name; raises InvalidInput when it is gone or has changed."""
    known = OutsideCheckpoint.objects.filter(name=name).first()
    if known is None:
        raise InvalidInput(f"No checkpoint from outside is called {name}.")
    if known.kind == "onnx":
        raise InvalidInput(f"{name} is a model; a training starts from a .pt file.")
    path = Path(known.path)
    if known.kind == "pt":
        return [Chosen(_behavior_of(path), path, looked_at(path, name, known.sha256), name)]
    files = checkpoint_files(path)
    found = [Chosen(one.parent.name, one, looked_at(one, f"{name}, {one.parent.name}"), name) for one in files]
    if _digest({one.behavior: one.sha256 for one in found}) != known.sha256:
        raise InvalidInput(f"{name} has changed since it was registered.", hint="Register it again.")
    return found


def _file(path: Path) -> dict[str, object]:
    kind = KINDS.get(path.suffix)
    if kind is None or not path.is_file():
        raise _wrong("path", f"There is no .pt or .onnx file and no folder at {path}.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise _wrong("path", f"{path.name} is larger than {MOST_BYTES >> 30} GB.")
    found = condition_of(path)
    if found is not Condition.WHOLE:
        raise _wrong("path", TROUBLE[found].format(path.name))
    return {"kind": kind, "size": size, "sha256": sha256_of(path)}


def _folder(path: Path) -> dict[str, object]:
    files = checkpoint_files(path)
    if not files:
        raise _wrong("path", f"{path} is no results folder: none of its folders has a {CURRENT}.")
    size = sum(one.stat().st_size for one in files)
    if size > MOST_BYTES or len(files) > MOST_BEHAVIORS:
        raise _wrong("path", f"The checkpoints in {path} are more than {MOST_BYTES >> 30} GB.")
    digests = {}
    for one in files:
        if (found := condition_of(one)) is not Condition.WHOLE:
            raise _wrong("path", TROUBLE[found].format(f"{one.parent.name}/{CURRENT}"))
        digests[one.parent.name] = sha256_of(one)
    return {"kind": "folder", "size": size, "sha256": _digest(digests)}


def _digest(digests: dict[str, str]) -> str:
    """One digest for the checkpoints of a folder, whatever else is in it."""
    lines = "".join(f"{digest}  {behavior}\n" for behavior, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _behavior_of(path: Path) -> str:
    """Whose checkpoint a file is, by ML-Agents' names: Ball in Ball/checkpoint.pt and in Ball-5000.pt."""
    found = re.fullmatch(r"(.+)-\d+", path.stem)
    return path.parent.name if path.name == CURRENT else found[1] if found else path.stem


def _check_name(name: str, path: Path) -> None:
    if not NAME.fullmatch(name):
        raise _wrong("name", "A name has letters, digits, blanks and . ( ) + - _, at most 100.")
    if OutsideCheckpoint.objects.filter(name=name).exclude(path=str(path)).exists():
        raise _wrong("name", f"There is a checkpoint {name} already.")


def _free_name(path: Path) -> str:
    stem = re.sub(r"[^\w .()+-]", " ", path.parent.name if path.name == CURRENT else path.stem).strip(" _.") or "one"
    taken = set(OutsideCheckpoint.objects.values_list("name", flat=True))
    names = (stem[:90], *(f"{stem[:90]} {number}" for number in range(2, 10_000)))
    return next(one for one in names if one not in taken)


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors={field: [sentence]})
