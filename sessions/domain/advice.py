"""What would make a training faster: from where its time went and what it took of the machine.

Every bound is Amdahl's: with a share p of the time made k times as fast, the whole is 1 / (1 - p + p / k) times as fast
(Amdahl 1967). It is what a change can bring at most, never a promise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# A part of the time below this is not worth a word.
WORTH_SHARE = 0.4
WORTH_SAVING = 0.1
USUAL_TIME_SCALE, FASTEST_TIME_SCALE = 20.0, 100.0
MOST_ENVIRONMENTS = 64
SMALL_UNITS, SMALL_LAYERS, LARGE_UNITS = 128, 2, 256
LARGEST_BATCH = {True: 2048, False: 512}
USUAL_EPOCHS = 3
# Of a core: below it an environment waits more than it computes, above it a process has its core for itself.
WAITING, BUSY = 0.6, 0.85
FULL_MEMORY = 0.9
ON_POLICY = ("ppo", "poca")
CHANGES_LEARNING = "This changes what is learned, not only how fast: compare the rewards."


@dataclass(frozen=True)
class Behavior:
    """What matters of one behavior's settings; None is unknown."""

    name: str
    trainer_type: str = "ppo"
    batch_size: int | None = None
    buffer_size: int | None = None
    num_epoch: int | None = None
    steps_per_update: float | None = None
    hidden_units: int | None = None
    num_layers: int | None = None
    checkpoint_interval: int | None = None

    @property
    def small(self) -> bool:
        """Whether a GPU has little to do with its network."""
        known = self.hidden_units is not None and self.num_layers is not None
        return known and self.hidden_units <= SMALL_UNITS and self.num_layers <= SMALL_LAYERS  # type: ignore[operator]


@dataclass(frozen=True)
class Shares:
    """Where the main process spent its time, as shares of 1 without the start of the environments.

    `simulating` is how much of the time an environment computed in Unity, on average; None when it is not told.
    """

    environment: float
    acting: float
    learning: float
    saving: float
    simulating: float | None = None


@dataclass(frozen=True)
class Facts:
    """One training and its machine; None is unknown. CPU is in percent of one core, memory in bytes."""

    # Whether it trains in a build; False is the Unity Editor.
    build: bool | None = True
    running: bool = False
    shares: Shares | None = None
    cores: int | None = None
    cpu: float | None = None
    trainer_cpu: float | None = None
    memory: float | None = None
    memory_free: float | None = None
    memory_total: float | None = None
    gpus: int = 0
    # Whether the trainer's PyTorch can use a GPU.
    cuda: bool | None = None
    gpu: float | None = None
    device: str | None = None
    num_envs: int = 1
    time_scale: float = USUAL_TIME_SCALE
    no_graphics: bool = False
    # Whether an agent sees through a camera.
    visual: bool | None = None
    # Whether a behavior learns in a thread of its own, whose time the shares leave out.
    threaded: bool = False
    behaviors: tuple[Behavior, ...] = ()

    @property
    def on_gpu(self) -> bool | None:
        """Whether PyTorch computes on a GPU: what was asked for, else what it chooses by itself."""
        if self.device is not None:
            return self.device != "cpu"
        return bool(self.cuda) if self.gpus else False

    @property
    def idle_cores(self) -> float | None:
        """Cores that this training leaves idle; others may use them."""
        return max(0.0, self.cores - self.cpu / 100) if self.cores is not None and self.cpu is not None else None

    @property
    def environment_cpu(self) -> float | None:
        """Cores that one environment takes, with what speaks for it."""
        if self.cpu is None or self.trainer_cpu is None:
            return None
        return max(0.0, self.cpu - self.trainer_cpu) / 100 / max(1, self.num_envs)


@dataclass(frozen=True)
class Advice:
    """A piece of advice. `changes` are fields of a start; `gain` is how many times as fast it can be at most."""

    id: str
    title: str
    why: str = field(metadata={"help": "The figures that speak for it."})
    change: str = field(metadata={"help": "What to change, and what to mind."})
    changes: dict[str, Any] = field(default_factory=dict)
    gain: float | None = None


def advise(facts: Facts) -> list[Advice]:
    """Return what would make this training faster, what helps most often first; empty when nothing is known to."""
    return [one for part in _PARTS for one in part(facts)]


def faster(share: float, times: float = math.inf) -> float | None:
    """Return Amdahl's bound: how many times as fast the whole is when a share of its time goes `times` as fast."""
    left = 1 - share + share / times
    return 1 / left if left > 0.005 else None


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _waits_for_unity(facts: Facts) -> bool:
    """Whether most of the time goes to environments: as the timers say, or while they are missing, the CPU."""
    if facts.shares is not None:
        return facts.shares.environment >= WORTH_SHARE
    env, own = facts.environment_cpu, facts.trainer_cpu
    return env is not None and own is not None and env >= BUSY and own / 100 <= WAITING


def _waits_for_a_clock(facts: Facts) -> bool:
    """Whether, as far as the CPU tells, neither the trainer nor an environment has much to do."""
    env, own = facts.environment_cpu, facts.trainer_cpu
    if facts.shares is not None or env is None or own is None or (facts.gpu or 0.0) / 100 > WAITING:
        return False
    return env < WAITING and own / 100 < WAITING


def _of_unity(facts: Facts) -> str:
    """The figures about the environments in a sentence."""
    if facts.shares is None:
        return (
            f"An environment takes {facts.environment_cpu or 0:.1f} cores, the trainer itself "
            f"{(facts.trainer_cpu or 0) / 100:.1f}."
        )
    said = f"Waiting for the environment took {_percent(facts.shares.environment)} of the time"
    if facts.shares.simulating is not None:
        said += f", Unity's answers alone {_percent(facts.shares.simulating)}"
    idle = facts.idle_cores
    if idle is not None and idle >= 1:
        said += f", while this training left {idle:.0f} of {facts.cores} cores idle"
    return said + "."


def _gain(facts: Facts, times: float = math.inf) -> float | None:
    return faster(facts.shares.environment, times) if facts.shares else None


def _environments(facts: Facts) -> Iterator[Advice]:
    idle = facts.idle_cores
    if not facts.build or not _waits_for_unity(facts) or idle is None or facts.cores is None or idle < 1:
        return
    taken = max(0.5, facts.environment_cpu) if facts.environment_cpu is not None else 1.0
    wanted = min(facts.num_envs + int(idle / taken), facts.cores, MOST_ENVIRONMENTS)
    if facts.memory is not None and facts.memory_free is not None:
        # What one takes is less than its part of the whole, in which the trainer is, too.
        one = max(1.0, facts.memory / max(1, facts.num_envs))
        wanted = min(wanted, facts.num_envs + int(0.8 * facts.memory_free / one))
    if wanted > facts.num_envs:
        yield Advice(
            "more_environments",
            "Let more environments run side by side",
            _of_unity(facts),
            f"Set num_envs to {wanted} instead of {facts.num_envs}. Each takes a port, and memory of its own. With "
            "more agents a buffer is full sooner: buffer_size may have to grow with them.",
            {"num_envs": wanted},
            _gain(facts, wanted / facts.num_envs),
        )


def _time_scale(facts: Facts) -> Iterator[Advice]:
    waits = _waits_for_unity(facts) or _waits_for_a_clock(facts)
    if not waits or facts.time_scale >= FASTEST_TIME_SCALE:
        return
    slow = facts.time_scale < USUAL_TIME_SCALE
    idle = facts.environment_cpu is not None and facts.environment_cpu < WAITING
    if not slow and not idle:
        return  # Unity computes as fast as it can already
    wanted = USUAL_TIME_SCALE if slow else FASTEST_TIME_SCALE
    why = _of_unity(facts)
    if idle:
        why += " It computes for a part of that only, and waits for its own clock otherwise."
    yield Advice(
        "time_scale",
        "Let the time in Unity pass faster",
        why,
        f"Set time_scale to {wanted:g} instead of {facts.time_scale:g}. Above {USUAL_TIME_SCALE:g} fewer frames are "
        "computed for each second of the simulation: physics and scripts that count frames may behave differently.",
        {"time_scale": wanted},
        _gain(facts, wanted / facts.time_scale),
    )


def _graphics(facts: Facts) -> Iterator[Advice]:
    if not facts.build or facts.no_graphics or facts.visual or not _waits_for_unity(facts):
        return
    sees = "No agent sees through a camera." if facts.visual is False else ""
    mind = "" if facts.visual is False else " Not when an agent sees through a camera: its pictures would be empty."
    yield Advice(
        "no_graphics",
        "Do not draw",
        f"{_of_unity(facts)} {sees}".strip(),
        f"Set no_graphics, so that Unity renders nothing.{mind}",
        {"no_graphics": True},
        _gain(facts),
    )


def _editor(facts: Facts) -> Iterator[Advice]:
    if facts.build is False and facts.shares is not None and facts.shares.environment >= WORTH_SHARE:
        yield Advice(
            "build",
            "Train in a build instead of the Editor",
            _of_unity(facts),
            "Build the scene and choose it as the environment. A build is faster than the Editor, needs no Play, and "
            "several can run side by side.",
            gain=_gain(facts),
        )


def _too_many(facts: Facts) -> Iterator[Advice]:
    if facts.cores is None or facts.num_envs <= max(1, facts.cores):
        return
    taken = f" All together took {facts.cpu / 100:.1f} cores." if facts.cpu is not None else ""
    wanted = max(1, facts.cores - 1)
    yield Advice(
        "fewer_environments",
        "Let fewer environments run side by side",
        f"{facts.num_envs} environments share {facts.cores} cores with the trainer.{taken}",
        f"Set num_envs to {wanted}: more than there are cores wait for one another and for the trainer.",
        {"num_envs": wanted},
    )


def _memory(facts: Facts) -> Iterator[Advice]:
    if facts.memory is None or not facts.memory_total or facts.memory / facts.memory_total < FULL_MEMORY:
        return
    fewer = facts.num_envs > 1
    yield Advice(
        "memory",
        "Take less memory",
        f"The training takes {_percent(facts.memory / facts.memory_total)} of the machine's memory; what does not fit "
        "is swapped to the disk, which slows everything.",
        "Take fewer environments or a smaller buffer_size.",
        {"num_envs": max(1, facts.num_envs // 2)} if fewer else {},
    )


def _one_busy(facts: Facts) -> Iterator[Advice]:
    """While the timers are missing: the trainer's process has a core of its own to do, and the environments wait."""
    env, own = facts.environment_cpu, facts.trainer_cpu
    if facts.shares is not None or env is None or own is None or own / 100 < BUSY or env > WAITING:
        return
    yield Advice(
        "trainer_bound",
        "The trainer itself is what takes the time",
        f"Its process takes {own / 100:.1f} cores, an environment {env:.1f}.",
        "More environments would hardly help. Whether it chooses actions or learns is told at the end, by timers.json.",
    )


def _learning(facts: Facts) -> Iterator[Advice]:
    shares = facts.shares
    if shares is None or shares.learning < WORTH_SHARE:
        return
    why = f"Learning took {_percent(shares.learning)} of the time."
    for one in facts.behaviors:
        yield from _larger_batch(one, why, shares.learning)
        yield from _fewer_epochs(one, why, shares.learning)
        yield from _rarer_updates(one, why, shares.learning)
        yield from _smaller_network(one, why, shares.learning + shares.acting)


def _override(one: Behavior, name: str, value: float) -> dict[str, Any]:
    return {"overrides": {f"behaviors.{one.name}.{name}": value}}


def _larger_batch(one: Behavior, why: str, share: float) -> Iterator[Advice]:
    batch, buffer = one.batch_size, one.buffer_size
    if batch is None or buffer is None:
        return
    on_policy = one.trainer_type in ON_POLICY
    wanted = min(4 * batch, LARGEST_BATCH[on_policy], buffer // 4 if on_policy else buffer)
    if wanted >= 2 * batch:
        said = f" Each update of {one.name} is {buffer // batch:,} batches." if on_policy else ""
        yield Advice(
            f"batch_size:{one.name}",
            f"Learn from larger batches: {one.name}",
            f"{why}{said}",
            f"Set batch_size to {wanted:,} instead of {batch:,}. {CHANGES_LEARNING}",
            _override(one, "hyperparameters.batch_size", wanted),
            faster(share, wanted / batch),
        )


def _fewer_epochs(one: Behavior, why: str, share: float) -> Iterator[Advice]:
    if one.num_epoch is not None and one.trainer_type in ON_POLICY and one.num_epoch > USUAL_EPOCHS:
        yield Advice(
            f"num_epoch:{one.name}",
            f"Go through each buffer less often: {one.name}",
            f"{why} Every step is learned from {one.num_epoch} times.",
            f"Set num_epoch to {USUAL_EPOCHS}, as ML-Agents does unless told. {CHANGES_LEARNING}",
            _override(one, "hyperparameters.num_epoch", USUAL_EPOCHS),
            faster(share, one.num_epoch / USUAL_EPOCHS),
        )


def _rarer_updates(one: Behavior, why: str, share: float) -> Iterator[Advice]:
    if one.trainer_type == "sac" and one.steps_per_update is not None:
        wanted = max(1.0, 2 * one.steps_per_update)
        yield Advice(
            f"steps_per_update:{one.name}",
            f"Learn after more steps: {one.name}",
            f"{why} It learns once every {one.steps_per_update:g} steps.",
            f"Set steps_per_update to {wanted:g}; the number of agents is a good value. {CHANGES_LEARNING}",
            _override(one, "hyperparameters.steps_per_update", wanted),
            faster(share, wanted / one.steps_per_update),
        )


def _smaller_network(one: Behavior, why: str, share: float) -> Iterator[Advice]:
    if one.hidden_units is not None and one.hidden_units >= LARGE_UNITS:
        wanted = one.hidden_units // 2
        yield Advice(
            f"hidden_units:{one.name}",
            f"A smaller network: {one.name}",
            f"{why} Its layers have {one.hidden_units} units.",
            f"Set hidden_units to {wanted}. No earlier checkpoint fits the new network. {CHANGES_LEARNING}",
            _override(one, "network_settings.hidden_units", wanted),
            faster(share, 4),  # the products of a layer grow with the square of its units
        )


def _device(facts: Facts) -> Iterator[Advice]:
    shares = facts.shares
    if shares is None or not facts.gpus or not facts.behaviors:
        return
    computing = shares.learning + shares.acting
    small = all(one.small for one in facts.behaviors) and facts.visual is not True
    if computing < WORTH_SHARE:
        return
    why = f"Choosing actions and learning took {_percent(computing)} of the time"
    if facts.on_gpu and small:
        seen = f", and the GPU was busy for {facts.gpu:.0f} % of it" if facts.gpu is not None else ""
        yield Advice(
            "cpu",
            "Compute on the CPU",
            f"{why}{seen}; the networks are small, and carrying data to a GPU and back takes longer than they do.",
            "Set device to cpu, and measure: a trial tells which of both is faster.",
            {"device": "cpu"},
            faster(computing),
        )
    elif not facts.on_gpu and not small and facts.cuda:
        yield Advice(
            "gpu",
            "Compute on the GPU",
            f"{why}, on the CPU, while the machine has a GPU.",
            "Set device to cuda, and measure: a trial tells which of both is faster.",
            {"device": "cuda"},
            faster(computing),
        )
    elif not facts.on_gpu and not small and facts.cuda is False:
        yield Advice(
            "cuda_build",
            "Install a PyTorch that can use the GPU",
            f"{why}, on the CPU: the trainer's PyTorch was built without CUDA.",
            "Install PyTorch's CUDA build beside the trainer.",
            gain=faster(computing),
        )


def _saving(facts: Facts) -> Iterator[Advice]:
    shares = facts.shares
    if shares is None or shares.saving < WORTH_SAVING:
        return
    for one in facts.behaviors:
        if one.checkpoint_interval is not None:
            wanted = 4 * one.checkpoint_interval
            yield Advice(
                f"checkpoint_interval:{one.name}",
                f"Save less often: {one.name}",
                f"Saving took {_percent(shares.saving)} of the time.",
                f"Set checkpoint_interval to {wanted:,} instead of {one.checkpoint_interval:,}. After a crash more is "
                "lost.",
                _override(one, "checkpoint_interval", wanted),
                faster(shares.saving, 4),
            )


_PARTS = (
    _environments, _time_scale, _graphics, _editor, _too_many, _memory, _one_busy, _learning, _device, _saving,
)  # fmt: skip


def basis(facts: Facts) -> str:
    """Return in a sentence what the advice rests on, and what is not known."""
    if facts.shares is not None:
        said = "From timers.json: where the trainer's main process spent its time, without starting the environments."
        return f"{said} What is learned in a thread of its own (threaded) is not in it." if facts.threaded else said
    if facts.environment_cpu is not None:
        return "Only the CPU's use is known: timers.json is written when the training ends."
    if facts.running:
        return "Nothing is known yet: the first figures come after some seconds, timers.json when the training ends."
    return (
        "Nothing can be said: this session has no timers.json of its last attempt, which was killed or never trained."
    )


def as_shares(shares: Shares) -> Mapping[str, float]:
    """Return the shares by their words."""
    return {
        "the environment": shares.environment,
        "choosing actions": shares.acting,
        "learning": shares.learning,
        "saving": shares.saving,
    }
