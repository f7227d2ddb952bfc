"""What a database says when it cannot do its work, as a sentence and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.errors import MentorError

LOOK = "manage.py doctor looks for its cause."


@dataclass(frozen=True)
class Trouble:
    """`code` for programs, `detail` and `hint` for people. A passing trouble ends by itself."""

    code: str
    detail: str
    hint: str
    passing: bool = False


class DatabaseUnusable(MentorError):
    """The database cannot do its work now; nothing was changed."""

    http_status = 503

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail, hint=trouble.hint)
        self.code = trouble.code
        self.trouble = trouble


LOCKED = Trouble(
    "database_locked",
    "Another program keeps the database locked.",
    "Nothing was changed, and trainings go on. Try again in a moment.",
    passing=True,
)
FULL = Trouble(
    "database_full",
    "The disk, or the database, is full.",
    "Nothing was changed. Make room where MENTOR_HOME lies, then try again.",
    passing=True,
)
READ_ONLY = Trouble(
    "database_read_only",
    "The database may not be written.",
    "Nothing was changed. Give MENTOR's user the right to write to MENTOR_HOME.",
)
DAMAGED = Trouble(
    "database_damaged",
    "The database is damaged.",
    "Trainings go on. Stop MENTOR, then run manage.py restore with a backup, or manage.py recover.",
)
FOREIGN = Trouble(
    "database_foreign",
    "The database's file is none of MENTOR's.",
    "Trainings go on. Stop MENTOR, then run manage.py restore with a backup, or manage.py recover.",
)
GONE = Trouble(
    "database_gone",
    "The database is gone.",
    "Trainings go on. Stop MENTOR, then run manage.py restore with a backup, or manage.py recover.",
)
BEHIND = Trouble(
    "database_behind",
    "The database was made by an older MENTOR.",
    "Trainings go on. Start MENTOR again with manage.py up, which brings the database up to date.",
)
AHEAD = Trouble(
    "database_ahead",
    "The database was changed by a newer MENTOR.",
    "Trainings go on. Start that newer MENTOR, with manage.py up.",
)
UNREACHABLE = Trouble(
    "database_unavailable",
    "The database does not answer.",
    f"Nothing was changed, and trainings go on. Try again in a moment; {LOOK}",
    passing=True,
)

# The words of SQLite and PostgreSQL, the first that fits decides.
WORDS = (
    (("is locked", "lock timeout", "deadlock"), LOCKED),
    (("is full", "no space left", "disk full"), FULL),
    (("readonly", "read-only"), READ_ONLY),
    (("malformed", "not a database", "disk i/o error", "corrupt"), DAMAGED),
    (("unable to open database file",), GONE),
    (("no such table", "no such column", "has no column", "does not exist", "undefined"), BEHIND),
)


def explain(message: str) -> Trouble:
    """Return what an error message of a database means; one that is not known means that it does not answer."""
    lower = message.lower()
    return next((trouble for words, trouble in WORDS if any(word in lower for word in words)), UNREACHABLE)
