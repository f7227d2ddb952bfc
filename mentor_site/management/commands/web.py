"""manage.py web"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mentor_site.processes import END_WITH_STDIN, when_stdin_ends


class Command(BaseCommand):
    """Serve pages, API and live feed."""

    help = "Serve pages, API and live feed. Started by manage.py up."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8600)
        parser.add_argument(END_WITH_STDIN, action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        from mentor_site.asgi import application
        from mentor_site.serving import serve

        if options["end_with_stdin"]:
            when_stdin_ends(lambda: os._exit(0))
        serve(application, host=options["host"], port=options["port"])  # type: ignore[arg-type]
