"""A new installation makes its own key, once."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mentor_site.installation import secret_key


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    first, second = secret_key(tmp_path / "a"), secret_key(tmp_path / "b")
    assert first != second
    assert min(len(first), len(second)) >= 64


def test_the_key_stays_the_same(tmp_path: Path) -> None:
    assert secret_key(tmp_path) == secret_key(tmp_path)


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(tmp_path), range(32)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_nobody_else_may_read_key_and_home(tmp_path: Path) -> None:
    secret_key(tmp_path / "home")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "secret_key").stat().st_mode) == 0o600
