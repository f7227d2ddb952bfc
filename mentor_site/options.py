"""Every option of MENTOR, declared once: name, default, type, help.

Settings read the table, `manage.py check` reports what is wrong with it, and `docs/options.md` is tested against it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions.domain.rules import read_text

BASE_DIR = Path(__file__).resolve().parent.parent


def truth(text: str) -> bool:
    """Read a yes or a no."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("must be yes or no")


def positive_int(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def natural_int(text: str) -> int:
    """Read a whole number of at least 0."""
    number = int(text)
    if number < 0:
        raise ValueError("must be at least 0")
    return number


def port(text: str) -> int:
    """Read a port a program may listen on."""
    number = int(text)
    if not 1024 <= number <= 65535:
        raise ValueError("must be a port from 1024 to 65535")
    return number


def words(text: str) -> list[str]:
    """Read words separated by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def path(text: str) -> Path:
    """Read a path; `~` is the user's home."""
    return Path(text).expanduser().resolve()


def paths(text: str) -> list[Path]:
    """Read paths separated as PATH is on this system."""
    return [path(part) for part in text.split(os.pathsep) if part.strip()]


@dataclass(frozen=True)
class Option:
    """One option; `default` is already of the type that `read` gives."""

    name: str
    default: Any
    read: Callable[[str], Any]
    help: str


OPTIONS = (
    Option(
        "MENTOR_HOME",
        BASE_DIR / "var",
        path,
        "Where the database, the runs, the models and the reports are kept.",
    ),
    Option("MENTOR_HOST", "127.0.0.1", str, "The address the web process listens on."),
    Option("MENTOR_PORT", 8600, port, "The port the web process listens on."),
    Option("MENTOR_ALLOWED_HOSTS", [], words, "Further host names under which pages may be asked for."),
    Option(
        "MENTOR_MLAGENTS_LEARN",
        None,
        path,
        "Full path of the mlagents-learn to train with; looked for on PATH when empty.",
    ),
    Option(
        "MENTOR_PLUGIN_TRAINERS",
        [],
        words,
        "Names of trainers that plugins of your mlagents bring, beside ppo, sac and poca.",
    ),
    Option("MENTOR_RESULTS_DIR", None, path, "A results folder of your own; empty keeps results in MENTOR_HOME."),
    Option("MENTOR_MAX_PARALLEL", 2, positive_int, "How many trainings may run on this machine at the same time."),
    Option(
        "MENTOR_BASE_PORT",
        5005,
        port,
        "The first port given to trainers with a build; the Editor always uses 5004.",
    ),
    Option(
        "MENTOR_DISK_RESERVE_MB",
        2048,
        positive_int,
        "Below this much free space nothing is started, and what trains is stopped while it can still save.",
    ),
    Option(
        "MENTOR_STOP_GRACE_SECONDS",
        180,
        positive_int,
        "How long a trainer may take to save after a stop before it is ended.",
    ),
    Option(
        "MENTOR_RULES",
        {},
        read_text,
        "Rules of sessions that bring none, such as restart_limit=3,stall_minutes=30; none when empty.",
    ),
    Option(
        "MENTOR_KEEP_BEST",
        3,
        natural_int,
        "Of how many checkpoints of each behavior, the best ones, what the trainer removes is kept; 0 keeps none.",
    ),
    Option(
        "MENTOR_FOLDERS",
        [],
        paths,
        "Folders in which configurations may be browsed; your home folder when empty.",
    ),
    Option(
        "MENTOR_ENV_ROOTS",
        [],
        paths,
        "Folders in which environments must lie; anywhere on this machine when empty.",
    ),
    Option(
        "MENTOR_PASS_ENVIRONMENT",
        [],
        words,
        "Further environment variables that trainers may see; * matches any ending.",
    ),
    Option(
        "MENTOR_DATABASE_URL",
        "",
        str,
        "Another database, such as postgres://user:password@host/name; SQLite in MENTOR_HOME when empty.",
    ),
    Option(
        "MENTOR_REDIS_URL",
        "",
        str,
        "A Redis server that carries nudges between machines; not needed on one machine.",
    ),
    Option(
        "MENTOR_HTTPS",
        False,
        truth,
        "Whether pages are served through https, so that cookies are sent only there.",
    ),
    Option("MENTOR_DEBUG", False, truth, "Show Django's debug pages; never where others can reach MENTOR."),
)


def read_options(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the value of every option, and a sentence for each that could not be read (its default then holds)."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for option in OPTIONS:
        text = environ.get(option.name, "")
        values[option.name] = option.default
        if text.strip():
            try:
                values[option.name] = option.read(text)
            except ValueError as error:
                problems[option.name] = f"{option.name}={text!r} cannot be used: {error}."
    return values, problems


def unknown_options(environ: Mapping[str, str]) -> list[str]:
    """Return the MENTOR_ variables that no option of the table reads: usually a typing error."""
    known = {option.name for option in OPTIONS} | {"MENTOR_TEST_REQUIRE", "MENTOR_ATTEMPT"}
    return sorted(name for name in environ if name.startswith("MENTOR_") and name not in known)
