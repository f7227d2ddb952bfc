"""The facts about a session from which advice is given: its timers, what it took of the machine, its settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions.domain import advice
from sessions.domain.advice import Advice, Behavior, Facts, Shares
from sessions.domain.config import Config, ConfigError, read_config
from sessions.domain.configuration.relations import number_of
from sessions.domain.resources import CPU, GPU, MEMORY, OF_THE_ATTEMPT, TRAINER_CPU
from sessions.domain.states import ACTIVE, ENDED, State
from sessions.domain.timers import Timers, beginning, simulating
from sessions.models import Attempt, Machine, Series, TrainingSession
from sessions.selectors.hardware import cores, memory_of_machine
from sessions.selectors.inspections import READY, models_of
from sessions.selectors.last_words import last_words_of
from sessions.selectors.points import points_between
from sessions.trainers.packages import installed_beside

# So many of the newest samples are averaged: five minutes of a young training.
SAMPLES = 60
# Of less, shares say nothing.
LEAST_SECONDS = 1.0
HYPERPARAMETERS = ("batch_size", "buffer_size", "num_epoch", "steps_per_update")


@dataclass(frozen=True)
class AdviceShape:
    """What would make a session faster, and how it is known."""

    basis: str = field(metadata={"help": "What the advice rests on, and what is not known."})
    shares: dict[str, float] = field(metadata={"help": "Where the time went, in words, as shares of 1."})
    advice: list[Advice]


def advice_of(session: TrainingSession) -> AdviceShape:
    """Return what would make a session faster: of one that trains, from its CPU; of one that ended, from timers too."""
    facts = facts_of(session)
    shares = dict(advice.as_shares(facts.shares)) if facts.shares else {}
    return AdviceShape(advice.basis(facts), shares, advice.advise(facts))


def facts_of(session: TrainingSession) -> Facts:
    """Return what is known of a session's speed."""
    attempt = session.attempts.order_by("-number").first()
    own = session.origin != "imported"
    used = means(attempt) if attempt is not None and attempt.progressed_at is not None else {}
    machine = attempt.machine if attempt is not None and own else None
    config = _config(session)
    options = session.options
    total, free = memory_of_machine() if own else (None, None)
    return Facts(
        build=_build(session),
        running=State(session.state) in ACTIVE,
        shares=_shares(session, attempt),
        cores=cores() if own else None,
        cpu=used.get(CPU),
        trainer_cpu=used.get(TRAINER_CPU),
        memory=used.get(MEMORY),
        memory_free=free,
        memory_total=total,
        gpus=len(machine.gpus) if machine else 0,
        cuda=_cuda(session, machine),
        gpu=used.get(GPU),
        device=options.get("device") or (attempt.device if attempt else "") or None,
        num_envs=int(options.get("num_envs") or 1),
        time_scale=float(options.get("time_scale") or advice.USUAL_TIME_SCALE),
        no_graphics=bool(options.get("no_graphics")),
        visual=_visual(session),
        threaded=any(one.get("threaded") is True for one in _settings(config)) if config else False,
        behaviors=tuple(_behavior(name, config) for name in config.behaviors) if config else (),
    )


def means(attempt: Attempt, *, since: float = 0.0) -> dict[str, float]:
    """Return the means of what an attempt took, by tag, over its newest samples from a moment (since 1970) on."""
    found = {}
    for series in Series.objects.filter(attempt=attempt, behavior=OF_THE_ATTEMPT):
        points = points_between(series, max(0, series.count - SAMPLES)).lists()
        pairs = zip(points.wall_times, points.values, strict=True)
        values = [value for at, value in pairs if at >= since and math.isfinite(value)]
        if values:
            found[series.tag] = sum(values) / len(values)
    return found


def can_use_gpu(interpreter: str) -> bool | None:
    """Tell whether the PyTorch beside an interpreter was built for GPUs; None is unknown."""
    cuda = installed_beside(interpreter).cuda
    return None if cuda is None else bool(cuda)


def _cuda(session: TrainingSession, machine: Machine | None) -> bool | None:
    """Asked only where there is a GPU."""
    if machine is None or not machine.gpus or session.trainer.kind != "mlagents":
        return None
    return can_use_gpu(session.trainer.interpreter)


def _build(session: TrainingSession) -> bool | None:
    if session.environment_id is not None:
        return True
    return False if session.trainer.kind == "mlagents" else None


def _config(session: TrainingSession) -> Config | None:
    try:
        return read_config(bytes(session.config_used))
    except ConfigError:
        return None


def _settings(config: Config) -> list[dict[str, Any]]:
    return [config.settings_of(name) for name in config.behaviors]


def _behavior(name: str, config: Config) -> Behavior:
    settings = config.settings_of(name)
    network = settings.get("network_settings")
    kind = config.behaviors[name].trainer_type
    return Behavior(
        name=name,
        trainer_type=kind,
        **{one: number_of(settings, one) for one in HYPERPARAMETERS if _has(kind, one)},
        hidden_units=_whole(network, "hidden_units", 128),
        num_layers=_whole(network, "num_layers", 2),
        checkpoint_interval=config.behaviors[name].checkpoint_interval,
    )


def _has(kind: str, name: str) -> bool:
    return name in ("batch_size", "buffer_size") or (name == "num_epoch") == (kind in advice.ON_POLICY)


def _whole(network: Any, name: str, usual: int) -> int | None:
    value = network.get(name, usual) if isinstance(network, Mapping) else usual
    return value if isinstance(value, int) else None


def _shares(session: TrainingSession, attempt: Attempt | None) -> Shares | None:
    """From the timers of the last attempt; those of an earlier one stay until it ends, and say nothing of it."""
    if attempt is None or State(session.state) not in ENDED:
        return None
    written = last_words_of(session).timers
    began = attempt.started_at
    if written.value is None or written.written_at is None or (began is not None and written.written_at < began):
        return None
    return shares_of(written.value, num_envs=int(session.options.get("num_envs") or 1))


def shares_of(timers: Timers, *, num_envs: int) -> Shares | None:
    """Return where the time went, without what starting the environments took; None where that is not told."""
    spent = timers.spent
    if spent is None:
        return None
    began = beginning(timers.root)
    whole = spent.whole - began
    if whole < LEAST_SECONDS:
        return None
    computed = simulating(timers.root)
    return Shares(
        environment=max(0.0, spent.environment - began) / whole,
        acting=spent.acting / whole,
        learning=spent.learning / whole,
        saving=spent.saving / whole,
        simulating=min(1.0, computed / (whole * num_envs)) if computed > 0 else None,
    )


def _visual(session: TrainingSession) -> bool | None:
    """Whether a model takes pictures: of three dimensions beside that of the batch."""
    known = [one for one in models_of(session) if one.state == READY]
    if not known:
        return None
    return any(len(value.get("shape") or ()) == 4 for one in known for value in one.inputs)
