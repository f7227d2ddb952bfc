"""The facts about what is about to be trained, and what the checks make of them."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from sessions.domain.config import Config, ConfigError, read_config
from sessions.domain.preflight.builds import HEAD_BYTES, BuildFacts, check_build, program_of
from sessions.domain.preflight.checks import Check, Level, passed
from sessions.domain.preflight.installed import check_versions
from sessions.domain.preflight.networks import Network
from sessions.domain.preflight.surroundings import (
    GpuFacts,
    check_disk,
    check_display,
    check_gpu,
    check_memory,
    check_paths,
)
from sessions.domain.preflight.training import (
    Demonstration,
    check_behaviors,
    check_checkpoint,
    check_connected,
    check_demonstrations,
    check_fit,
    demo_paths,
)
from sessions.domain.queue import EDITOR_PORT, Room, Wait, Waiting, decide
from sessions.models import (
    BehaviorProgress,
    Connection,
    Environment,
    Machine,
    ParserVerdict,
    PortLease,
    Trainer,
    TrainingSession,
)
from sessions.runtime.ports import port_is_free
from sessions.selectors.disk import free_bytes, reserve_bytes
from sessions.selectors.files import results_of
from sessions.selectors.hardware import memory_of_machine
from sessions.selectors.sessions import visible_sessions
from sessions.trainers import checkpoints
from sessions.trainers.kinds import KINDS
from sessions.trainers.networks import network_in
from sessions.trainers.packages import installed_beside

# Of a folder of demonstrations, so many entries are looked at.
MOST_ENTRIES = 10_000
STATES = NONE, UNASKED, WAITS, ANSWERED = "none", "unasked", "waits", "answered"


@dataclass(frozen=True)
class Intent:
    """What is about to be trained, before and after it is stored.

    `environment` is registered, `build` the file of it that ML-Agents would start, `cwd` where relative paths begin,
    `variables` are those that the trainer will see.
    """

    run_id: str
    trainer: Trainer
    config: Config
    options: Mapping[str, Any]
    results_dir: Path
    cwd: Path
    variables: Mapping[str, str]
    build: Path | None = None
    rebuilt: bool = False
    environment: Environment | None = None

    @property
    def is_mlagents(self) -> bool:
        return self.trainer.kind == "mlagents"


def lasting_checks(intent: Intent) -> list[Check]:
    """Return what can be known at any time, also by who launches: all checks that may refuse a start are among them."""
    return list(_lasting(intent))


def _lasting(intent: Intent) -> Iterator[Check]:
    if intent.is_mlagents:
        found = installed_beside(intent.trainer.interpreter)
        yield check_versions(found, variables=intent.variables)
        verdict = verdict_of(intent)
        if verdict is not None and verdict.answered_at is not None:
            yield _check_parser(verdict)
        yield check_demonstrations([_demonstration(path, intent.cwd) for path in demo_paths(intent.config)])
        machine = Machine.objects.filter(name=settings.MENTOR_MACHINE).first()
        yield check_gpu(GpuFacts(machine.gpus if machine else [], intent.options.get("device")), found)
        connection = connection_of(intent)
        if connection is not None and connection.answered_at is not None:
            yield _check_connection(connection, intent.config)
    if intent.build is not None:
        facts = _build_facts(intent.build, rebuilt=intent.rebuilt)
        yield check_build(facts, platform=sys.platform, machine=platform.machine())
        yield check_display(
            platform=sys.platform,
            variables=intent.variables,
            no_graphics=bool(intent.options.get("no_graphics")),
            native=program_of(facts.head).format == "elf",
        )
    yield check_paths(intent.config.behaviors, str(intent.results_dir / intent.run_id), platform=sys.platform)


def passing_checks(intent: Intent, *, editor: bool) -> list[Check]:
    """Return what holds at this moment only: memory, disk, ports and the Editor. None of them refuses a start."""
    players = int(intent.options.get("num_envs", 1)) if intent.build is not None else 0
    return [
        check_memory(memory_of_machine()[1], players=players, torch=intent.is_mlagents),
        check_disk(free_bytes(intent.results_dir), reserve_bytes()),
        _check_ports(players, editor=editor),
    ]


def check_known_behaviors(config: Config, environment: Environment | None, *, user: User) -> Check:
    """Compare the behaviors with those of the last session that trained in an environment."""
    seen = known_behaviors(environment, user=user) if environment is not None else set()
    return check_behaviors(config, seen)


def known_behaviors(environment: Environment | None, *, user: User) -> set[str]:
    """Return the behaviors that the last session saw in an environment; None is the Unity Editor."""
    rows = BehaviorProgress.objects.filter(
        session__in=visible_sessions(user), session__environment=environment, seen=True
    )
    last = rows.order_by("-session_id").values_list("session_id", flat=True).first()
    return set(rows.filter(session_id=last).values_list("name", flat=True))


def check_going_on(session: TrainingSession, intent: Intent) -> list[Check]:
    """Look at what a session saved, for a training that goes on with it."""
    config, results = intent.config, results_of(session)
    found = {name: _condition(results / name / checkpoints.CURRENT) for name in config.behaviors} if results else {}
    steps = dict(BehaviorProgress.objects.filter(session=session).values_list("name", "step"))
    return [check_checkpoint(found, steps=steps, config=config), check_source(session, intent)]


def check_source(session: TrainingSession, intent: Intent) -> Check:
    """Compare the networks with those of the session that they come from."""
    results = results_of(session)
    files = {name: results / name / checkpoints.CURRENT for name in intent.config.behaviors} if results else {}
    before: Config | None = None
    with suppress(ConfigError):
        before = read_config(bytes(session.config_used))
    saved = _networks(files)
    return check_fit(before, intent.config, source=session.run_id, saved=saved, there=_behaviors_there(intent))


def check_chosen(files: Mapping[str, Path], intent: Intent, *, source: str) -> Check:
    """Compare the networks with those of checkpoints (by behavior) of which nothing else is known."""
    return check_fit(None, intent.config, source=source, saved=_networks(files), there=_behaviors_there(intent))


def _networks(files: Mapping[str, Path]) -> dict[str, Network]:
    return {name: network for name, path in files.items() if (network := network_in(path)) is not None}


def _behaviors_there(intent: Intent) -> list[dict[str, Any]]:
    connection = connection_of(intent)
    return (connection.behaviors or []) if connection is not None else []


def errors_by_field(checks: Iterable[Check], *, config_field: str = "config") -> dict[str, list[str]]:
    """Return the sentences of the errors among some checks, by the field of a start that they belong to."""
    errors: dict[str, list[str]] = {}
    for check in checks:
        if check.level is Level.ERROR:
            name = config_field if check.field == "config" else check.field
            errors.setdefault(name, []).append(check.sentence)
    return errors


def question_of(intent: Intent) -> str:
    """Return the digest of the question whether this trainer's parser accepts this configuration.

    It is another question once packages were installed beside the trainer.
    """
    found = installed_beside(intent.trainer.interpreter)
    about = json.dumps([intent.trainer.interpreter, found.stamp, sorted(found.packages.items())])
    return hashlib.sha256(about.encode() + b"\0" + intent.config.used).hexdigest()


def verdict_of(intent: Intent) -> ParserVerdict | None:
    """Return what the trainer's parser said about the configuration, or that it was asked; None when it was not."""
    return ParserVerdict.objects.filter(digest=question_of(intent)).first() if intent.is_mlagents else None


def connection_of(intent: Intent) -> Connection | None:
    """Return what the environment answered when it was started for a moment; None when it was not asked."""
    question = connection_question(intent)
    return Connection.objects.filter(digest=question).first() if question else None


def connection_question(intent: Intent) -> str:
    """Return the digest of the question which behaviors an environment has; empty when nobody can be asked.

    A build that changed, other arguments or another trainer make it another question.
    """
    if intent.environment is None or not intent.is_mlagents:
        return ""
    build = [intent.environment.pk, intent.environment.sha256, list(intent.options.get("env_args", ()))]
    return hashlib.sha256(json.dumps([intent.trainer.interpreter, *build]).encode()).hexdigest()


def connection_state(intent: Intent) -> str:
    """Return how it stands with the environment: none (nothing to connect to), unasked, waits or answered."""
    return _state(connection_of(intent)) if connection_question(intent) else NONE


def parser_state(intent: Intent) -> str:
    """Return how it stands with the parser: none (there is no other), unasked, waits or answered."""
    return _state(verdict_of(intent)) if intent.is_mlagents else NONE


def _state(asked: ParserVerdict | Connection | None) -> str:
    if asked is None:
        return UNASKED
    return ANSWERED if asked.answered_at else WAITS


def _check_connection(connection: Connection, config: Config) -> Check:
    if connection.behaviors is None:
        return Check("behaviors", "Behaviors", Level.WARNING, connection.sentence, connection.fix)
    return check_connected(config, {one["name"] for one in connection.behaviors})


def _check_parser(verdict: ParserVerdict) -> Check:
    title = "The trainer's own parser"
    if verdict.accepted:
        return passed("parser", title, "It accepts the configuration.")
    level = Level.WARNING if verdict.accepted is None else Level.ERROR
    return Check(
        "parser", title, level, verdict.sentence, verdict.fix, "trainer" if verdict.stage == "import" else "config"
    )


def _build_facts(build: Path, *, rebuilt: bool) -> BuildFacts:
    head = b""
    with suppress(OSError), build.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return BuildFacts(build.stem, head, build.with_name(f"{build.stem}_Data").is_dir(), rebuilt)


def _demonstration(path: str, cwd: Path) -> Demonstration:
    place = cwd / path
    try:
        if place.is_dir():
            names = (one.name for _, one in zip(range(MOST_ENTRIES), place.iterdir(), strict=False))
            return Demonstration(path, "folder", sum(name.endswith(".demo") for name in names))
        return Demonstration(path, "file" if place.is_file() else "")
    except (OSError, ValueError):
        return Demonstration(path)


def _condition(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return checkpoints.Condition.MISSING.value
    return _look(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _look(path: str, size: int, modified_ns: int) -> str:
    """A form asks after every key that is pressed; size and time tell when a file is another."""
    return checkpoints.condition(Path(path)).value


def _check_ports(players: int, *, editor: bool) -> Check:
    title = "Unity Editor" if editor else "Ports"
    machine = settings.MENTOR_MACHINE
    leases = dict(PortLease.objects.filter(machine__name=machine).values_list("port", "attempt__session__run_id"))
    waiting = Waiting(
        key=0, priority=0, place=0, held=False, seconds_left=0.0, after=None, editor=editor, ports=players, device=None,
        disk_is_short=False,
    )  # fmt: skip
    room = Room(
        free_slots=1,
        leased=frozenset(leases),
        base_port=settings.MENTOR["MENTOR_BASE_PORT"],
        gpu_load=(),
        disk_is_short=False,
    )
    decision = decide([waiting], room, port_is_free)[0]
    if editor and EDITOR_PORT in leases:
        found = f"{leases[EDITOR_PORT]} holds the Editor; this session would wait for its end."
        return Check("ports", title, Level.WARNING, found, "Stop it, or train in a build.")
    if editor and not port_is_free(EDITOR_PORT):
        found = f"Port {EDITOR_PORT} is used by a program that is no training of MENTOR's."
        return Check("ports", title, Level.WARNING, found, "End it; most often it is an mlagents-learn in a terminal.")
    if isinstance(decision, Wait):
        found = f"There are not {players} free ports in a row at {room.base_port}; this session would wait."
        return Check("ports", title, Level.WARNING, found, "Take fewer environments, or set MENTOR_BASE_PORT.")
    return passed("ports", title, "The Editor is free." if editor else "There are enough.")


def waits_for_play(trainer: Trainer, options: Mapping[str, Any]) -> bool:
    """Tell whether a training without a build would wait for Play in the Editor."""
    return KINDS[trainer.kind].waits_for_play(options)
