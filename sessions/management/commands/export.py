"""manage.py export"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.http import QueryDict

from sessions.errors import MentorError
from sessions.models import TrainingSession
from sessions.selectors.exports import FORMATS, TABLES, Wanted, chosen_sessions, export_blocks


class Command(BaseCommand):
    """Write sessions as a file."""

    help = (
        "Write the points or the facts of sessions as CSV, JSON or Parquet: of those that are named, or of those that "
        "a query chooses. Needs no server."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sessions", nargs="*", metavar="SESSION", help="A run id.")
        parser.add_argument("--format", choices=tuple(FORMATS), default="csv")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="Standard output without one.")
        parser.add_argument(
            "--query",
            metavar="QUERY",
            help='Sessions as the list filters them, such as "state=completed&tag=x"; trash=true for the trash.',
        )
        parser.add_argument(
            "--what", choices=tuple(TABLES), default="points", help="points of series, or a row for each behavior."
        )
        parser.add_argument("--behavior", action="append", default=[], help="Only the points of this behavior.")
        parser.add_argument("--series-tag", action="append", default=[], help="Only the points of this tag.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = self._chosen(options["sessions"], options["query"])
        wanted = Wanted(
            options["what"],
            options["format"],
            behaviors=frozenset(options["behavior"]),
            series_tags=frozenset(options["series_tag"]),
        )
        with opened(options["output"], text=wanted.format != "parquet") as file:
            for block in export_blocks(chosen, wanted):
                file.write(block)

    def _chosen(self, run_ids: list[str], query: str | None) -> QuerySet[TrainingSession]:
        everything = TrainingSession.objects.all()
        if run_ids and query is None:
            return self._named(everything, run_ids)
        if query is None:
            raise CommandError("Name sessions, or choose them with --query; an empty query chooses all.")
        asked = QueryDict(query, mutable=True)
        asked.setlist("run_id", [*asked.getlist("run_id"), *run_ids])
        try:
            return chosen_sessions(everything, asked)
        except MentorError as error:
            told = [f"{name}: {sentence}" for name, all_ in error.errors.items() for sentence in all_]
            raise CommandError("\n".join([error.detail, *told])) from error

    def _named(self, everything: QuerySet[TrainingSession], run_ids: list[str]) -> QuerySet[TrainingSession]:
        found = everything.filter(run_id__in=run_ids).order_by("run_id")
        missing = set(run_ids) - set(found.values_list("run_id", flat=True))
        if missing:
            raise CommandError(f"There is no session {', '.join(sorted(missing))}.")
        return found


@contextmanager
def opened(path: Path | None, *, text: bool) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is whole; without a path, standard output."""
    if path is None or str(path) == "-":
        if not text and sys.stdout.isatty():
            raise CommandError("Parquet is nothing for a terminal: name a file with -o.")
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the reader has enough; nothing is left to say to it at the end of this process
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            draft.unlink()
