"""manage.py supervise"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection

from mentor_site.processes import END_WITH_STDIN, when_stdin_ends
from sessions.domain.trouble import DatabaseUnusable, Trouble
from sessions.models import Machine
from sessions.runtime.locks import FileLock
from sessions.selectors.database import Guard, explained
from sessions.supervisor.loop import Supervisor

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class Command(BaseCommand):
    """Follow this machine's trainings."""

    help = "Grant slots, follow trainings and store what they write. One per machine; started by manage.py up."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(END_WITH_STDIN, action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        if options["end_with_stdin"]:
            when_stdin_ends(ended.set)
        lock = FileLock(Path(settings.MENTOR_HOME) / "supervisor.lock")
        while not lock.acquire():
            if ended.wait(RETRY_SECONDS):
                return
        try:
            supervise(ended)
        finally:
            lock.release()


def supervise(ended: threading.Event) -> None:
    """Tick until told to end. A database that is locked, damaged or gone is not written, and costs only delay."""
    supervisor: Supervisor | None = None
    guard = Guard()
    said: Trouble | None = None
    while not ended.is_set():
        try:
            guard.look()
            supervisor = supervisor or new_supervisor()
            pause = supervisor.tick()
            said = None
        except (Error, DatabaseUnusable) as error:
            trouble = explained(error).trouble
            if trouble != said:
                words = f" ({error})" if isinstance(error, Error) else ""
                logger.warning("%s%s %s", trouble.detail, words, trouble.hint)
            said, supervisor, pause = trouble, None, RETRY_SECONDS
            forget_connection()
            guard.forget()
        ended.wait(pause)


def new_supervisor() -> Supervisor:
    """Return a supervisor of this machine that remembers nothing."""
    machine, _ = Machine.objects.get_or_create(name=settings.MENTOR_MACHINE)
    return Supervisor(machine, time.monotonic)


def forget_connection() -> None:
    """Let the next query open a new connection; closing one whose server is gone may fail, too."""
    with contextlib.suppress(Error):
        connection.close()
