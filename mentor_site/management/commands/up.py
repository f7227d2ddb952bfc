"""manage.py up"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from mentor_site import minder, preparation


class Command(BaseCommand):
    """Start MENTOR."""

    help = (
        "Start MENTOR: prepares the database, starts the web, worker and supervisor processes, prints a one-time "
        "sign-in link and opens the browser. Ctrl-C stops MENTOR; trainings go on and are found again."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.MENTOR["MENTOR_HOST"], help="Address to listen on.")
        parser.add_argument("--port", type=int, default=settings.MENTOR["MENTOR_PORT"], help="Port to listen on.")
        parser.add_argument("--no-browser", action="store_true", help="Do not open the browser.")
        parser.add_argument(
            "--without-web",
            action="store_true",
            help="Start worker and supervisor only; the web process runs elsewhere, as in a container of its own.",
        )
        parser.add_argument(
            "--stop-trainings", action="store_true", help="When MENTOR stops, stop trainings too; they save first."
        )

    def prepare(self, options: dict[str, Any]) -> None:
        """Make everything ready, or say what is in the way."""
        preparation.prepare()
        preparation.require_house_is_free()
        if not options.get("without_web"):
            preparation.require_address(options["host"], options["port"])
        for line in preparation.discover_trainers():
            self.stdout.write(f"Trainer {line}")

    def handle(self, *args: Any, **options: Any) -> None:
        self.prepare(options)
        link = preparation.sign_in_link(options["host"], options["port"])
        arguments = ["--home", str(settings.MENTOR_HOME), "--link", link]
        arguments += ["--host", options["host"], "--port", str(options["port"])]
        arguments += [] if options["no_browser"] else ["--browser"]
        arguments += ["--stop-trainings"] if options["stop_trainings"] else []
        arguments += ["--without-web"] if options["without_web"] else []
        connections.close_all()
        sys.exit(minder.become(arguments))
