"""Making what tests need, as plain functions."""

from __future__ import annotations

import itertools
import sys
from array import array
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from reports.models import Report
from sessions.domain.preflight.installed import Installed
from sessions.domain.states import State
from sessions.metrics.collecting import Histogram as WrittenHistogram
from sessions.metrics.collecting import Text as WrittenText
from sessions.metrics.events import Point
from sessions.models import (
    Artifact,
    Connection,
    Environment,
    Evaluation,
    EvaluationRun,
    EventFile,
    HealthFinding,
    Import,
    ImportedRun,
    KeptConfig,
    Machine,
    ModelInspection,
    OutsideCheckpoint,
    ParserVerdict,
    PortLease,
    Removal,
    RetentionPolicy,
    SignInLink,
    TaughtCause,
    Trainer,
    TrainingSession,
    Trial,
    TrialRun,
)
from sessions.services import distributions, points, starting
from sessions.services.planning import StartRequest
from sessions.trainers import packages

CONFIG = b"behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 2000\n    summary_freq: 500\n"
NOWHERE = "/nowhere/python"
PACKAGES = {"mlagents": "1.1.0", "torch": "2.2.2", "numpy": "1.23.5", "protobuf": "3.20.3"}
_numbers = itertools.count(1)


def make_user(name: str, *permissions: str, admin: bool = False) -> User:
    """A user with the permissions named, such as start_session."""
    user = User.objects.create_user(name, password="correct horse battery", is_superuser=admin, is_staff=admin)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return User.objects.get(pk=user.pk)


def make_practice_trainer() -> Trainer:
    """The practice trainer, as discovery stores it."""
    columns = {"kind": "practice", "interpreter": sys.executable, "origin": "bundled", "version": "0.1.0"}
    return Trainer.objects.get_or_create(name="practice", defaults=columns)[0]


def make_mlagents_trainer() -> Trainer:
    """An mlagents trainer that is never started."""
    packages.remember(NOWHERE, Installed("3.10.12", PACKAGES, cuda="12.1", stamp="0"), ())
    columns = {"kind": "mlagents", "interpreter": NOWHERE, "origin": "path", "version": "1.1.0"}
    return Trainer.objects.get_or_create(name="mlagents", defaults=columns)[0]


def make_machine() -> Machine:
    from django.conf import settings

    return Machine.objects.get_or_create(name=settings.MENTOR_MACHINE)[0]


def make_request(**changes: Any) -> StartRequest:
    """A request that is right, with a run id of its own."""
    return StartRequest(**{"run_id": f"ball-{next(_numbers)}", "config": CONFIG, "trainer": "practice", **changes})


def make_session(*, owner: User, state: State = State.QUEUED, **changes: Any) -> TrainingSession:
    """A session that was started by the service and then put into a state."""
    make_practice_trainer()
    session = starting.start_session(make_request(**changes), by=owner)
    if state is not State.QUEUED:
        TrainingSession.objects.filter(pk=session.pk).update(state=state.value)
        session.attempts.update(state=state.value, machine=make_machine())
        session.refresh_from_db()
    return session


def make_one_of_everything(owner: User) -> TrainingSession:
    """A running session "ball" with a row of every model beside it."""
    session = make_session(owner=owner, run_id="ball", state=State.RUNNING)
    attempt = session.attempts.get()
    file = {"size": 1, "modified_ns": 1}
    build = Environment.objects.create(name="Ball", path="/builds/Ball", sha256="0", **file)
    Connection.objects.create(
        digest="0", environment=build, trainer=session.trainer, sha256="0", asked_at=timezone.now()
    )
    OutsideCheckpoint.objects.create(name="Old", path="/old/Ball.pt", kind="pt", size=1, sha256="0")
    PortLease.objects.create(machine=make_machine(), port=5005, attempt=attempt)
    SignInLink.objects.create(user=owner, digest="0", expires_at=timezone.now() + timedelta(minutes=1))
    EventFile.objects.create(attempt=attempt, path="Ball/events", behavior="Ball")
    written = WrittenHistogram("Environment/Cumulative Reward_hist", 1, 1e9, array("d", [0.0, 1.0, 2.0]))
    distributions.keep_histograms(attempt.pk, "Ball", [written])
    distributions.keep_texts(
        attempt.pk, "Ball", [WrittenText("Hyperparameters/text_summary", 0, 1e9, "batch_size: 64")]
    )
    points.append(attempt, "Ball", [Point("Environment/Cumulative Reward", step, 1e9 + step, 0.5) for step in (1, 2)])
    Artifact.objects.create(
        session=session, attempt=attempt, path="Ball.onnx", behavior="Ball", kind="onnx", step=2, **file
    )
    evaluation = Evaluation.objects.create(session=session, behavior="Ball", episodes=1, trainer="x", asked_by="ada")
    EvaluationRun.objects.create(evaluation=evaluation, seed=1, run_id="ball-eval-1")
    HealthFinding.objects.create(
        attempt=attempt, behavior="Ball", kind="nan", step=2, at=1e9, title="A value is no number"
    )
    trial = Trial.objects.create(
        owner=owner, run_id="ball", trainer=session.trainer, environment=build, config=CONFIG, asked_by="ada",
        present={"num_envs": 1, "time_scale": None, "device": None}, seconds=30.0,
    )  # fmt: skip
    TrialRun.objects.create(trial=trial, number=1, setting=trial.present, run_id="ball-trial-1")
    KeptConfig.objects.create(name="Ball", version=1, text=CONFIG.decode(), kept_by=owner)
    TaughtCause.objects.create(text="the moon is full", title="Moon", fix="Wait.", taught_by=owner)
    ParserVerdict.objects.create(digest="ball", trainer=session.trainer, config=CONFIG, asked_at=timezone.now())
    ModelInspection.objects.create(sha256="ba11", problem="ball", asked_at=timezone.now())
    source = Import.objects.create(machine=make_machine(), folder="/results", asked_by=owner, remarks=[["a", "why"]])
    ImportedRun.objects.create(session=None, source=source, folder="/results/a", name="a", format="results")
    Removal.objects.create(run_id="gone", who="ada", why="The trash was emptied.")
    RetentionPolicy.objects.create(pk=1)
    Report.objects.create(session=session, title="Ball", name="ball.html", size=1)
    return session
