"""The trainers, each with its interpreter and its packages; and the environments that they start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mentor_site.doctor.findings import ERROR, WARNING, Finding, ok
from mentor_site.doctor.known import KnownEnvironment, KnownTrainer
from sessions.domain.preflight.checks import Level
from sessions.domain.preflight.installed import Installed, check_versions

NONE_FIX = "Put mlagents-learn on PATH, set MENTOR_MLAGENTS_LEARN, or register its Python on the trainers page."
ASK_AGAIN = "It answers now: restart MENTOR, which asks it again, or register it again on the trainers page."


@dataclass(frozen=True)
class Build:
    """How the file of an environment stands: None when it is gone."""

    size: int | None
    modified_ns: int = 0
    executable: bool = True


def of_kinds(usable: int) -> Iterator[Finding]:
    """Whether any trainer trains with ML-Agents."""
    if not usable:
        what = "ML-Agents was not found; only the practice trainer can train."
        yield Finding(WARNING, "ML-Agents", what, "Sessions cannot train in Unity.", NONE_FIX)


def of_trainer(
    trainer: KnownTrainer, found: Installed, variables: Mapping[str, str], *, gone: bool = False
) -> Iterator[Finding]:
    """Whether a trainer's interpreter answers, and whether its packages train together; `gone` when it has no file."""
    title, why = f"Trainer {trainer.name}", f"No session can train with {trainer.name}."
    if found.problem or not found.packages.get("mlagents"):
        there = f"The package mlagents is not installed for {trainer.interpreter}."
        what = f"{trainer.interpreter} is gone." if gone else found.problem or there
        yield Finding(WARNING if found.late else ERROR, title, what, why, _again(trainer))
        return
    if trainer.problem:
        yield Finding(WARNING, title, f"When MENTOR last asked: {trainer.problem}", why, ASK_AGAIN)
    check = check_versions(found, variables=variables)
    ends = "" if check.level is Level.OK else "Trainings end at an import, or at their first checkpoint."
    yield Finding(check.level.value, title, check.finding, ends, check.fix)
    if found.version("mlagents_envs") and found.version("mlagents_envs") != found.version("mlagents"):
        yield Finding(
            WARNING,
            title,
            f"mlagents {found.packages['mlagents']} stands beside mlagents_envs {found.packages['mlagents_envs']}.",
            "The two are released together, and speak with Unity only as a pair.",
            f"In the trainer's environment run: pip install mlagents_envs=={found.packages['mlagents']}",
        )


def _again(trainer: KnownTrainer) -> str:
    return f"Make {trainer.interpreter} work again, or register another Python on the trainers page."


def of_environment(environment: KnownEnvironment, build: Build) -> Iterator[Finding]:
    """Whether a registered build is still there, and still the one that was registered."""
    title = f"Environment {environment.name}"
    if build.size is None:
        yield Finding(
            WARNING,
            title,
            f"{environment.name}: The file is gone.",
            "Sessions with it do not start.",
            f"Build it again at {environment.path}, and register it on the environments page.",
        )
    elif not build.executable:
        yield Finding(
            WARNING,
            title,
            f"{environment.name} may not be executed.",
            "Sessions with it do not start.",
            f"Allow it: chmod +x {environment.path}",
        )
    elif (build.size, build.modified_ns) != (environment.size, environment.modified_ns):
        yield Finding(
            WARNING,
            title,
            f"{environment.name} was written anew since it was registered.",
            "A build that differs is not started before somebody says that it is meant.",
            "If you built it anew, register it again on the environments page.",
        )
    else:
        yield ok(title, "It is there, and as it was registered.")
