"""What trainings take of the machine, seen by API, page and report; and a training that gets no more memory."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mentor_site.options import BASE_DIR
from sessions.domain.resources import CPU, DISK, MEMORY, PROCESSES, TRAINER_CPU
from sessions.runtime.rundir import RunDirectory
from tests.browsing import ARGUMENTS, find_browser
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor

pytestmark = pytest.mark.slow

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
ENDLESS = {"behaviors.Ball.max_steps": 10_000_000}
DRAWN = """() => [...document.querySelectorAll("[data-resource].drawn")].map((one) => one.dataset.resource)"""
POINTS = """() => document.querySelector("[data-resource='Resources/Memory']").data?.[0].x.length ?? 0"""
CGROUPS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


def start(mentor: RunningMentor, run_id: str) -> None:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "practice", "overrides": ENDLESS}
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") in GRANTED, answer
    eventually(lambda: mentor.session(run_id)["step"] > 0, what="the first summary")


def resources(mentor: RunningMentor, run_id: str) -> dict[str, dict[str, Any]]:
    return {one["tag"]: one for one in mentor.ask("GET", f"sessions/{run_id}/metrics/?behavior=")["series"]}


def test_a_training_says_what_it_takes_beside_its_rewards(mentor: RunningMentor) -> None:
    start(mentor, "taken")
    eventually(lambda: len(resources(mentor, "taken").get(CPU, {}).get("values", [])) >= 2, what="two points of CPU")
    seen = resources(mentor, "taken")
    assert set(seen) == {CPU, MEMORY, DISK, PROCESSES, TRAINER_CPU}
    assert max(seen[CPU]["values"]) > 0
    assert min(seen[MEMORY]["values"]) > 10e6
    assert set(seen[PROCESSES]["values"]) == {1.0}
    assert seen[DISK]["values"][0] > 0
    steps, moments = seen[CPU]["steps"], seen[CPU]["wall_times"]
    assert (steps, moments) == (sorted(steps), sorted(moments))
    assert mentor.session("taken")["resources"]["memory_bytes"] > 10e6
    system = mentor.ask("GET", "system/")
    assert system["disk_free"] > 0
    assert isinstance(system["gpus"], list)

    mentor.ask("POST", "sessions/taken/stop/")
    mentor.wait_for("taken", "stopped")
    assert set(mentor.session("taken")["resources"].values()) == {None}
    points = len(resources(mentor, "taken")[MEMORY]["values"])
    report = eventually(lambda: next(mentor.home.glob("reports/*.html"), None), what="the report")
    assert "Resources/" not in report.read_text(encoding="utf-8")
    assert {one["behavior"] for one in mentor.ask("GET", "sessions/taken/summary/")["behaviors"]} == {"Ball"}
    assert len(resources(mentor, "taken")[MEMORY]["values"]) == points


@pytest.mark.browser
def test_the_page_shows_what_a_training_takes_while_it_takes_it(mentor: RunningMentor) -> None:
    from playwright.sync_api import sync_playwright

    start(mentor, "shown")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        page = browser.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(mentor.call("link", "--port", str(mentor.port)))
        page.goto(f"{mentor.url}/sessions/shown/")
        panel = page.locator("[data-resources]")
        panel.wait_for()
        panel.scroll_into_view_if_needed()
        eventually(lambda: {CPU, MEMORY, DISK, PROCESSES} <= set(page.evaluate(DRAWN)), what="the charts")
        before = page.evaluate(POINTS)
        eventually(lambda: page.evaluate(POINTS) > before, what="a further point")
        assert re.fullmatch(r"[\d,]+ %", page.locator("[data-field=cpu_percent]").inner_text())
        assert re.fullmatch(r"\d+\.\d MB", page.locator("[data-field=memory_bytes]").inner_text())
        shown = page.locator(".multiples figure:visible h3").all_inner_texts()
        assert not any("Resources" in title for title in shown), "they are no metrics of the trainer"
        assert not any(title.startswith("GPU") for title in shown), "what has no point has no chart"
        mentor.ask("POST", "sessions/shown/stop/")
        page.locator("[data-field=cpu_percent]").wait_for(state="hidden")
        browser.close()
        assert troubles == []


@pytest.fixture
def no_more_memory() -> Iterator[Path]:
    """A control group in which nothing gets memory: its first allocation is its end."""
    root, limit = next(((root, limit) for root, limit in CGROUPS if is_writable(root, limit)), (None, ""))
    if root is None:
        pytest.skip("memory can be limited by root, through a control group of Linux")
    group = root / f"mentor-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / limit).write_text("4096", encoding="ascii")
        yield group
    finally:
        eventually(lambda: not (group / "cgroup.procs").read_text(encoding="ascii"), what="an empty group")
        group.rmdir()


def is_writable(root: Path, limit: str) -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or not root.is_dir():
        return False
    probe = root / f"mentor-probe-{os.getpid()}"
    try:
        probe.mkdir()
    except OSError:
        return False
    there = (probe / limit).exists()
    with contextlib.suppress(OSError):
        probe.rmdir()
    return there


def test_a_training_that_gets_no_more_memory_says_so_and_mentor_lives(
    mentor: RunningMentor, no_more_memory: Path
) -> None:
    start(mentor, "hungry")
    trainer = RunDirectory(mentor.home, "hungry").attempt(1).read_trainer()
    assert trainer is not None
    (no_more_memory / "cgroup.procs").write_text(str(trainer.pid), encoding="ascii")
    done = mentor.wait_for("hungry", "failed", "lost", "stopped", "completed")
    assert done["state"] == "failed"
    assert "memory runs out" in done["explanation"]
    assert set(mentor.parts()) == {"up", "web", "worker", "supervise"}
    assert mentor.ask("GET", "system/")["supervisor_online"]
