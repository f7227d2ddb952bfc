"""Ports that trainings and pages need, and who else has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mentor_site.doctor.findings import WARNING, Finding, ok
from sessions.domain.queue import EDITOR_PORT

MOST_NAMED = 6


@dataclass(frozen=True)
class Ports:
    """Ports that other programs hold; `block` is how many trainings with a build are given first.

    `holders` are programs with their numbers, by port, as far as the system tells.
    """

    editor_taken: bool
    base_port: int
    block: int
    taken: tuple[int, ...]
    web_taken: bool
    web_port: int
    holders: Mapping[int, str] = field(default_factory=dict)

    def named(self, port: int) -> str:
        """A port and, where the system tells, the program that holds it."""
        return f"{port} ({self.holders[port]})" if port in self.holders else str(port)


def of_ports(ports: Ports, *, mentor_runs: bool) -> Iterator[Finding]:
    """Whether trainings and the pages find their ports free."""
    yield from _of_web(ports, mentor_runs=mentor_runs)
    if ports.editor_taken:
        yield Finding(
            WARNING,
            "Unity Editor",
            f"Port {ports.named(EDITOR_PORT)} is used by a program that is no training of MENTOR's.",
            "No session can wait for the Unity Editor.",
            "End it; most often it is an mlagents-learn that was started in a terminal.",
        )
    else:
        yield ok("Unity Editor", f"Port {EDITOR_PORT} is free, or held by a session.")
    last = ports.base_port + ports.block - 1
    if ports.taken:
        named = ", ".join(map(ports.named, ports.taken[:MOST_NAMED])) + ("…" if len(ports.taken) > MOST_NAMED else "")
        yield Finding(
            WARNING,
            "Ports of trainings",
            f"Of the ports {ports.base_port} to {last}, other programs use {named}.",
            "Trainings with a build are given the ports behind, which works; many environments need many in a row.",
            f"End them, or set MENTOR_BASE_PORT to another port than {ports.base_port}.",
        )
    else:
        yield ok(
            "Ports of trainings",
            f"{ports.base_port} to {last} are free, or held by sessions.",
            "A trainer listens to other machines too, and asks nobody who they are: let a firewall keep these closed.",
        )


def _of_web(ports: Ports, *, mentor_runs: bool) -> Iterator[Finding]:
    if ports.web_taken and not mentor_runs:
        yield Finding(
            WARNING,
            "Port of the pages",
            f"Port {ports.named(ports.web_port)} is used by another program.",
            "The pages cannot be served there.",
            "End that program, or set MENTOR_PORT to another port.",
        )
    elif not mentor_runs:
        yield ok("Port of the pages", f"{ports.web_port} is free.")
