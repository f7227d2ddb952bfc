"""A zip for a bug report: what `doctor` found, versions, settings and logs, and one session; no secrets, no models."""

from __future__ import annotations

import io
import json
import os
import platform
import sys
import zipfile
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection

from mentor_site.doctor import session_part
from mentor_site.doctor.examination import Examination
from mentor_site.doctor.privacy import redaction, shown_settings, shown_variables
from mentor_site.doctor.redaction import GONE, Redaction
from mentor_site.logs import PROCESSES, earlier, log_of
from sessions.models import TrainingSession
from sessions.runtime.tails import tail

LOG_BYTES = 128 * 1024
MEMBER_CHARACTERS = 512 * 1024
README = f"""This is for a bug report about MENTOR. It was made by `manage.py doctor --bundle`, or on a page of MENTOR.

doctor.json       what was found on the machine, with reasons and fixes
versions.json     MENTOR, Python, the system, and the packages beside MENTOR
settings.json     the options: numbers and paths; of all others only whether they are set
environment.json  a few variables that are known to be harmless
logs/             the last lines of MENTOR's own processes
session/          one session, if it was asked for: configuration, command line, diagnosis, ends of its consoles,
                  timers, packages of its trainer. No models, no checkpoints, no event files.

Secrets, addresses, names of machines and of people were replaced by {GONE}, home folders by ~. Programs may print
what MENTOR cannot know to be secret: look through it before you send it.
"""


class Bundle:
    """The zip while it is made. Every text goes through the same redaction, and is bounded."""

    def __init__(self, clean: Redaction) -> None:
        self._clean = clean
        self._file = io.BytesIO()
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    def add_text(self, name: str, text: str) -> None:
        """Add a text, without secrets; of one that is too long its end, and nothing of an empty one."""
        if not text:
            return
        self._add(name, self._clean(text)[-MEMBER_CHARACTERS:])

    def add_data(self, name: str, data: Any) -> None:
        """Add data as JSON, without secrets."""
        text = json.dumps(self._clean.of_data(data), indent=1, ensure_ascii=False, default=str)
        self._add(name, text if len(text) <= MEMBER_CHARACTERS else json.dumps(f"{len(text)} characters; too many"))

    def _add(self, name: str, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._archive.writestr(name, GONE if self._clean.holds(data) else data)

    def finish(self) -> bytes:
        """Return the zip."""
        self._archive.close()
        return self._file.getvalue()


def build(examination: Examination | None, session: TrainingSession | None = None) -> bytes:
    """Return the zip. Without an examination it holds nothing of the machine but versions."""
    specs = session_part.specs_of(session) if session is not None else []
    arguments = [word for spec in specs for word in spec.argv]
    rules = session.rules if session is not None else None
    bundle = Bundle(redaction([spec.env for spec in specs], arguments, rules))
    bundle.add_text("README.txt", README)
    bundle.add_data("versions.json", versions())
    if examination is not None:
        bundle.add_data("doctor.json", examination.as_json())
        bundle.add_data("settings.json", shown_settings())
        bundle.add_data("environment.json", shown_variables(os.environ))
        _add_logs(bundle)
    if session is not None:
        session_part.add(bundle, session, specs)
    return bundle.finish()


def file_name(session: TrainingSession | None = None) -> str:
    """Return the name under which a bundle of now may be kept."""
    about = f"{session.run_id}-" if session is not None else ""
    return f"mentor-{about}{datetime.now(tz=timezone.utc):%Y%m%d-%H%M%S}.zip"


def versions() -> dict[str, Any]:
    """Return the versions of MENTOR, of what it runs on, and of the packages beside it."""
    found = {(one.metadata["Name"] or "").lower(): one.version for one in metadata.distributions()}
    return {
        "made_at": datetime.now(tz=timezone.utc).isoformat(timespec="seconds"),
        "mentor": settings.SPECTACULAR_SETTINGS["VERSION"],
        "python": sys.version,
        "django": django.get_version(),
        "system": platform.platform(),
        "database": connection.vendor,
        "packages": dict(sorted(found.items())),
    }


def _add_logs(bundle: Bundle) -> None:
    for process in PROCESSES:
        path = log_of(Path(settings.MENTOR_HOME), process)
        text = tail(path, LOG_BYTES)
        before = tail(earlier(path), LOG_BYTES - len(text)) if len(text) < LOG_BYTES // 2 else ""
        bundle.add_text(f"logs/{process}.log", before + text)
