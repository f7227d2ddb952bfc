"""manage.py demo"""

from __future__ import annotations

import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from mentor_site import preparation
from mentor_site.demonstration import Demonstration
from mentor_site.ending import stop_trainings
from mentor_site.house import House, interruptible
from mentor_site.management.commands.up import Command as Up
from mentor_site.minder import welcome
from reports.models import Report
from sessions.domain.states import ENDED, State
from sessions.errors import MentorError
from sessions.models import TrainingSession
from sessions.runtime.locks import FileLock

REPORT_SECONDS = 60.0


class Command(Up):
    """Start MENTOR and watch a real training."""

    help = (
        "Start MENTOR and a real training of the bundled practice environment, and show it in the browser. "
        "Trains with mlagents-learn when it is found, else with the practice trainer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--trainer", choices=("mlagents", "practice"), help="Which trainer; mlagents when found.")
        parser.add_argument("--exit-when-done", action="store_true", help="End after the training, with its report.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.prepare(options)
        try:
            demonstration = Demonstration.begin(options["trainer"])
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}".strip()) from error
        house = House.at(options["host"], options["port"], say=self.stderr.write)
        lock = FileLock(Path(settings.MENTOR_HOME) / "up.lock")
        lock.acquire()
        with interruptible(house.minder):
            partner = demonstration.start_partner()
            try:
                house.minder.start()
                self._watch(house, options, demonstration)
            finally:
                _end(partner)
                house.minder.close()
                lock.release()

    def _watch(self, house: House, options: dict[str, Any], demonstration: Demonstration) -> None:
        session = demonstration.session
        if not house.wait_until_ready():
            raise CommandError("The web process did not answer within a minute; its messages are above.")
        self.stdout.write(f"The demo session is {session.run_id}, trained by {session.trainer}.")
        link = preparation.sign_in_link(house.host, house.port, to=session.get_absolute_url())
        welcome(link, browser=not options["no_browser"])
        if options["exit_when_done"]:
            self._until_done(house, session)
        else:
            house.minder.run_until(lambda: False)
        if options["stop_trainings"]:
            house.minder.resume()
            stop_trainings(house.minder, say=self.stdout.write)

    def _until_done(self, house: House, session: TrainingSession) -> None:
        house.minder.run_until(lambda: _state(session) in ENDED)
        state = _state(session)
        session.refresh_from_db()
        self.stdout.write(f"{session.run_id}: {state.value}. {session.explanation}")
        if state not in ENDED:
            return
        report = self._report_of(house, session)
        self.stdout.write(f"Report: {report}" if report else "The report was not built.")
        if state is not State.COMPLETED or report is None:
            raise CommandError("The demo did not end as it should.")

    def _report_of(self, house: House, session: TrainingSession) -> Path | None:
        left = [REPORT_SECONDS / 0.25]

        def there() -> bool:
            left[0] -= 1
            return Report.objects.filter(session=session).exists() or left[0] < 0

        house.minder.run_until(there)
        report = Report.objects.filter(session=session).first()
        return Path(settings.MENTOR_HOME, "reports", report.name) if report else None


def _state(session: TrainingSession) -> State:
    return State(TrainingSession.objects.values_list("state", flat=True).get(pk=session.pk))


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    if process.poll() is None:
        process.terminate()
    process.wait(10)
