"""Deleting folders: what is in them and nothing else, in slices, again and again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sessions.runtime.removing import bytes_in, remove_tree

NEVER = float("inf")


def tree(folder: Path, *, files: int = 5) -> Path:
    for number in range(files):
        file = folder / f"deep{number % 2}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 100)
    return folder


def test_a_folder_is_measured_and_goes_with_all_in_it(tmp_path: Path) -> None:
    folder = tree(tmp_path / "run")
    assert bytes_in(folder) == 500
    removed = remove_tree(folder, deadline=NEVER)
    assert (removed.freed_bytes, removed.done, folder.exists()) == (500, True, False)
    again = remove_tree(folder, deadline=NEVER)
    assert (again.freed_bytes, again.done) == (0, True)
    assert bytes_in(folder) == 0


def test_in_slices_it_goes_on_until_nothing_is_left(tmp_path: Path) -> None:
    folder, freed, slices = tree(tmp_path / "run", files=20), 0, 0
    done = False
    while not done:
        ticks = iter([0.0, 0.0, 0.0])
        removed = remove_tree(folder, deadline=1.0, clock=lambda ticks=ticks: next(ticks, 2.0))  # type: ignore[misc]
        freed, done, slices = freed + removed.freed_bytes, removed.done, slices + 1
    assert (freed, folder.exists()) == (2000, False)
    assert slices > 5


def test_what_links_lead_to_is_left_alone(tmp_path: Path) -> None:
    mine = tree(tmp_path / "mine")
    folder = tree(tmp_path / "run")
    (folder / "link").symlink_to(mine, target_is_directory=True)
    (folder / "file").symlink_to(mine / "deep0" / "0.bin")
    assert remove_tree(folder, deadline=NEVER).done
    assert bytes_in(mine) == 500
    link = tmp_path / "as-a-link"
    link.symlink_to(mine, target_is_directory=True)
    with pytest.raises(OSError, match="no folder of its own"):
        remove_tree(link, deadline=NEVER)
    assert bytes_in(mine) == 500


def test_a_file_that_has_another_name_frees_nothing(tmp_path: Path) -> None:
    folder = tree(tmp_path / "run", files=1)
    os.link(folder / "deep0" / "0.bin", tmp_path / "kept.bin")
    assert remove_tree(folder, deadline=NEVER).freed_bytes == 0
    assert (tmp_path / "kept.bin").read_bytes() == b"x" * 100


def test_a_read_only_file_goes_too(tmp_path: Path) -> None:
    folder = tree(tmp_path / "run", files=1)
    (folder / "deep0" / "0.bin").chmod(0o400)
    assert remove_tree(folder, deadline=NEVER).done


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_what_cannot_be_deleted_raises(tmp_path: Path) -> None:
    folder = tree(tmp_path / "run", files=1)
    (folder / "deep0").chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            remove_tree(folder, deadline=NEVER)
    finally:
        (folder / "deep0").chmod(0o700)
