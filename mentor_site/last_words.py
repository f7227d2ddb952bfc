"""What a command says of an error that nobody expected: a sentence, after the traceback when it is MENTOR's mistake."""

from __future__ import annotations

import os
import sys
import traceback

MISTAKE = (
    "MENTOR made a mistake: {}\nTrainings are not touched by this and go on. manage.py doctor looks for its cause."
)


def last_words(error: Exception) -> str:
    """Return what to tell about an error that ends a command; what is nobody's but MENTOR's is printed in full."""
    told = _told(error)
    if told is None:
        traceback.print_exception(error, file=sys.stderr)
        return MISTAKE.format(f"{type(error).__name__}: {error}")
    return told


def nobody_reads_on(error: Exception) -> bool:
    """Tell whether a command was writing to somebody who has enough, as `| head` has; what is left goes nowhere."""
    if not isinstance(error, BrokenPipeError):
        return False
    try:
        sys.stdout.write("\n")  # what could not be written is forgotten, so a flush alone would not tell
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _told(error: Exception) -> str | None:
    """A sentence for what a user can mend."""
    text = str(error)
    if type(error).__module__.startswith("dj_database_url"):
        return f"MENTOR_DATABASE_URL cannot be used: {text.partition('.')[0]}.\ndocs/options.md lists what it takes."
    if "no such table" in text or ('relation "' in text and "does not exist" in text):
        home = os.environ.get("MENTOR_HOME", "MENTOR_HOME")
        return f"There is no database of MENTOR in {home} yet. Start MENTOR once: manage.py up"
    if isinstance(error, OSError) and str(error.filename or "").startswith(os.environ.get("MENTOR_HOME") or "\0"):
        why = error.strerror or type(error).__name__
        return (
            f"MENTOR cannot use {error.filename}: {why}.\n"
            "Set MENTOR_HOME to a folder that it may write to, or give it the right to write there."
        )
    return None
