"""Who may read and write what, and who can reach the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mentor_site.doctor.findings import ERROR, WARNING, Finding, ok


@dataclass(frozen=True)
class Folder:
    """A folder that MENTOR writes to: what it is for, and why it cannot be written (empty when it can)."""

    name: str
    path: str
    problem: str = ""


@dataclass(frozen=True)
class Guarded:
    """A file or folder that nobody else should read, with its mode; `owner` is whether it is MENTOR's own user's."""

    path: str
    mode: int
    owned: bool = True


def of_folders(folders: Iterable[Folder]) -> Iterator[Finding]:
    """Whether MENTOR may write where it keeps things."""
    for folder in folders:
        if folder.problem:
            yield Finding(
                ERROR,
                folder.name,
                f"{folder.path} cannot be written: {folder.problem}.",
                "Trainings could not save their models, and nothing is started.",
                "Give MENTOR's user the right to write there, or choose another folder.",
            )
        else:
            yield ok(folder.name, f"{folder.path} can be written.")


def of_guarded(home: Guarded, secrets: Sequence[Guarded]) -> Iterator[Finding]:
    """Whether others may read secrets; what is in a folder that is closed to them is closed as well."""
    title = "Secrets"
    open_to = [one.path for one in secrets if _is_open(home.mode, one.mode)]
    if open_to:
        yield Finding(
            WARNING,
            title,
            f"Others on this machine may read {', '.join(open_to)}.",
            "Who has the secret key or the database can sign in as anybody, and start programs as MENTOR's user.",
            f"Close the way to it: chmod 700 {home.path}",
        )
    else:
        yield ok(title, "Others on this machine cannot read the secret key and the database.")
    for one in (home, *secrets):
        if not one.owned:
            yield Finding(
                WARNING,
                "Owner",
                f"{one.path} belongs to another user than the one that runs this.",
                "What one of them makes the other cannot write; run by root, files become root's.",
                "Run MENTOR and manage.py as the user that owns its folder.",
            )
            break


def _is_open(folder: int, file: int) -> bool:
    """Tell whether the group, or everybody, may pass the folder and read the file."""
    return any(folder >> shift & 1 and file >> shift & 4 for shift in (0, 3))


def of_user(root: bool) -> Iterator[Finding]:
    """MENTOR starts programs as its own user."""
    if root:
        yield Finding(
            WARNING,
            "User",
            "MENTOR runs as root.",
            "So does every build that it starts: what is wrong with one may damage the whole machine.",
            "Give it a user of its own, as deploy/mentor.service does.",
        )


def of_address(host: str, *, loopback: bool, https: bool) -> Iterator[Finding]:
    """Whether passwords travel readably."""
    if not loopback and not https:
        yield Finding(
            WARNING,
            "Address",
            f"Pages are served on {host}, without https.",
            "Passwords and tokens can be read on their way by anybody in the network.",
            "Put a server with https before MENTOR and set MENTOR_HTTPS, as docs/deploying.md says.",
        )
