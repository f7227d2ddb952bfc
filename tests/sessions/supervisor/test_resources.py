"""What running attempts take, looked at in one pass: with processes that are played, and with real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sessions.domain.resources import CPU, DISK, GPU, GPU_MEMORY, MEMORY, PROCESSES, ProcessUse
from sessions.domain.states import State
from sessions.models import Attempt, Series
from sessions.runtime.identity import current_boot, identity_of
from sessions.runtime.records import ShimRecord, TrainerRecord
from sessions.runtime.rundir import create_once
from sessions.selectors.series import points_after
from sessions.supervisor import processes, resources
from sessions.supervisor.gpus import Gpus, GpuUse
from sessions.supervisor.resources import ResourceWatch
from tests.factories import make_session
from tests.running import eventually
from tests.sessions.attempts import OnDisk

SHIM, TRAINER, WORKER, UNITY, STRANGER = 100, 101, 102, 103, 900


class Table:
    """A process table: parents, CPU seconds and memory; `asked` says how often each question was put."""

    def __init__(self) -> None:
        self.parents = {1: 0, SHIM: 1, TRAINER: SHIM, WORKER: TRAINER, UNITY: WORKER, STRANGER: 1}
        self.cpu = dict.fromkeys(self.parents, 0.0)
        self.asked = 0
        self.on_gpus: dict[int, GpuUse] = {}

    def read(self) -> dict[int, int]:
        self.asked += 1
        return self.parents

    def uses(self, pids: Iterable[int]) -> tuple[ProcessUse, ...]:
        return tuple(ProcessUse(pid, 1.0, self.cpu[pid], 1000) for pid in pids if pid in self.parents)


class PlayedGpus(Gpus):
    def __init__(self, table: Table) -> None:
        super().__init__(load=lambda: None)
        self.table = table

    def uses(self) -> dict[int, GpuUse]:
        return self.table.on_gpus


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def watch(table: Table, monkeypatch: pytest.MonkeyPatch) -> ResourceWatch:
    """A watch of the played table, in which whoever is listed lives."""
    monkeypatch.setattr(resources, "alive", lambda identity: identity.pid in table.parents)
    return ResourceWatch(gpus=PlayedGpus(table), parents=table.read, uses=table.uses)


def running(owner: User, *, shim: int = SHIM, trainer: int = TRAINER, age: timedelta = timedelta()) -> OnDisk:
    written = OnDisk(make_session(owner=owner, state=State.RUNNING))
    Attempt.objects.filter(pk=written.pk).update(granted_at=timezone.now() - age)
    create_once(written.directory.shim_json, asdict(ShimRecord(shim, "boot", 1, trainer, 1)))
    create_once(written.directory.train_json, asdict(TrainerRecord(trainer, "boot", 1)))
    return written


def series(written: OnDisk) -> dict[str, list[float | None]]:
    return {one.tag: one.values for one in points_after(written.session, behavior="")[0]}


@pytest.fixture
def attempt(ada: User, home: Path) -> OnDisk:
    return running(ada)


def test_the_trainer_and_all_below_it_count_but_not_the_shim(
    attempt: OnDisk, watch: ResourceWatch, table: Table
) -> None:
    watch.tick(0, [attempt.attempt])
    table.cpu |= {SHIM: 4.0, TRAINER: 5.0, WORKER: 1.0, UNITY: 1.5, STRANGER: 5.0}
    watch.tick(5, [attempt.attempt])
    seen = series(attempt)
    assert seen[CPU] == [150.0]
    assert seen[MEMORY] == [3000.0, 3000.0]
    assert seen[PROCESSES] == [3.0, 3.0]
    assert GPU not in seen


def test_what_lost_its_parent_is_still_below_the_shim(attempt: OnDisk, watch: ResourceWatch, table: Table) -> None:
    del table.parents[TRAINER], table.parents[WORKER]
    table.parents[UNITY] = SHIM  # the shim adopts orphans
    watch.tick(0, [attempt.attempt])
    assert series(attempt)[PROCESSES] == [1.0]


def test_without_a_shim_the_trainer_is_the_root(attempt: OnDisk, watch: ResourceWatch, table: Table) -> None:
    del table.parents[SHIM]
    table.parents[TRAINER] = 1
    watch.tick(0, [attempt.attempt])
    assert series(attempt)[PROCESSES] == [3.0]


def test_an_attempt_without_processes_has_no_points(attempt: OnDisk, watch: ResourceWatch, table: Table) -> None:
    for pid in (SHIM, TRAINER, WORKER, UNITY):
        del table.parents[pid]
    watch.tick(0, [attempt.attempt])
    assert series(attempt) == {}


def test_all_attempts_share_one_look_at_the_table_every_five_seconds(
    ada: User, home: Path, watch: ResourceWatch, table: Table
) -> None:
    table.parents |= {200: 1, 201: 200}
    table.cpu |= {200: 0.0, 201: 0.0}
    both = [running(ada), running(ada, shim=200, trainer=201)]
    for now in (0.0, 0.1, 4.9, 5.0, 9.9, 10.0):
        watch.tick(now, [one.attempt for one in both])
    assert table.asked == 3
    assert [series(one)[PROCESSES] for one in both] == [[3.0] * 3, [1.0] * 3]


def test_with_nothing_running_the_table_is_not_read(db: None, watch: ResourceWatch, table: Table) -> None:
    watch.tick(0, [])
    assert table.asked == 0


def test_an_old_training_is_looked_at_once_a_minute(ada: User, home: Path, watch: ResourceWatch, table: Table) -> None:
    old = running(ada, age=timedelta(days=2))
    for now in range(0, 121, 5):
        watch.tick(now, [old.attempt])
    assert table.asked == 3


def test_gpus_are_those_of_its_processes(attempt: OnDisk, watch: ResourceWatch, table: Table) -> None:
    table.on_gpus = {TRAINER: GpuUse(40.0, 500), UNITY: GpuUse(10.0, 100), STRANGER: GpuUse(50.0, 9)}
    watch.tick(0, [attempt.attempt])
    assert (series(attempt)[GPU], series(attempt)[GPU_MEMORY]) == ([50.0], [600.0])


def test_results_and_console_are_measured_once_a_minute(attempt: OnDisk, watch: ResourceWatch) -> None:
    def measured() -> list[float | None]:
        return series(attempt)[DISK]

    own = sum(path.stat().st_size for path in attempt.directory.path.iterdir())
    attempt.write(b"x" * 100)
    attempt.save("Ball/events.out", b"y" * 1000)
    watch.tick(0, [attempt.attempt])
    assert measured() == [1100.0 + own]
    attempt.save("Ball/Ball-500.pt", b"z" * 5000)
    for now in range(5, 56, 5):
        watch.tick(now, [attempt.attempt])
    assert measured() == [1100.0 + own]
    watch.tick(60, [attempt.attempt])
    assert measured() == [1100.0 + own, 6100.0 + own]


def test_the_walk_over_results_has_an_end_and_leaves_links_alone(
    attempt: OnDisk, watch: ResourceWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = attempt.results.parent / "elsewhere"
    elsewhere.mkdir(parents=True)
    (elsewhere / "huge").write_bytes(b"x" * 100_000)
    attempt.save("Ball/a", b"y" * 10)
    if sys.platform != "win32":
        (attempt.results / "link").symlink_to(elsewhere, target_is_directory=True)
    watched = resources.Watched(attempt.attempt)
    whole = resources.bytes_of(watched)
    assert whole < 5000
    for number in range(50):
        attempt.save(f"Ball/{number}", b"y" * 10)
    assert resources.bytes_of(watched) == whole + 500
    monkeypatch.setattr(resources, "MOST_ENTRIES", 20)
    assert resources.bytes_of(watched) < whole + 300


def test_what_was_remembered_of_ended_attempts_is_forgotten(
    ada: User, attempt: OnDisk, watch: ResourceWatch, table: Table
) -> None:
    watch.tick(0, [attempt.attempt])
    watch.tick(5, [])
    table.cpu[TRAINER] = 50.0
    watch.tick(10, [attempt.attempt])
    assert CPU not in series(attempt)


# With real processes

WORK = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
print(json := '{"child": %d}' % child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def family(attempt_of_nobody: OnDisk) -> Iterator[tuple[OnDisk, int]]:
    """A trainer that rests and its worker that works, in a session of its own; the shim is gone."""
    trainer = subprocess.Popen([sys.executable, "-c", WORK], stdout=subprocess.PIPE, text=True)
    assert trainer.stdout is not None
    child = json.loads(trainer.stdout.readline())["child"]
    identity = identity_of(trainer.pid)
    assert identity is not None
    record = TrainerRecord(trainer.pid, current_boot(), identity.started)
    create_once(attempt_of_nobody.directory.train_json, asdict(record))
    try:
        yield attempt_of_nobody, child
    finally:
        os.kill(child, 9)
        trainer.wait(10)
        trainer.stdout.close()


@pytest.fixture
def attempt_of_nobody(ada: User, home: Path) -> OnDisk:
    return OnDisk(make_session(owner=ada, state=State.RUNNING))


@pytest.mark.skipif(sys.platform == "win32", reason="signals end what this test starts")
def test_a_real_tree_is_found_across_sessions_of_processes(family: tuple[OnDisk, int]) -> None:
    attempt, child = family
    watch = ResourceWatch(gpus=Gpus(load=lambda: None))
    clock = iter(range(0, 100_000, 5))

    def works() -> bool:
        watch.tick(next(clock), [attempt.attempt])
        used = Series.objects.filter(attempt=attempt.pk, tag=CPU).values_list("last_value", flat=True).first()
        return used is not None and used > 0

    eventually(works, what="CPU time of the worker")
    seen = series(attempt)
    assert seen[PROCESSES][-1] == 2.0
    assert (seen[MEMORY][-1] or 0) > 5e6
    assert {one.pid for one in processes.uses([child, 2**22 + 1])} == {child}


def test_the_systems_table_knows_this_process_and_its_parent() -> None:
    assert processes.parents()[os.getpid()] == os.getppid()
