"""What is installed beside a trainer, and whether those versions train together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sessions.domain.preflight.checks import Check, Level

IN_ITS_ENVIRONMENT = "In the trainer's environment run: "
NEWEST_KNOWN = (1, 1, 0)


@dataclass(frozen=True)
class Installed:
    """What an interpreter says of its packages; nothing of them was imported.

    `packages` are versions by name, without those that are missing. `modules` says of a few whether they can be found.
    `cuda` is the version that PyTorch was built for, empty for a build without, None when it could not be told.
    `problem` is a sentence when the interpreter did not answer; one that only took too long is `late`. `stamp` changes
    when packages come or go.
    """

    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, bool] = field(default_factory=dict)
    cuda: str | None = None
    problem: str = ""
    late: bool = False
    stamp: str = ""

    def version(self, name: str) -> tuple[int, ...]:
        """Return the parts of a package's version; empty when it is missing."""
        return version_parts(self.packages.get(name, ""))

    def lacks(self, module: str) -> bool:
        """Tell whether a module was looked for and not found."""
        return self.modules.get(module) is False


@dataclass(frozen=True)
class Conflict:
    """Versions that do not fit together: certainly (an error), or perhaps (a warning)."""

    level: Level
    finding: str
    fix: str


def version_parts(text: str) -> tuple[int, ...]:
    """Return up to three numbers of a version; what follows a plus or a letter does not count."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", re.split(r"[+a-zA-Z-]", text, maxsplit=1)[0])[:3])


def check_versions(found: Installed, *, variables: Mapping[str, str]) -> Check:
    """Say whether the versions beside a trainer fit together; `variables` are those that the trainer will see."""
    title = "Trainer and its packages"
    if found.problem:
        level = Level.WARNING if found.late else Level.ERROR
        return Check("versions", title, level, found.problem, "Register it again on the trainers page.", "trainer")
    conflicts = sorted(_conflicts(found, variables), key=lambda one: one.level is not Level.ERROR)
    if not conflicts:
        return Check("versions", title, Level.OK, f"{_named(found)} fit together.")
    return Check(
        "versions",
        title,
        conflicts[0].level,
        " ".join(one.finding for one in conflicts),
        " ".join(dict.fromkeys(one.fix for one in conflicts)),
        "trainer",
    )


def _named(found: Installed) -> str:
    shown = [f"{name} {found.packages[name]}" for name in ("mlagents", "torch", "numpy") if name in found.packages]
    return ", ".join([*shown, f"Python {found.python}"])


def _conflicts(found: Installed, variables: Mapping[str, str]) -> Iterator[Conflict]:
    """The entries of the diagnosis that can be known before a start, from versions alone."""
    trainer = found.version("mlagents")
    if not trainer:
        yield Conflict(
            Level.ERROR,
            "The package mlagents is not installed for this interpreter.",
            f"{IN_ITS_ENVIRONMENT}pip install mlagents==1.1.0",
        )
        return
    yield from _python(found, trainer)
    yield from _protobuf(found, variables)
    yield from _numpy(found, trainer)
    if trainer >= (0, 20):
        yield from _torch(found, trainer)
    if found.version("cattrs") >= (1, 7) and trainer <= NEWEST_KNOWN:
        yield Conflict(
            Level.WARNING,
            f"cattrs {found.packages['cattrs']} is newer than ML-Agents {found.packages['mlagents']} asks for.",
            f'{IN_ITS_ENVIRONMENT}pip install "cattrs<1.7"',
        )


def _python(found: Installed, trainer: tuple[int, ...]) -> Iterator[Conflict]:
    if found.lacks("distutils"):
        yield Conflict(
            Level.ERROR,
            f"Python {found.python} has no distutils, which ML-Agents imports.",
            f'Use Python 3.10; or: {IN_ITS_ENVIRONMENT}pip install "setuptools<81"',
        )
    elif version_parts(found.python) >= (3, 12) and trainer <= NEWEST_KNOWN:
        yield Conflict(
            Level.WARNING,
            f"ML-Agents {found.packages['mlagents']} was not made for Python {found.python}.",
            "Use Python 3.10.",
        )
    if trainer < (0, 30) and version_parts(found.python) >= (3, 10):
        yield Conflict(
            Level.WARNING,
            f"ML-Agents {found.packages['mlagents']} does not start on newer Pythons such as {found.python}.",
            "Use Python 3.8, or a newer ML-Agents.",
        )


def _protobuf(found: Installed, variables: Mapping[str, str]) -> Iterator[Conflict]:
    if found.version("protobuf") < (4,):
        return
    slow = variables.get("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION") == "python"
    yield Conflict(
        Level.WARNING if slow else Level.ERROR,
        f"ML-Agents was generated for protobuf 3; protobuf {found.packages['protobuf']} "
        + ("is slow with it." if slow else "ends it at its first import."),
        f'{IN_ITS_ENVIRONMENT}pip install "protobuf==3.20.3"',
    )


def _numpy(found: Installed, trainer: tuple[int, ...]) -> Iterator[Conflict]:
    if found.version("numpy") >= (1, 24) and trainer <= NEWEST_KNOWN:
        yield Conflict(
            Level.ERROR if trainer < (0, 29) else Level.WARNING,
            f"numpy {found.packages['numpy']} is newer than ML-Agents {found.packages['mlagents']} asks for.",
            f'{IN_ITS_ENVIRONMENT}pip install "numpy==1.23.5"',
        )


def _torch(found: Installed, trainer: tuple[int, ...]) -> Iterator[Conflict]:
    torch = found.version("torch")
    if not torch:
        yield Conflict(
            Level.ERROR, "PyTorch is not installed beside ML-Agents.", f'{IN_ITS_ENVIRONMENT}pip install "torch<2.9"'
        )
        return
    if found.lacks("pkg_resources"):
        yield Conflict(
            Level.ERROR if trainer <= NEWEST_KNOWN else Level.WARNING,
            "ML-Agents imports pkg_resources, which setuptools no longer brings.",
            f'{IN_ITS_ENVIRONMENT}pip install "setuptools<81"',
        )
    if torch >= (2, 9) and trainer <= NEWEST_KNOWN:
        without = found.lacks("onnxscript")
        yield Conflict(
            Level.ERROR if without else Level.WARNING,
            f"PyTorch {found.packages['torch']} exports models through onnxscript"
            + (", which is missing: the training would die at its first checkpoint." if without else "."),
            f'{IN_ITS_ENVIRONMENT}pip install "torch<2.9"',
        )
    elif torch >= (2, 0) and found.lacks("onnx"):
        yield Conflict(
            Level.ERROR,
            "The package onnx is missing: the training would die at its first checkpoint.",
            f"{IN_ITS_ENVIRONMENT}pip install onnx==1.15.0",
        )
