"""The facts from which advice is given are those of the last attempt, and none where there are none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sessions.domain.resources import CPU, MEMORY, TRAINER_CPU
from sessions.domain.states import State
from sessions.domain.timers import read_timers
from sessions.models import Attempt, Machine, TrainingSession
from sessions.selectors import advice
from sessions.services.resources import Sample, store
from tests.factories import make_mlagents_trainer, make_session
from tests.sessions.attempts import OnDisk
from tests.sessions.services.queueing import make_build_session

TIMERS = Path(__file__).parents[2] / "golden" / "run_logs" / "timers.json"
CONFIG = b"""\
default_settings: {trainer_type: ppo, network_settings: {hidden_units: 512}}
behaviors:
  Ball: {hyperparameters: {batch_size: 32}}
  Fish: {threaded: true}
"""


@pytest.fixture
def session(ada: User, home: Path, tmp_path: Path) -> TrainingSession:
    """Ball trains in a build, with what it took of the machine."""
    ball = make_build_session(ada, tmp_path, run_id="ball", state=State.RUNNING, config=CONFIG, num_envs=2)
    Attempt.objects.update(progressed_at=timezone.now())
    for share in (100.0, 200.0):
        store([Sample(ball.attempts.get().pk, {CPU: share, TRAINER_CPU: 40.0, MEMORY: 1e9})])
    return ball


def ended(session: TrainingSession, **columns: object) -> TrainingSession:
    Attempt.objects.update(state=State.STOPPED.value, **columns)
    TrainingSession.objects.update(state=State.STOPPED.value)
    return TrainingSession.objects.get(pk=session.pk)


def test_what_it_took_and_how_it_was_started_are_facts(session: TrainingSession) -> None:
    facts = advice.facts_of(session)
    assert (facts.cpu, facts.trainer_cpu, facts.memory) == (150.0, 40.0, 1e9)
    assert facts.environment_cpu == pytest.approx(0.55)
    assert (facts.build, facts.running, facts.num_envs, facts.time_scale) == (True, True, 2, 20.0)
    assert facts.shares is None
    assert facts.visual is None
    assert facts.threaded
    ball, fish = facts.behaviors
    assert (ball.batch_size, ball.num_epoch, ball.hidden_units, ball.num_layers) == (32, 3, 512, 2)
    assert (ball.steps_per_update, fish.batch_size) == (None, 1024)


def test_what_it_took_before_it_trained_says_nothing(session: TrainingSession) -> None:
    Attempt.objects.update(progressed_at=None)
    assert advice.facts_of(session).cpu is None


def test_timers_count_once_it_has_ended_and_only_those_of_the_last_attempt(session: TrainingSession) -> None:
    OnDisk(session).save("run_logs/timers.json", TIMERS.read_bytes())
    assert advice.facts_of(session).shares is None
    shares = advice.facts_of(ended(session)).shares
    assert shares is not None
    # 2.3404 s of stepping without 0.2796 s of acting, of 5.6472 s without 1.4886 s of resetting.
    assert shares.environment == pytest.approx((2.3404 - 0.2796) / (5.6472 - 1.4886), abs=1e-3)
    assert shares.simulating == pytest.approx((3.3318 + 0.0537) / (2 * (5.6472 - 1.4886)), abs=1e-3)
    later = ended(session, started_at=timezone.now() + timedelta(hours=1))
    assert advice.facts_of(later).shares is None


def test_timers_of_something_else_say_nothing() -> None:
    assert advice.shares_of(read_timers(b'{"name": "root", "total": 1, "children": {}}'), num_envs=1) is None
    only_starting = (
        b'{"total": 1.0, "children": {"TrainerController._reset_env": {"total": 1.0}, "env_step": {"total": 0.0001}}}'
    )
    assert advice.shares_of(read_timers(only_starting), num_envs=1) is None


def test_a_gpu_is_a_fact_where_there_is_one(session: TrainingSession) -> None:
    Machine.objects.update(gpus=["A GPU"])
    facts = advice.facts_of(TrainingSession.objects.get(pk=session.pk))
    assert (facts.gpus, facts.cuda, facts.on_gpu) == (1, True, True)


def test_an_attempt_that_never_ran_says_nothing(ada: User, home: Path) -> None:
    make_mlagents_trainer()
    shape = advice.advice_of(ended(make_session(owner=ada, trainer="mlagents")))
    assert (shape.advice, shape.shares) == ([], {})
    assert "Nothing can be said" in shape.basis
