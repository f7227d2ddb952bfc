"""manage.py validate"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions.domain.configuration.findings import Finding, Severity
from sessions.domain.configuration.table import VERSION
from sessions.domain.configuration.validation import Beside, Validation, difference
from sessions.domain.yaml_tree import MAX_BYTES
from sessions.selectors.configs import validation_of

STANDARD_INPUT = Path("-")


class Command(BaseCommand):
    """Say what is wrong with configuration files."""

    help = (
        "Say what is wrong with configuration files of ML-Agents, each finding with its line and what to do. Nothing "
        "is started, and no server is needed. Old formats are shown as 1.1.0 wants them. Exit code 1 when a file would "
        "be refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("configs", nargs="+", type=Path, metavar="CONFIG", help="A YAML file; - is standard input.")
        parser.add_argument(
            "--trainer-version",
            default="",
            metavar="VERSION",
            help="That of your mlagents, such as 0.28.0, when it is older than 1.1.0: warns of what it does not know.",
        )
        parser.add_argument(
            "--beside",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="A curriculum or samplers of 0.16 or older that the upgrade is to take along; may be repeated.",
        )
        parser.add_argument("--json", action="store_true", help="Print a list with one object per file instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            beside = [Beside(path.name, _read(path)) for path in options["beside"]]
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.", returncode=1) from error
        found = [(path, *_validated(path, options["trainer_version"], beside)) for path in options["configs"]]
        if options["json"]:
            listed = [{"file": str(path), **validation.as_json()} for path, _, validation in found]
            self.stdout.write(json.dumps(listed, indent=2))
        else:
            for path, data, validation in found:
                self.stdout.write("\n".join(_lines(path, data, validation)))
        refused = sum(not validation.valid for _, _, validation in found)
        if refused:
            raise CommandError(f"{refused} of {len(found)} would be refused.", returncode=1)


def _validated(path: Path, version: str, beside: Sequence[Beside]) -> tuple[bytes, Validation]:
    try:
        data = _read(path)
    except IsADirectoryError:
        return b"", _unreadable("This is a folder.", "Name its files, such as config/*.yaml.")
    except OSError as error:
        return b"", _unreadable(f"The file cannot be read: {error.strerror or error}.")
    name = path.name if path != STANDARD_INPUT else ""
    return data, validation_of(data, name=name, version=version, beside=beside)


def _read(path: Path) -> bytes:
    """The beginning of a file, of one byte more than a configuration may have."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    path = path.expanduser()
    if path.is_dir():  # which Windows calls a lack of permission
        raise IsADirectoryError(errno.EISDIR, "It is a folder", str(path))
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _unreadable(message: str, hint: str = "") -> Validation:
    return Validation(VERSION, (Finding(Severity.ERROR, None, None, "", message, hint),))


def _lines(path: Path, data: bytes, validation: Validation) -> Iterator[str]:
    yield f"{path}: {_verdict(validation)}"
    for one in validation.findings:
        place = f"line {one.line}, column {one.column}: " if one.line else ""
        yield f"  {place}{one.severity.value}: {one.message}"
        if one.hint:
            yield f"    {one.hint}"
    if validation.upgraded is not None:
        yield "  Its upgrade; comments are not kept:"
        given = data.decode("utf-8-sig", "replace")
        yield from (f"    {line}" for line in difference(given, validation.upgraded, path.name).splitlines())


def _verdict(validation: Validation) -> str:
    if validation.format != VERSION:
        return f"written for ML-Agents {validation.format}."
    return f"ML-Agents {VERSION} takes it." if validation.valid else f"ML-Agents {VERSION} would not train with it."
