"""manage.py import_results"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mentor_site import preparation
from sessions.errors import MentorError
from sessions.models import Import
from sessions.services import accounts, imports

SLICE_SECONDS = 10.0
WAIT_SECONDS = 0.5


class Command(BaseCommand):
    """Adopt existing results folders into the history."""

    help = (
        "Adopt the runs in a folder, and in the folders below it, into the history: results of any version of "
        "ML-Agents, runs of Stable-Baselines3 and CleanRL, and single folders of event files. Nothing is copied or "
        "changed. What the history knows already is left alone, so it may be run again, also after it was interrupted. "
        "While MENTOR runs it looks at the folder again, and shows what is trained there as it goes."
    )

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="A results folder, one run, or a folder of many of them.")
        parser.add_argument(
            "--copy", action="store_true", help="Copy the files to MENTOR_HOME; then they are not watched."
        )
        parser.add_argument("--tag", action="append", default=[], dest="tags", help="A tag for the new sessions.")
        parser.add_argument("--user", help="Whose sessions; the first administrator's unless named.")
        parser.add_argument("--once", action="store_true", help="Do not look at the folder again later.")

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.prepare()
        try:
            user = accounts.user_named(options["user"])
            folder = str(options["folder"].expanduser().absolute())
            source = imports.prepare(folder, by=user, copy=options["copy"], tags=options["tags"])
            if options["once"]:
                imports.set_follow(source, False, by=user)
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}".strip()) from error
        self._work(source)

    def _work(self, source: Import) -> None:
        say = self._progress if self.stdout.isatty() else None
        while not imports.work(source.pk, seconds=SLICE_SECONDS, say=say) or self._somebody_else_works(source):
            pass
        source.refresh_from_db()
        if say is not None:
            self.stdout.write("")
        for folder, why in source.remarks:
            self.stderr.write(f"{folder}: {why}")
        if source.state == "gone":
            raise CommandError(f"{source.folder} is not there now, or cannot be read.")
        self.stdout.write(sentence(source))

    def _somebody_else_works(self, source: Import) -> bool:
        source.refresh_from_db()
        if source.state not in ("waiting", "working"):
            return False
        time.sleep(WAIT_SECONDS)
        return True

    def _progress(self, source: Import) -> None:
        self.stdout.write(f"\r{sentence(source)[:110]:110}", ending="")
        sys.stdout.flush()


def sentence(source: Import) -> str:
    """Return what became of the runs, in one sentence."""
    return (
        f"{source.found:,} runs found: {source.imported:,} imported, {source.grown:,} brought up to date, "
        f"{source.known:,} known already, {source.refused:,} refused."
    )
