"""System checks: what is wrong with an installation, each with its hint."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from mentor_site.installation import SHORTEST_KEY
from mentor_site.options import unknown_options
from mentor_site.preparation import LOOPBACK, OWN_CHECKS
from sessions.domain.trouble import GONE
from sessions.selectors.database import file_of_database, file_trouble
from sessions.selectors.remains import runs_in

DATABASE_SECONDS = 2.0


@register(OWN_CHECKS)
def check_options(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Options that cannot be read, and MENTOR_ variables that are none."""
    wrong: list[CheckMessage] = [
        Error(sentence, hint="docs/options.md lists what each option takes.", id="mentor.E001")
        for sentence in settings.OPTION_PROBLEMS.values()
    ]
    unknown = [
        Warning(f"{name} is no option of MENTOR.", hint="docs/options.md lists the options.", id="mentor.W001")
        for name in unknown_options(os.environ)
    ]
    return [*wrong, *unknown]


@register(OWN_CHECKS)
def check_secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A key that is short or came with some template signs nobody in safely."""
    key = str(settings.SECRET_KEY)
    if len(key) < SHORTEST_KEY or key.startswith("django-insecure-"):
        hint = f"Delete {Path(settings.MENTOR_HOME) / 'secret_key'}; a new one is made at the next start."
        return [Error("The secret key is too weak.", hint=hint, id="mentor.E002")]
    return []


@register(OWN_CHECKS)
def check_debug(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Debug pages show code and settings to whoever can reach them."""
    if settings.MENTOR["MENTOR_DEBUG"] and settings.MENTOR["MENTOR_HOST"] not in LOOPBACK:
        return [
            Error(
                "MENTOR_DEBUG is on while others can reach MENTOR.",
                hint="Turn MENTOR_DEBUG off.",
                id="mentor.E003",
            )
        ]
    return []


@register(OWN_CHECKS)
def check_home(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Everybody who can write to MENTOR's folder can start programs as its user."""
    home = Path(settings.MENTOR_HOME)
    if sys.platform != "win32" and home.exists() and home.stat().st_mode & stat.S_IWOTH:
        return [Error(f"Everybody may write to {home}.", hint=f"Forbid it: chmod o-w {home}", id="mentor.E004")]
    return []


@register(OWN_CHECKS)
def check_trainer(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An option that names no file finds no trainer."""
    learn = settings.MENTOR["MENTOR_MLAGENTS_LEARN"]
    if learn is not None and not learn.is_file():
        return [
            Error(
                f"MENTOR_MLAGENTS_LEARN names {learn}, where there is no file.",
                hint="Give the full path of mlagents-learn, as `where` or `which` prints it.",
                id="mentor.E005",
            )
        ]
    return []


@register(OWN_CHECKS)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A damaged database is not written any more; a new one is not made in silence where there is a history."""
    path = file_of_database()
    trouble = file_trouble(path, seconds=DATABASE_SECONDS) if path is not None else None
    if path is None or trouble is None or trouble.passing:
        return []
    if trouble is GONE and not runs_in(Path(settings.MENTOR_HOME)):
        return []
    return [Error(f"{trouble.detail} ({path})", hint=trouble.hint, id="mentor.E006")]
