"""Many sessions at once, while MENTOR's own processes are killed: order and limits hold, and none is forgotten."""

from __future__ import annotations

import itertools
import os
import random
import stat
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.running import RunningMentor, eventually, running_mentor

LIMIT, SESSIONS = 4, 20
CONFIG = "behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 1500\n    summary_freq: 500\n"


def bodies(build: Path) -> list[dict[str, Any]]:
    """Fourteen plain sessions, two for the Editor and four with three environments each; three priorities."""
    common: dict[str, Any] = {"config": CONFIG, "trainer": "practice"}
    plain = [{**common, "run_id": f"plain-{number}"} for number in range(14)]
    editor = [{**common, "run_id": f"editor-{number}", "env_args": ["--wait", "1"]} for number in range(2)]
    wide = [{**common, "run_id": f"wide-{number}", "env_path": str(build), "num_envs": 3} for number in range(4)]
    return [{**body, "priority": number % 3} for number, body in enumerate([*plain, *editor, *wide])]


class Killing(threading.Thread):
    """Kills the supervisor and the worker again and again."""

    def __init__(self, mentor: RunningMentor, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.mentor, self.chance = mentor, chance
        self.ended = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while not self.ended.wait(self.chance.uniform(3, 8)):
            part = self.mentor.parts().get(self.chance.choice(["supervise", "worker"]))
            try:
                if part is not None:
                    part.kill()
                    self.kills += 1
            except psutil.Error:
                continue


class Watching(threading.Thread):
    """Looks at what is active and at its ports, as often as it can."""

    def __init__(self, mentor: RunningMentor) -> None:
        super().__init__(daemon=True)
        self.mentor = mentor
        self.ended = threading.Event()
        self.most = 0
        self.most_editors = 0
        self.shared: list[str] = []

    def run(self) -> None:
        while not self.ended.wait(0.2):
            active = self.mentor.ask("GET", "sessions/?state=active&page_size=100")["results"]
            self.most = max(self.most, len(active))
            self.most_editors = max(self.most_editors, sum(one["mode"] == "editor" for one in active))
            ports = [port for one in active for port in ports_of(self.mentor.session(one["run_id"]))]
            if len(ports) != len(set(ports)):
                self.shared.append(str(sorted(ports)))


def ports_of(session: dict[str, Any]) -> list[int]:
    words = dict(word.split("=", 1) for word in session["command"] if word.startswith("--") and "=" in word)
    if "--base-port" not in words:
        return []
    base = int(words["--base-port"])
    return list(range(base, base + int(words.get("--num-envs", "1"))))


def unfinished(mentor: RunningMentor) -> list[str]:
    found = mentor.ask("GET", "sessions/?state=pending&state=active&page_size=100")["results"]
    return [f"{one['run_id']}: {one['state']}, {one['explanation']}" for one in found]


def starts(mentor: RunningMentor, run_ids: list[str]) -> dict[str, str]:
    """When each session was granted its slot first: a launch that is killed in its middle is granted another."""
    events = {run_id: mentor.ask("GET", f"sessions/{run_id}/events/")["results"] for run_id in run_ids}
    return {run_id: min(one["at"] for one in told if one["to_state"] == "launching") for run_id, told in events.items()}


@pytest.mark.slow
@pytest.mark.usefixtures("editor_port")
def test_twenty_sessions_under_kills_keep_order_and_limits(tmp_path: Path) -> None:
    build = tmp_path / "Ball.x86_64"
    build.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    build.chmod(build.stat().st_mode | stat.S_IXUSR)
    seed = int(os.environ.get("MENTOR_TEST_SEED", "20"))
    variables = {"MENTOR_MAX_PARALLEL": str(LIMIT)}
    with running_mentor(tmp_path / "var", variables=variables) as mentor:
        asked = bodies(build)
        # Held until all are there, so that the order is that of the queue and not that of the asking.
        for body in asked:
            assert mentor.ask("POST", "sessions/", {**body, "held": True}).get("state") == "queued"
        order = [one["run_id"] for one in mentor.ask("GET", "queue/")["results"]]
        killing, watching = Killing(mentor, random.Random(seed)), Watching(mentor)
        watching.start()
        killing.start()
        for run_id in order:
            mentor.ask("POST", f"sessions/{run_id}/release/")
        try:
            eventually(lambda: not unfinished(mentor), seconds=400, what=f"the end of all (seed {seed})")
        except AssertionError as error:
            raise AssertionError(f"{error}; {killing.kills} kills; {unfinished(mentor)}") from None
        finally:
            killing.ended.set()
            watching.ended.set()
            watching.join()
        assert killing.kills > 3
        done = {run_id: mentor.session(run_id) for run_id in order}
        assert {run_id: one["state"] for run_id, one in done.items()} == dict.fromkeys(order, "completed")
        assert all(len(one["attempts"]) == 1 for one in done.values())
        assert (watching.most, watching.most_editors, watching.shared) == (LIMIT, 1, [])
        check_order(order, starts(mentor, order), {body["run_id"]: body["priority"] for body in asked})


def check_order(order: list[str], granted: dict[str, str], priorities: dict[str, int]) -> None:
    """Among those that need the same, who stood before was granted before."""
    assert [priorities[run_id] for run_id in order] == sorted(priorities.values(), reverse=True)
    alike = [run_id for run_id in order if not run_id.startswith("editor")]
    for before, after in itertools.pairwise(alike):
        assert granted[before] <= granted[after], (before, after)
