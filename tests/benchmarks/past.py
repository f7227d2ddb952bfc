"""A long history made up for measuring: sessions as years of work leave them, and the points of some of them."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from django.contrib.auth.models import User
from django.db import transaction

from sessions.domain.states import ENDED, State
from sessions.metrics.codec import Points
from sessions.models import (
    Attempt,
    BehaviorProgress,
    Environment,
    Machine,
    Series,
    SessionEvent,
    Trainer,
    TrainingSession,
)
from sessions.services.points import append_columns

BEGIN = datetime(2023, 1, 1, tzinfo=timezone.utc)
BEHAVIORS = [
    f"{kind}{number or ''}" for kind in ("Ball", "Walker", "Crawler", "Goalie", "Striker") for number in range(8)
]
TAGS = [f"{kind}-{number}" for kind in ("baseline", "sweep", "seed", "paper") for number in range(10)]
TEXT = "reward shaping lower entropy after the plateau with a longer horizon and two more layers was worse than before"
WORDS = TEXT.split()
SERIES = [f"{group}/{number}" for group in ("Losses", "Policy", "Environment") for number in range(10)]
REWARD = "Environment/Cumulative Reward"
STATES = [State.COMPLETED] * 12 + [State.STOPPED] * 4 + [State.FAILED] * 3 + [State.LOST, State.PAUSED]
CONFIG = b"behaviors:\n" + b"  Ball:\n    trainer_type: ppo\n    max_steps: 2000\n    summary_freq: 500\n" * 20
AT_ONCE = 500


def fill(count: int, *, tags: int, owners: Sequence[User]) -> list[int]:
    """Store sessions with attempts, behaviors, events and series without points; return the keys of their attempts."""
    chance = random.Random(count)
    machine, _ = Machine.objects.get_or_create(name="bench")
    trainers = [
        Trainer.objects.get_or_create(name=f"trainer {n}", kind="mlagents", interpreter=f"/{n}/python")[0]
        for n in range(3)
    ]
    builds = [
        Environment.objects.get_or_create(name=f"Build {n}", path=f"/builds/{n}", sha256="0", size=1, modified_ns=1)[0]
        for n in range(8)
    ]
    keys: list[int] = []
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(count, start + AT_ONCE))
        with transaction.atomic():
            sessions = [_session(number, chance, owners, trainers, builds) for number in numbers]
            created = [session.created_at for session in sessions]
            TrainingSession.objects.bulk_create(sessions)
            for session, at in zip(sessions, created, strict=True):
                session.created_at = at
            TrainingSession.objects.bulk_update(sessions, ["created_at"])
            keys += _parts(sessions, chance, machine, tags)
    return keys


def _session(
    number: int, chance: random.Random, owners: Sequence[User], trainers: list[Trainer], builds: list[Environment]
) -> TrainingSession:
    at = BEGIN + timedelta(hours=2.5 * number, seconds=chance.random() * 3600)
    state = chance.choice(STATES) if number % 300 else chance.choice([State.RUNNING, State.QUEUED])
    return TrainingSession(
        run_id=f"{chance.choice(BEHAVIORS).lower()}-{number}",
        name=" ".join(chance.choices(WORDS, k=3)) if number % 3 == 0 else "",
        notes=" ".join(chance.choices(WORDS, k=chance.choice([0, 0, 40, 300]))),
        tags=chance.sample(TAGS, chance.randrange(4)),
        owner=chance.choice(owners),
        state=state.value,
        explanation=f"All behaviors reached their {chance.randrange(10**6):,} steps.",
        trainer=chance.choice(trainers),
        environment=chance.choice([None, *builds]),
        config_given=CONFIG,
        config_used=CONFIG,
        options={"num_envs": 1, "seed": number},
        priority=chance.choice([0, 0, 0, 5]),
        created_at=at,
        started_at=at + timedelta(minutes=1),
        ended_at=at + timedelta(hours=2) if state in ENDED else None,
        trashed_at=at if number % 50 == 7 else None,
    )


def _parts(sessions: list[TrainingSession], chance: random.Random, machine: Machine, tags: int) -> list[int]:
    attempts = [
        Attempt(
            session=session,
            number=number,
            state=session.state if number == last else State.STOPPED.value,
            machine=machine,
            cookie=f"{session.pk}-{number}",
            resume=number > 1,
            command=["mlagents-learn", "config.yaml", f"--run-id={session.run_id}"] * 5,
            saved=[{"path": f"Ball/Ball-{n}.onnx", "sha256": "0" * 64, "size": 10**6} for n in range(5)],
            started_at=session.started_at,
            ended_at=session.ended_at,
        )
        for session in sessions
        for last in [chance.choice([1, 1, 1, 2, 3])]
        for number in range(1, last + 1)
    ]
    Attempt.objects.bulk_create(attempts)
    behaviors = [(session, chance.sample(BEHAVIORS, chance.choice([1, 1, 1, 2]))) for session in sessions]
    BehaviorProgress.objects.bulk_create(
        BehaviorProgress(
            session=session, name=name, step=10**6, max_steps=10**6, mean_reward=chance.gauss(0, 1), seen=True
        )
        for session, names in behaviors
        for name in names
    )
    SessionEvent.objects.bulk_create(
        SessionEvent(session=session, from_state="running", to_state="completed", who="supervisor", why="All steps.")
        for session in sessions
        for _ in range(6)
    )
    first = [attempt for attempt in attempts if attempt.number == 1]
    Series.objects.bulk_create(
        Series(
            attempt=attempt, behavior=names[0], tag=tag, count=1000, first_step=1000, last_step=10**6,
            first_time=0.0, last_time=1.0, last_value=0.5, min_value=-1.0, max_value=1.0, compact=True,
        )
        for attempt, (_, names) in zip(first, behaviors, strict=True)
        for tag in SERIES[:tags]
    )  # fmt: skip
    return [attempt.pk for attempt in first]


def training(count: int, seed: int) -> Points:
    """Points as a training writes them: even steps, a summary about every 30 s, noise in 32 bits."""
    noise = random.Random(seed)
    times, at = array("d"), 1.7e9
    for _ in range(count):
        at += noise.gauss(30, 3)
        times.append(at)
    values = array("f", (10 * math.tanh(3 * n / count) + noise.gauss(0, 1) for n in range(count)))
    return Points(array("q", range(5000, 5000 * (count + 1), 5000)), times, array("d", values))


def write(attempts: Sequence[int], tags: Sequence[str], points: int, *, at_once: int) -> int:
    """Store points for each tag of these attempts as a training would, `at_once` at a time; return how many in all."""
    for attempt in attempts:
        some = {(attempt, "Bench", tag): training(points, attempt * 100 + n) for n, tag in enumerate(tags)}
        for part in pieces(points, at_once):
            with transaction.atomic():
                append_columns({key: found[part] for key, found in some.items()})
    return len(attempts) * len(tags) * points


def pieces(count: int, at_once: int) -> Iterator[slice]:
    for start in range(0, count, at_once):
        yield slice(start, start + at_once)
