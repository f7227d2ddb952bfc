"""manage.py demo"""

from __future__ import annotations

import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from mentor_site.demonstration import Demonstration
from mentor_site.house import House
from mentor_site.management.commands.up import Command as Up
from reports.models import Report
from sessions.domain.states import ENDED, State
from sessions.errors import MentorError
from sessions.models import TrainingSession

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

    def when_ready(self, house: House, options: dict[str, Any]) -> None:
        try:
            demonstration = Demonstration.begin(options["trainer"])
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}".strip()) from error
        partner = demonstration.start_partner()
        try:
            self._watch(house, options, demonstration)
        finally:
            if partner is not None:
                _end(partner)

    def _watch(self, house: House, options: dict[str, Any], demonstration: Demonstration) -> None:
        session = demonstration.session
        if not house.wait_until_ready():
            raise CommandError("The web process did not answer within a minute; its messages are above.")
        self.stdout.write(f"The demo session is {session.run_id}, trained by {session.trainer}.")
        self.welcome(house, options, to=session.get_absolute_url())
        if options["exit_when_done"]:
            self._until_done(house, session)
        else:
            self.wait(house, options)

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


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    process.wait(10)
