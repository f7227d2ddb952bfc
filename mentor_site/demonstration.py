"""The bundled training that a newcomer watches: a real trainer, a real environment, a real report."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mentor_site.options import BASE_DIR
from sessions.domain.command import suggest_run_id
from sessions.models import TrainingSession
from sessions.services import accounts, starting, trainers
from sessions.services.planning import StartRequest
from sessions.trainers.standin.launcher import editor_command, make_launcher

CONFIG = BASE_DIR / "sessions" / "trainers" / "demo.yaml"


@dataclass(frozen=True)
class Demonstration:
    """A queued demo session; without a build for this system, the stand-in plays the Unity Editor."""

    session: TrainingSession
    interpreter: Path
    needs_partner: bool

    @classmethod
    def begin(cls, trainer: str | None) -> Demonstration:
        """Queue the demo session; raises what `start_session` raises."""
        chosen = trainers.choose(trainer)
        interpreter = Path(chosen.interpreter) if chosen else Path()
        mlagents = chosen is not None and chosen.kind == "mlagents"
        build = make_launcher(Path(settings.MENTOR_HOME) / "environments", interpreter) if mlagents else None
        taken = set(TrainingSession.objects.values_list("run_id", flat=True))
        request = StartRequest(
            run_id=suggest_run_id(["demo"], taken),
            config=CONFIG.read_bytes(),
            config_name=CONFIG.name,
            env_path=str(build) if build else None,
            trainer=chosen.name if chosen else trainer,
            no_graphics=True if build else None,
            seed=1,
            tags=("demo",),
        )
        session = starting.start_session(request, by=accounts.administrator())
        return cls(session, interpreter, needs_partner=mlagents and build is None)

    def start_partner(self) -> subprocess.Popen[bytes] | None:
        """Start the stand-in for the Unity Editor where it is needed; the caller ends it."""
        if not self.needs_partner:
            return None
        return subprocess.Popen(editor_command(self.interpreter), stdin=subprocess.DEVNULL)  # noqa: S603
