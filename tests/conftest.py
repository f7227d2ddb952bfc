"""What tests need of the machine: a missing part skips its tests with the reason, or fails them."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from pytest_django import Settings

from sessions.runtime.locks import FileLock
from tests.browsing import BROWSERS, find_browser
from tests.factories import make_user
from tests.running import eventually

REQUIRE_ALL = os.environ.get("MENTOR_TEST_REQUIRE") == "all"

# How long an example takes says how busy the machine is. New examples are looked for while one works; what decides
# whether a change lands is the same each time.
hypothesis.register_profile(
    "mentor", deadline=None, derandomize=REQUIRE_ALL, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.load_profile("mentor")


def mlagents_is_there() -> str | None:
    return None if importlib.util.find_spec("mlagents") else "mlagents is not installed (uv run --group mlagents)"


def browser_is_there() -> str | None:
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return None if find_browser() else f"no browser is installed ({', '.join(BROWSERS)})"


PARTS: dict[str, Callable[[], str | None]] = {"mlagents": mlagents_is_there, "browser": browser_is_there}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for part, missing in PARTS.items():
        reason = missing() if item.get_closest_marker(part) else None
        if reason and REQUIRE_ALL:
            pytest.fail(f"{part} is required: {reason}", pytrace=False)
        elif reason:
            pytest.skip(reason)


@pytest.fixture
def editor_port() -> Iterator[None]:
    """The machine's one Editor, for a test whose trainer waits for it: other workers wait meanwhile."""
    lock = FileLock(Path(tempfile.gettempdir(), "mentor-tests-editor.lock"))
    eventually(lock.acquire, seconds=600, what="the end of another test with the Editor")
    yield
    lock.release()


@pytest.fixture
def home(tmp_path: Path, settings: Settings) -> Path:
    """A MENTOR_HOME of the test's own."""
    settings.MENTOR_HOME = tmp_path
    return tmp_path


@pytest.fixture
def ada(db: None) -> User:
    """Ada may do everything."""
    return make_user("ada", admin=True)


@pytest.fixture
def ben(db: None) -> User:
    """Ben may see every session, and touch none."""
    return make_user("ben", "view_trainingsession")


@pytest.fixture
def cyd(db: None) -> User:
    """Cyd may start and stop sessions of their own, in registered environments."""
    return make_user("cyd", "start_session", "stop_session")
