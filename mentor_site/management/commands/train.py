"""manage.py train"""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mentor_site import preparation
from mentor_site.following import follow
from mentor_site.house import interruptible
from mentor_site.processes import Child, Minder
from sessions.domain.command import as_shell, suggest_run_id
from sessions.domain.config import ConfigError, read_config
from sessions.domain.states import State
from sessions.errors import MentorError
from sessions.models import TrainingSession
from sessions.pages.forms import scalar
from sessions.selectors.machine import system_shape
from sessions.services import accounts, starting
from sessions.services.planning import StartRequest


def setting(text: str) -> tuple[str, Any]:
    """Read `name=value`."""
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise ArgumentTypeError("write NAME=VALUE, such as behaviors.Ball.max_steps=1e6")
    return name, scalar(value)


class Command(BaseCommand):
    """Queue a session and follow it."""

    help = (
        "Queue a session and follow it with a progress bar. Uses the MENTOR that runs; when none does, it is started "
        "for this training. Ctrl-C asks the training to stop, which saves its model."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("config", type=Path, help="The configuration file.")
        parser.add_argument("--run-id", help="A new one is chosen when it is left out.")
        parser.add_argument("--env", help="Path of the Unity build; Editor mode without one.")
        parser.add_argument("--trainer", help="Name of the trainer; mlagents-learn when it is found.")
        parser.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=VALUE", dest="overrides")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--num-envs", type=int)
        parser.add_argument("--no-graphics", action="store_true", default=None)
        parser.add_argument("--width", type=int)
        parser.add_argument("--height", type=int)
        parser.add_argument("--time-scale", type=float)
        parser.add_argument("--timeout-wait", type=int)
        parser.add_argument("--device")
        parser.add_argument("--resume", action="store_true", help="Go on from this run id's last checkpoint.")
        parser.add_argument("--force", action="store_true", help="Begin this run id anew; its results are set aside.")
        parser.add_argument("--initialize-from", metavar="RUN_ID")
        parser.add_argument("--priority", type=int, default=0)
        parser.add_argument("--tag", action="append", default=[], dest="tags")
        parser.add_argument("--user", help="Whose session; the first administrator's unless named.")
        parser.add_argument(
            "--rule",
            type=setting,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            dest="rules",
            help="What MENTOR may do unattended, such as restart_limit=3; docs/operating.md lists the rules.",
        )
        parser.add_argument("--detach", action="store_true", help="Queue it and return at once.")
        parser.add_argument("--env-args", nargs="...", default=[], help="Everything after it goes to the environment.")

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.prepare()
        preparation.discover_trainers()
        try:
            user = accounts.user_named(options["user"])
            session = starting.start_session(self._request(options), by=user)
        except MentorError as error:
            raise CommandError(_sentences(error)) from error
        attempt = session.attempts.order_by("-number").first()
        self.stdout.write(as_shell(attempt.command if attempt else []))
        if not options["detach"]:
            self._follow(session)

    def _request(self, options: dict[str, Any]) -> StartRequest:
        path = options["config"].expanduser().resolve()
        names = (
            "seed", "num_envs", "no_graphics", "width", "height", "time_scale", "timeout_wait", "device", "resume",
            "force", "initialize_from", "priority", "trainer",
        )  # fmt: skip
        return StartRequest(
            run_id=options["run_id"] or _suggested(path),
            config_path=str(path),
            env_path=str(Path(options["env"]).expanduser().absolute()) if options["env"] else None,
            overrides=dict(options["overrides"]),
            env_args=tuple(options["env_args"]),
            tags=tuple(options["tags"]),
            rules=dict(options["rules"]) or None,
            **{name: options[name] for name in names},
        )

    def _follow(self, session: TrainingSession) -> None:
        children = [] if system_shape().supervisor_online else [Child("worker", []), Child("supervise", [])]
        minder = Minder(children, self.stderr.write)
        with interruptible(minder):
            minder.start()
            try:
                state = follow(session, minder, write=self.stdout)
            finally:
                time.sleep(0.5 if children else 0)  # the worker may still be building the report
                minder.close()
        if state not in {State.COMPLETED, State.STOPPED}:
            raise CommandError(f"{session.run_id} ended as {state.value}.")


def _suggested(path: Path) -> str:
    taken = set(TrainingSession.objects.values_list("run_id", flat=True))
    try:
        behaviors = list(read_config(path.read_bytes()).behaviors)
    except (OSError, ConfigError):
        behaviors = []
    return suggest_run_id(behaviors or [path.stem], taken)


def _sentences(error: MentorError) -> str:
    lines = [f"{field}: {sentence}" for field, sentences in error.errors.items() for sentence in sentences]
    return "\n".join([*(lines or [error.detail]), *([error.hint] if error.hint else [])])
