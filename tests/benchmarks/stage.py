"""What the benchmarks share: a MENTOR of their own, the real mlagents-learn with its stand-in, and a page."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mentor_site.options import BASE_DIR
from sessions.trainers.standin.launcher import make_launcher
from tests.browsing import ARGUMENTS, find_browser
from tests.running import RunningMentor, running_mentor

if TYPE_CHECKING:
    from playwright.sync_api import Page

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
REWARD = "Environment/Cumulative Reward"
ENDLESS = 100_000_000


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mentor-benchmark-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def staged(**options: Any) -> Iterator[RunningMentor]:
    """A MENTOR with a home of its own; `options` as `RunningMentor` has them."""
    with folder() as place, running_mentor(place / "var", **options) as mentor:
        yield mentor


def make_build(place: Path) -> Path:
    """Return the stand-in for a Unity build, to be given as `--env`."""
    build = make_launcher(place, Path(sys.executable))
    if build is None:
        raise SystemExit("ML-Agents on Windows starts .exe files only; this benchmark needs Linux or macOS.")
    return build


def train(mentor: RunningMentor, run_id: str, build: Path, *, env_args: Sequence[str] = (), **settings: int) -> None:
    """Start a training with mlagents-learn; `settings` replace those of the behavior in the demo's configuration."""
    body = {
        "run_id": run_id,
        "config": CONFIG,
        "trainer": "mlagents",
        "env_path": str(build),
        "no_graphics": True,
        "seed": 1,
        "overrides": {f"behaviors.Ball.{name}": value for name, value in settings.items()},
        "env_args": list(env_args),
    }
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") == "queued", answer


@contextmanager
def open_page(mentor: RunningMentor, path: str) -> Iterator[Page]:
    """A page of MENTOR in a real browser, signed in as the administrator."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.goto(mentor.call("link", "--port", str(mentor.port)))
        page.goto(f"{mentor.url}{path}")
        page.locator("[data-link=live]").wait_for()
        yield page
        browser.close()
