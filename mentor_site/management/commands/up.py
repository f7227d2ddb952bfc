"""manage.py up"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mentor_site import preparation
from mentor_site.ending import stop_trainings
from mentor_site.house import House, interruptible


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
            "--stop-trainings",
            action="store_true",
            help="When MENTOR stops, stop trainings too; they save first.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.prepare()
        lock = preparation.take_house()
        preparation.require_address(options["host"], options["port"])
        house = House.at(options["host"], options["port"], say=self.stderr.write)
        with interruptible(house.minder):
            try:
                house.minder.start()
                self._report(preparation.discover_trainers())
                self.when_ready(house, options)
            finally:
                house.minder.close()
                lock.release()

    def when_ready(self, house: House, options: dict[str, Any]) -> None:
        """Say where MENTOR is, then wait until it is told to stop."""
        if not house.wait_until_ready():
            raise CommandError("The web process did not answer within a minute; its messages are above.")
        self.welcome(house, options)
        self.wait(house, options)

    def welcome(self, house: House, options: dict[str, Any], *, to: str = "") -> None:
        link = preparation.sign_in_link(house.host, house.port, to=to)
        self.stdout.write(f"\nMENTOR is ready. Sign in once within 15 minutes:\n\n  {link}\n")
        self.stdout.write("Ctrl-C stops MENTOR; trainings go on.")
        self.stdout.flush()
        if not options["no_browser"]:
            preparation.open_browser(link)

    def wait(self, house: House, options: dict[str, Any]) -> None:
        house.minder.run_until(lambda: False)
        if options.get("stop_trainings"):
            stop_trainings(house.minder, say=self.stdout.write)

    def _report(self, lines: list[str]) -> None:
        for line in lines:
            self.stdout.write(f"Trainer {line}")
