"""The reconciler against everything that can happen in any order: deaths, reboots, users, a full disk, a lost folder.

What it decided may be carried out much later, as if the supervisor had been held in between.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sessions.domain.outcome import Ending, classify
from sessions.runtime.evidence import Evidence, infer_exit, look
from sessions.runtime.records import ExitRecord
from sessions.runtime.rundir import AttemptDirectory
from sessions.supervisor.reconcile import LAUNCH_SECONDS, Step, decide
from tests.sessions.supervisor.world import MAX_STEPS, Process, World

some = st.integers(min_value=0, max_value=1000)


@dataclass
class Try:
    """An attempt as the database knows it."""

    directory: AttemptDirectory
    cookie: str
    state: str = "launching"
    launched_at: float | None = None
    seen: tuple[Evidence, Step] | None = None

    @property
    def over(self) -> bool:
        return self.state not in ("launching", "started")


class Reconciling(RuleBasedStateMachine):
    """One session under supervision."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="reconcile-"))
        self.world = World(self.folder).__enter__()
        self.tries: list[Try] = []
        self.wanted = "run"
        # How often each attempt had begun to train when it ended.
        self.trained: dict[str, int] = {}
        self._queue()

    @initialize(spawns=st.sampled_from([0, 1, 1, 1, 2]), stubborn=st.booleans())
    def begin(self, spawns: int, stubborn: bool) -> None:
        self.world.stubborn = stubborn
        self.deliver_the_launch(spawns)

    def teardown(self) -> None:
        try:
            self._everything_ends()
        finally:
            self.world.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _queue(self) -> None:
        number = len(self.tries) + 1
        self.tries.append(Try(AttemptDirectory(self.folder / str(number)), f"cookie-{number}"))

    def _one(self, number: int) -> Try:
        return self.tries[number % len(self.tries)]

    # The worker

    @rule(spawns=st.integers(min_value=0, max_value=2))
    def deliver_the_launch(self, spawns: int) -> None:
        """Take the launch and spawn a shim; 0 is a worker that dies in between."""
        latest = self.tries[-1]
        if latest.state != "launching" or latest.launched_at is not None:
            return  # delivered twice
        latest.launched_at = self.world.now
        with suppress(OSError):
            self.world.prepare(latest.directory, latest.cookie)
            for _ in range(spawns):
                self.world.spawn_shim(latest.directory)

    @rule(number=some)
    def spawn_a_late_shim(self, number: int) -> None:
        self.world.spawn_shim(self._one(number).directory)

    # The machine

    def _process(self, number: int) -> Process | None:
        return self.world.living[number % len(self.world.living)] if self.world.living else None

    @rule(number=some, times=st.integers(min_value=1, max_value=8), dies=st.booleans())
    def go_on(self, number: int, times: int, dies: bool) -> None:
        """A process does some of its next things, and may die then."""
        process = self._process(number)
        for _ in range(times):
            if process is not None and process in self.world.living:
                self.world.go_on(process)
        if dies and process is not None:
            self.world.end(process)

    @rule(times=st.integers(min_value=0, max_value=4))
    def a_shim_dies_as_soon_as_it_has_started_its_trainer(self, times: int) -> None:
        """The trainer does so many of its first things; nobody may have told its name."""
        shim = next((process for process in self.world.living if process.kind == "shim"), None)
        for _ in range(8):
            if shim in self.world.living and not self._trainer():
                self.world.go_on(shim)
        if shim is not None and (trainer := self._trainer()) is not None:
            self.world.end(shim)
            for _ in range(times):
                self.world.go_on(trainer)

    def _trainer(self) -> Process | None:
        return next((process for process in self.world.living if process.kind == "trainer"), None)

    @rule()
    def everybody_goes_on(self) -> None:
        for process in list(self.world.living):
            if process in self.world.living:
                self.world.go_on(process)

    @rule(
        number=some,
        what=st.sampled_from(
            ["kill", "make unkillable", "second", "half a minute", "hour", "reboot", "disk", "folder"]
        ),
    )
    def strike(self, number: int, what: str) -> None:
        process = self._process(number)
        if what == "kill" and process is not None:
            self.world.end(process)
        elif what == "make unkillable" and process is not None:
            process.killable = False
        elif what == "reboot":
            self.world.reboot()
        elif what == "disk":
            self.world.disk_is_full = not self.world.disk_is_full
        elif what == "folder":
            self._lose_folder(self._one(number))
        self.world.now += {"second": 1.0, "half a minute": LAUNCH_SECONDS, "hour": 3600.0}.get(what, 0.0)

    def _lose_folder(self, one: Try) -> None:
        if one.state == "started" and one.directory.path.is_dir():
            one.directory.path.rename(self.folder / f"lost-{one.cookie}")
            for path in [path for path in self.world.locks if path.parent == one.directory.path]:
                del self.world.locks[path]

    # The user

    @rule(wish=st.sampled_from(["stop", "kill"]))
    def ask(self, wish: str) -> None:
        self.wanted = wish

    # The supervisor

    @rule(number=some)
    def look(self, number: int) -> None:
        self._look(self._one(number))

    @rule(number=some)
    def act(self, number: int) -> None:
        """Carry out what was decided at the last look, however long ago that was."""
        self._act(self._one(number))

    @rule(times=st.integers(min_value=1, max_value=3))
    def look_and_act(self, times: int) -> None:
        for one in self.tries[-1:] * times:
            self._look(one)
            self._act(one)

    def _look(self, one: Try) -> None:
        if one.over:
            return
        started = one.state == "started"
        evidence = look(one.directory, one.cookie, started=started)
        since = None if one.launched_at is None else self.world.now - one.launched_at
        one.seen = (evidence, decide(evidence, since_launch=since, started=started))

    def _act(self, one: Try) -> None:
        if one.over or one.seen is None:
            return
        evidence, step = one.seen
        one.seen = None
        with suppress(OSError):
            self._carry_out(one, evidence, step)

    def _carry_out(self, one: Try, evidence: Evidence, step: Step) -> None:
        if step in (Step.FOLLOW, Step.FOLLOW_ALONE):
            one.state = "started"
            self._carry_wish(one, alone=step is Step.FOLLOW_ALONE)
        elif step is Step.END_LEFTOVERS:
            self._end_leftovers(one)
        elif step is Step.VOID:
            one.directory.claim_void()
        elif step is Step.INFER:
            record = infer_exit(one.directory)
            # Where the disk takes no record, whoever was just forked has time to show itself.
            if one.directory.read_exit() is None and not self.world.shown(one.cookie):
                self._close(one, evidence, record)
        elif step is Step.CLOSE and evidence.exit is not None:
            self._close(one, evidence, evidence.exit)
        elif step is Step.LOSE:
            assert not one.directory.path.is_dir(), "lost although everything is there"
            self._end(one, "lost")
        elif step is Step.FAIL:
            self._end(one, "failed")
            if self.wanted == "run" and len(self.tries) < 3:
                self._queue()

    def _end_leftovers(self, one: Try) -> None:
        kinds = {process.kind for process in self.world.living if process.cookie == one.cookie and process.visible}
        wanted = self.wanted == "kill" or one.directory.exit.exists()
        assert wanted or "trainer" not in kinds, "a training was ended that nobody wanted ended"
        self.world.kill_all(one.cookie)

    def _carry_wish(self, one: Try, *, alone: bool) -> None:
        if self.wanted == "kill" and alone:
            self.world.kill_all(one.cookie)
        if self.wanted == "stop":
            one.directory.request_stop("ada")
        elif self.wanted == "kill":
            one.directory.request_kill("ada")

    def _close(self, one: Try, evidence: Evidence, record: ExitRecord) -> None:
        steps = self.world.steps.get(one.cookie, 0)
        ending = Ending(
            code=record.code, stop_requested=record.stop_requested, killed=record.killed, inferred=record.inferred,
            interrupted=steps < MAX_STEPS, steps={"Ball": steps}, max_steps={"Ball": MAX_STEPS}, saved=[],
            failure=None, same_boot=evidence.boot != "other", started=steps > 0,
            kill_asked=evidence.kill_request is not None, grace_seconds=None,
        )  # fmt: skip
        state = classify(ending).state
        assert state != "completed" or steps >= MAX_STEPS, "exit code 0 alone is not completed"
        assert state != "completed" or record.code == 0, "completed without a word of the trainer"
        self._end(one, state)

    def _end(self, one: Try, state: str) -> None:
        living = self.world.with_cookie(one.cookie)
        assert not living, f"{one.cookie} became {state} while {living} lived"
        assert not one.over
        one.state = state
        self.trained[one.cookie] = self.world.trainings.get(one.cookie, 0)

    # What holds at every moment

    @invariant()
    def at_most_one_trainer_starts_per_attempt(self) -> None:
        assert all(count <= 1 for count in self.world.trainings.values()), self.world.trainings

    @invariant()
    def what_is_void_never_starts(self) -> None:
        for one in self.tries:
            claim = one.directory.read_claim()
            if claim is not None and claim.void:
                assert one.cookie not in self.world.trainings

    @invariant()
    def what_is_over_does_not_train(self) -> None:
        for cookie, trainings in self.trained.items():
            assert self.world.trainings.get(cookie, 0) == trainings, f"{cookie} was over and then trained"

    @invariant()
    def one_attempt_at_a_time_is_not_over(self) -> None:
        assert sum(not one.over for one in self.tries) <= 1

    def _everything_ends(self) -> None:
        """When faults cease and everything goes on, every attempt ends by itself.

        Only where its folder is gone, a person must say so: nobody can tell a training from what one left behind.
        """
        self.world.disk_is_full = self.world.stubborn = False
        if not all(one.over or one.directory.path.is_dir() for one in self.tries):
            self.wanted = "kill"
        for _ in range(200):
            if all(one.over for one in self.tries):
                break
            self.world.now += LAUNCH_SECONDS
            self.deliver_the_launch(1)
            for process in list(self.world.living):
                process.killable = True
                if process in self.world.living:
                    self.world.go_on(process)
            self.look_and_act(2)
        assert all(one.over for one in self.tries), [one.state for one in self.tries]
        for process in list(self.world.living):
            for _ in range(40):
                if process in self.world.living and process.kind != "environment":
                    self.world.go_on(process)
        self.at_most_one_trainer_starts_per_attempt()
        self.what_is_void_never_starts()
        self.what_is_over_does_not_train()


TestReconciling = pytest.mark.slow(Reconciling.TestCase)
# The same histories each time; `python -m tests.chaos` is for those that nobody has thought of.
TestReconciling.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
