"""Start sessions, ask things of them, let faults strike; in the end, everything must have ended well."""

from __future__ import annotations

import argparse
import http.client
import itertools
import random
import threading
import time
import urllib.error
from collections import Counter
from pathlib import Path
from typing import Any

from django.db import DatabaseError

from sessions.domain.states import ENDED, WAITING, values
from sessions.models import Attempt, SessionEvent, TrainingSession
from tests.chaos.faults import Faults
from tests.chaos.invariants import violations_of
from tests.chaos.plans import Plan, Planner
from tests.chaos.watching import Watcher, name, say
from tests.running import RunningMentor

LOOK_SECONDS = 0.1
# Nobody waits longer than this for a session of a few seconds.
PATIENCE_SECONDS = {"practice": 25.0, "mlagents": 90.0}
# So long may nothing at all happen before something is stuck.
STUCK_SECONDS = 240.0


class Life:
    """One planned session and what was asked of it so far."""

    def __init__(self, plan: Plan, patience: float) -> None:
        self.plan, self.patience = plan, patience
        self.begin(plan.wishes)

    def begin(self, wishes: list[tuple[float, str]]) -> None:
        """Begin with another attempt."""
        self.since = time.monotonic()
        self.wishes = sorted(wishes)
        self.was_active = False

    def due(self, *, active: bool) -> list[str]:
        """Return what is to be asked now; nobody waits for ever for one that has started."""
        age = time.monotonic() - self.since
        if active and not self.was_active:
            self.was_active = True
            self.wishes = sorted([*self.wishes, (age + self.patience, "stop"), (age + self.patience * 2, "kill")])
        due = [wish for at, wish in self.wishes if at <= age]
        self.wishes = self.wishes[len(due) :]
        return due


class Play:
    """The whole run."""

    def __init__(self, mentor: RunningMentor, folder: Path, options: argparse.Namespace) -> None:
        self.mentor, self.options = mentor, options
        self.chance = random.Random(options.seed)
        self.planner = Planner(options.trainer, self.chance, folder)
        self.faults = Faults(mentor, random.Random(options.seed + 1), folder)
        self.watcher = Watcher()
        self.lives: dict[str, Life] = {}
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        """Play until so many attempts were made and all of them have ended."""
        next_fault = time.monotonic()
        while Attempt.objects.count() < self.options.attempts:
            self._round(starting=True)
            if time.monotonic() >= next_fault:
                self.faults.strike()
                next_fault = time.monotonic() + self.chance.expovariate(1 / self.options.calm)
        while self._unfinished():  # faults go on until the last attempt is over
            self._round(starting=False)
            if self.chance.random() < LOOK_SECONDS / self.options.calm / 2:
                self.faults.strike()
            if self._is_stuck():
                break
        self.faults.end()
        while self._unfinished() and not self._is_stuck():
            self._round(starting=False)
        for session in self._unfinished():
            self.watcher.violation(f"I2 {session.run_id} did not end: {session.state}, {session.explanation}")

    def _round(self, *, starting: bool) -> None:
        if starting:
            self._start()
        self._wish(starting=starting)
        try:
            self.watcher.look()
        except DatabaseError as error:
            say(f"the database is busy: {error}")
        time.sleep(LOOK_SECONDS)

    def _unfinished(self) -> list[TrainingSession]:
        return list(TrainingSession.objects.exclude(state__in=values(ENDED)))

    def _is_stuck(self) -> bool:
        last = SessionEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
        if last != getattr(self, "_last_event", None):
            self._last_event, self._last_change = last, time.monotonic()
        return time.monotonic() - self._last_change > STUCK_SECONDS

    def _start(self) -> None:
        waiting = TrainingSession.objects.filter(state__in=values(WAITING)).count()
        if len(self._unfinished()) >= self.options.slots + 2 or waiting > 2:
            return
        plan = self.planner.plan()
        answer = self._ask("POST", "sessions/", plan.body)
        if answer is not None and "status" in answer and answer["status"] != 400:
            self.watcher.violation(f"{plan.run_id} was refused: {answer}")
        self.lives[plan.run_id] = Life(plan, PATIENCE_SECONDS[self.options.trainer])

    def _wish(self, *, starting: bool) -> None:
        states = dict(TrainingSession.objects.values_list("run_id", "state"))
        for run_id, life in self.lives.items():
            state = states.get(run_id)
            if state in values(ENDED):
                if starting and life.plan.resumes and state != "completed":
                    self._resume(life)
                elif self.chance.random() < 0.002:
                    self._ask_for(run_id, "stop")  # after the end: refused, and nothing else
            elif state is not None:
                due = life.due(active=state not in values(WAITING))
                threads = [threading.Thread(target=self._ask_for, args=(run_id, wish)) for wish in due]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

    def _resume(self, life: Life) -> None:
        answer = self._ask_for(life.plan.run_id, "resume")
        if answer is not None:
            life.plan.resumes -= 1
            life.begin(self.planner.wishes())

    def _ask_for(self, run_id: str, wish: str) -> Any:
        return self._ask("POST", f"sessions/{run_id}/{wish}/")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer; None when the web process gave none, as it was just killed."""
        verb = path.rstrip("/").rpartition("/")[2]
        try:
            answer = self.mentor.ask(method, path, body)
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            self.answers[f"{verb}: no answer"] += 1
            return None
        status = answer.get("status", 200)
        self.answers[f"{verb}: {status}"] += 1
        if status >= 500:
            self.watcher.violation(f"the API answered {status} to {path}: {answer}")
        return answer


def play(folder: Path, options: argparse.Namespace) -> int:
    """Run everything; returns the exit code."""
    say(f"seed {options.seed}, {options.attempts} attempts with {options.trainer}, in {folder}")
    began = time.monotonic()
    variables = {
        "MENTOR_MAX_PARALLEL": str(options.slots),
        "MENTOR_STOP_GRACE_SECONDS": "12" if options.trainer == "practice" else "30",
        "MENTOR_DISK_RESERVE_MB": "1",
    }
    mentor = RunningMentor(folder / "var", variables=variables)
    try:
        mentor.start()
        stage = Play(mentor, folder, options)
        stage.run()
        mentor.wait_until_it_answers()
        for sentence in itertools.chain(violations_of(mentor), _harmed(stage.faults)):
            stage.watcher.violation(sentence)
        stage.watcher.look()
    finally:
        mentor.stop()
    return _sum_up(stage, options, time.monotonic() - began)


def _harmed(faults: Faults) -> list[str]:
    return [f"I7 {sentence}" for sentence in faults.harmed_bystanders()]


def _sum_up(stage: Play, options: argparse.Namespace, seconds: float) -> int:
    def listed(counts: Counter[str]) -> str:
        return ", ".join(f"{word} {count}" for word, count in counts.most_common())

    alarms = [f"{name(one)}: {one.alarm}" for one in Attempt.objects.exclude(alarm="").select_related("session")]
    say(f"\nseed {options.seed}: {Attempt.objects.count()} attempts of {TrainingSession.objects.count()} sessions")
    say(f"in {seconds:.0f} s; {sum(stage.faults.counts.values())} faults")
    say(f"endings: {listed(stage.watcher.states)}")
    say(f"faults:  {listed(stage.faults.counts)}")
    say(f"answers: {listed(stage.answers)}")
    say(f"alarms:  {len(alarms)} {alarms or ''}")
    say(f"violations: {len(stage.watcher.violations)}")
    for sentence in stage.watcher.violations:
        say(f"  {sentence}")
    return 1 if stage.watcher.violations else 0
