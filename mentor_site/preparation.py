"""What must be true before MENTOR's processes start: tables, settings, trainers, an administrator."""

from __future__ import annotations

import socket
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from mentor_site import keeping, restoring
from sessions.domain.trouble import AHEAD
from sessions.errors import Conflict
from sessions.models import Trainer
from sessions.runtime.locks import is_held
from sessions.selectors.database import schema_trouble
from sessions.services import accounts, trainers

# The tag of those checks that speak of this installation, and not of the code.
OWN_CHECKS = "mentor"
# Written out: to look it up loads every page and route, which would be most of the time that MENTOR takes to start.
ENTRANCE = "/accounts/enter/"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def prepare() -> None:
    """Bring the tables up to date and check the settings; raises SystemCheckError or CommandError.

    Django's own checks speak of the code and load every page and route, which takes longer than most commands.
    """
    finish_restore()
    BaseCommand().check(tags=[OWN_CHECKS], display_num_errors=False)
    trouble = schema_trouble()
    if trouble is AHEAD:
        raise CommandError(f"{trouble.detail} {trouble.hint}")
    if trouble is not None:
        call_command("migrate", verbosity=0, interactive=False)
    accounts.administrator()


def finish_restore() -> None:
    """Finish a restore that was interrupted while it moved in; raises CommandError while MENTOR runs."""
    home = Path(settings.MENTOR_HOME)
    if not restoring.is_unfinished(home):
        return
    try:
        with keeping.house_to_ourselves(home):
            restoring.finish(home)
    except Conflict as error:
        raise CommandError(f"A restore was interrupted. {error.detail} {error.hint}") from error


def discover_trainers() -> list[str]:
    """Find the trainers of this machine and return a line about each."""
    return [_line(trainer) for trainer in trainers.discover()]


def _line(trainer: Trainer) -> str:
    python = f", Python {trainer.python_version}" if trainer.python_version else ""
    return f"{trainer.name}: {trainer.problem or trainer.version + python}"


def require_house_is_free() -> None:
    """Raise CommandError when MENTOR already runs for this MENTOR_HOME."""
    if is_held(Path(settings.MENTOR_HOME) / "up.lock"):
        raise CommandError(f"MENTOR already runs for {settings.MENTOR_HOME}. Use it, or stop it first.")


def require_address(host: str, port: int) -> None:
    """Raise CommandError unless the web process may listen there."""
    if host not in LOOPBACK and not settings.MENTOR["MENTOR_ALLOWED_HOSTS"]:
        raise CommandError(
            f"{host} can be reached from other machines. Set MENTOR_ALLOWED_HOSTS to the names under which they may "
            "ask for MENTOR, and give the administrator a password (manage.py changepassword admin)."
        )
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            raise CommandError(f"There is no port {port}. Choose one from 1 to 65535 with --port.") from None
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used: {error.strerror}. Choose another with --port.") from error


def sign_in_link(host: str, port: int, *, user: str | None = None, to: str = "") -> str:
    """Return a new one-time link, which leads to the page `to` (the dashboard without one)."""
    token = accounts.new_link_token(accounts.user_named(user))
    shown = f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://{shown}:{port}{ENTRANCE}?token={token}" + (f"&next={to}" if to else "")
