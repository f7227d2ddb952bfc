"""The real mlagents-learn, made to fail in every way that can be made here, and the causes that are told."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.entries import Kind
from sessions.domain.diagnosis.explain import diagnose
from sessions.domain.diagnosis.reading import read_console
from sessions.domain.states import State
from sessions.trainers.standin.launcher import make_launcher

pytestmark = [pytest.mark.slow, pytest.mark.mlagents]
if sys.platform != "linux":
    pytest.skip("limits of the system and signals are used as Linux knows them", allow_module_level=True)

from tests.end_to_end.forking import Forks  # noqa: E402
from tests.end_to_end.provocations import EVERYTHING, NOT_HERE, place_of  # noqa: E402
from tests.end_to_end.provoking import run, write_demonstration  # noqa: E402
from tests.running import own_ports  # noqa: E402

AT_A_TIME = 3
Consoles = dict[str, "Future[tuple[int, str]]"]


@pytest.fixture(scope="module")
def consoles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consoles]:
    """All of them, several at a time; each test waits for its own."""
    root = tmp_path_factory.mktemp("provoked")
    build = str(make_launcher(tmp_path_factory.mktemp("a build"), Path(sys.executable)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of code that protobuf generated
        write_demonstration(root / "it.demo")
    ports = [first + number for first in (own_ports(), own_ports()) for number in range(64)]
    forks = Forks()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            name: pool.submit(run, case, place_of(root, name), build=build, port=port, forks=forks)
            for (name, case), port in zip(EVERYTHING.items(), ports, strict=False)
        }
        pool.shutdown(cancel_futures=True)
        forks.close()


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_failure_that_is_provoked_has_its_cause(consoles: Consoles, name: str) -> None:
    case = EVERYTHING[name]
    code, console = consoles[name].result()
    assert code == case.code, console
    reading = read_console(console, code=code)
    found = diagnose(reading, ended=True, code=code)
    assert reading.state is (State.FAILED if code else State.STOPPED), console
    assert found is not None
    assert found.id == case.cause, f"{found}\n{console}"
    assert "?" not in found.cause, found.cause
    assert found.evidence or code < 0
    assert found.actions


def test_every_cause_of_ml_agents_is_provoked_or_cannot_be() -> None:
    provoked = {case.cause for case in EVERYTHING.values()}
    causes = {entry.id for entry in CATALOGUE if entry.kind is Kind.CAUSE and entry.versions}
    assert causes <= provoked | NOT_HERE, causes - provoked - NOT_HERE
