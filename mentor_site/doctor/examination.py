"""The examination: every check of `doctor`, beside each other and each within its time, so that none holds up a page.

A check looks at the machine and at what the database said before, and changes nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import ERROR as CHECK_ERROR
from django.core.checks import run_checks
from django.db import Error

from mentor_site import restoring
from mentor_site.doctor import known as knowledge
from mentor_site.doctor.checks import access, gpu, machine, ports, services, storage, trainers
from mentor_site.doctor.facts import access as access_facts
from mentor_site.doctor.facts import machine as machine_facts
from mentor_site.doctor.facts import ports as port_facts
from mentor_site.doctor.facts import services as service_facts
from mentor_site.doctor.facts import storage as storage_facts
from mentor_site.doctor.facts import trainers as trainer_facts
from mentor_site.doctor.findings import ERROR, WARNING, Finding, Placed, ok, worst
from mentor_site.doctor.known import Known, KnownTrainer
from mentor_site.preparation import LOOPBACK
from sessions.domain.trouble import Trouble
from sessions.selectors.database import explained, schema_trouble
from sessions.trainers.packages import installed_beside

logger = logging.getLogger(__name__)

# Everything that is asked has a shorter limit of its own; this one is for disks and drivers that hang.
PATIENCE_SECONDS = 15.0
SUBJECTS = ("Settings", "Database", "MENTOR", "Trainers", "GPU", "Machine", "Disks", "Ports", "Rights", "Environments")

Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """One check: the subject it is shown under, what it looks at, and the look itself."""

    subject: str
    title: str
    look: Look

    @property
    def key(self) -> tuple[str, str]:
        return self.subject, self.title


@dataclass(frozen=True)
class Examination:
    """What was found, by subject; `late` names the checks that had not answered in time."""

    findings: list[Placed]
    late: list[str] = field(default_factory=list)

    @property
    def level(self) -> str:
        return worst(one.level for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return what the command prints with --json and what the API answers."""
        return {"level": self.level, "findings": [asdict(one) for one in self.findings]}


def examine(*, seconds: float = PATIENCE_SECONDS) -> Examination:
    """Look at everything and return what was found within `seconds`."""
    started = time.monotonic()
    known, trouble = _ask_database()
    return run(checks(known, trouble), seconds=max(0.0, seconds - (time.monotonic() - started)))


def _ask_database() -> tuple[Known, Trouble | None]:
    """What the database says, or why it cannot be asked; nothing of either where there is none yet."""
    trouble = storage_facts.first_trouble()
    if trouble is not None or not storage_facts.there_is_a_database():
        return Known(), trouble
    try:
        trouble = schema_trouble()
        return (knowledge.ask(), None) if trouble is None else (Known(), trouble)
    except Error as error:
        return Known(), explained(error).trouble


def checks(known: Known, trouble: Trouble | None) -> list[Check]:
    """Return every check. Without an answer of the database, those that need it are left out."""
    gpus = trainer_facts.Once(trainer_facts.gpus)
    everywhere = [
        Check("Settings", "Settings", _settings),
        Check("Database", "Database", partial(_database, known, trouble)),
        Check("MENTOR", "Service", _service),
        Check("GPU", "GPU", lambda: gpu.of_gpus(gpus())),
        Check("Machine", "Machine", _machine),
        Check("Disks", "Disks", _disks),
        Check("Rights", "Rights", _rights),
        *_of_trainers(known, gpus),
    ]
    if trouble is not None:
        return everywhere
    return [
        *everywhere,
        Check("MENTOR", services.PROCESSES, partial(_processes, known)),
        Check("Machine", "Clock", lambda: machine.of_clock(machine_facts.seconds_in_the_future(known))),
        Check("Disks", "History", lambda: storage.of_unknown_runs(storage_facts.unknown_run_count(known))),
        Check("Ports", "Ports", partial(_ports, known)),
        *(Check("Environments", one.name, partial(_environment, one)) for one in known.environments),
    ]


def _settings() -> Iterator[Finding]:
    wrong = [message for message in run_checks() if message.id != "mentor.E006"]  # the database has its own finding
    for message in wrong:
        kind = ERROR if message.level >= CHECK_ERROR else WARNING
        yield Finding(kind, "Settings", str(message.msg), fix=str(message.hint or ""))
    if not wrong:
        yield ok("Settings", "Every option can be read.")
    host = settings.MENTOR["MENTOR_HOST"]
    yield from access.of_address(host, loopback=host in LOOPBACK, https=settings.MENTOR["MENTOR_HTTPS"])


def _database(known: Known, trouble: Trouble | None) -> Iterator[Finding]:
    yield from storage.of_trouble(trouble or storage_facts.whole_trouble(), new=not known.database_answers)
    if known.database_answers:
        yield from storage.of_database(storage_facts.database())
    yield from services.of_restore(restoring.is_unfinished(Path(settings.MENTOR_HOME)))


def _service() -> Iterator[Finding]:
    yield from services.of_unit(service_facts.unit())
    yield from services.of_container(service_facts.in_container(), service_facts.first_process())


def _processes(known: Known) -> Iterator[Finding]:
    yield from services.of_parts(service_facts.parts(known))
    yield from services.of_launches(known.launch_waits)
    yield from services.of_jobs(service_facts.attempts_in_jobs(known))
    yield from services.of_machines(known.silent_machines, here=settings.MENTOR_MACHINE)


def _machine() -> Iterator[Finding]:
    found = machine_facts.machine()
    yield from machine.of_python(found)
    yield from machine.of_processors(found, slots=settings.MENTOR["MENTOR_MAX_PARALLEL"])
    yield from machine.of_memory(found)
    yield from machine.of_descriptors(found)
    names = machine_facts.variable_names()
    yield from machine.of_variables(names)
    yield from machine.of_display(machine_facts.platform_name(), names)


def _disks() -> Iterator[Finding]:
    home = storage_facts.home()
    yield from storage.of_home(home)
    for disk in storage_facts.disks():
        yield from storage.of_disk(disk)
    if machine_facts.platform_name() == "win32":
        yield from storage.of_long_paths(home.path, enabled=storage_facts.long_paths_are_on())


def _rights() -> Iterator[Finding]:
    yield from access.of_folders(access_facts.folders())
    yield from access.of_guarded(access_facts.home(), access_facts.secrets())
    yield from access.of_user(access_facts.is_root())


def _ports(known: Known) -> Iterator[Finding]:
    yield from ports.of_ports(port_facts.ports(known), mentor_runs=service_facts.house_is_up())


def _of_trainers(known: Known, gpus: Callable[[], gpu.Gpus]) -> list[Check]:
    found = trainer_facts.trainers_of(known)
    usable = sum(not one.problem for one in found)
    return [
        Check("Trainers", "ML-Agents", lambda: trainers.of_kinds(usable)),
        *(Check("Trainers", f"Trainer {one.name}", partial(_trainer, one, gpus)) for one in found),
    ]


def _trainer(trainer: KnownTrainer, gpus: Callable[[], gpu.Gpus]) -> Iterator[Finding]:
    found = installed_beside(trainer.interpreter)
    gone = bool(found.problem) and not Path(trainer.interpreter).exists()
    yield from trainers.of_trainer(trainer, found, trainer_facts.variables(), gone=gone)
    yield from gpu.of_torch(trainer.name, found, gpus())


def _environment(environment: knowledge.KnownEnvironment) -> Iterator[Finding]:
    yield from trainers.of_environment(environment, trainer_facts.build_of(environment))


# Checks that did not come back. A further examination waits for these rather than beginning another that hangs, too.
_hanging: dict[tuple[str, str], Running] = {}


class Running:
    """A check on its way, in a thread of its own that nobody has to wait for."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.findings: list[Finding] = []
        self._thread = threading.Thread(target=self._look, name=f"doctor: {check.title}", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            self.findings = list(self.check.look())
        except Exception as error:  # a check that fails is a finding, whatever it is
            logger.warning("The check %s failed", self.check.title, exc_info=True)
            self.findings = [_failed(self.check, error)]

    def answered_within(self, seconds: float) -> bool:
        """Wait; tell whether the check has come back."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


def run(all_checks: Sequence[Check], *, seconds: float) -> Examination:
    """Run the checks beside each other, for at most `seconds`."""
    deadline = time.monotonic() + seconds
    running = [_begun(check) for check in all_checks]
    findings, late = [], []
    for one in running:
        if one.answered_within(max(0.0, deadline - time.monotonic())):
            _hanging.pop(one.check.key, None)
            findings += [_placed(one.check, finding) for finding in one.findings]
        else:
            _hanging[one.check.key] = one
            late.append(one.check.title)
            findings.append(_placed(one.check, _late(one.check)))
    return Examination(sorted(findings, key=lambda one: SUBJECTS.index(one.subject)), late)


def _begun(check: Check) -> Running:
    waiting = _hanging.get(check.key)
    return waiting if waiting is not None and not waiting.answered_within(0.0) else Running(check)


def _placed(check: Check, finding: Finding) -> Placed:
    return Placed(subject=check.subject, **asdict(finding))


def _late(check: Check) -> Finding:
    return Finding(
        WARNING,
        check.title,
        "This has not answered yet.",
        "A driver, a disk or a program that hangs would hold up trainings as well.",
        "Look again; if it stays so, look at the system's own messages about it.",
    )


def _failed(check: Check, error: Exception) -> Finding:
    return Finding(
        WARNING,
        check.title,
        f"This could not be looked at: {str(error)[:200] or type(error).__name__}.",
        "Whether it is in order is not known.",
        "Look again; what happened is in MENTOR's log.",
    )
