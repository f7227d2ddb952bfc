"""What the machine has, against what a training asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.preflight.checks import Level
from sessions.domain.preflight.installed import Installed
from sessions.domain.preflight.surroundings import (
    GpuFacts,
    check_disk,
    check_display,
    check_gpu,
    check_memory,
    check_paths,
)

GB = 1024**3
WITH_CUDA, FOR_CPU, UNKNOWN = Installed(cuda="12.1"), Installed(packages={"torch": "2.2.2+cpu"}, cuda=""), Installed()


@pytest.mark.parametrize(
    ("gpus", "device", "installed", "level"),
    [
        (["A", "B"], "cuda:1", WITH_CUDA, Level.OK),
        (["A", "B"], "cuda:2", WITH_CUDA, Level.ERROR),
        (["A"], "cuda", FOR_CPU, Level.ERROR),
        ([], "cuda", WITH_CUDA, Level.WARNING),
        (["A"], None, FOR_CPU, Level.WARNING),
        (["A"], "cpu", FOR_CPU, Level.OK),
        (["A"], "cuda", UNKNOWN, Level.OK),
        ([], None, FOR_CPU, Level.OK),
    ],
)
def test_a_gpu_that_is_asked_for_is_there_and_usable(
    gpus: list[str], device: str | None, installed: Installed, level: Level
) -> None:
    check = check_gpu(GpuFacts(gpus, device), installed)
    assert check.level is level
    assert (check.field == "device") == (level is Level.ERROR)
    assert bool(check.fix) == (level is not Level.OK)


def test_a_player_without_a_display_is_warned_of() -> None:
    def level(platform: str = "linux", *, no_graphics: bool = False, native: bool = True, **variables: str) -> Level:
        return check_display(platform=platform, variables=variables, no_graphics=no_graphics, native=native).level

    assert level() is Level.WARNING
    assert level(DISPLAY="") is Level.WARNING
    assert level(DISPLAY=":0") is level(WAYLAND_DISPLAY="wayland-0") is Level.OK
    assert level(no_graphics=True) is level(native=False) is level("win32") is level("darwin") is Level.OK


def test_too_little_memory_is_a_warning() -> None:
    assert check_memory(GB, players=16, torch=True).level is Level.WARNING
    assert check_memory(8 * GB, players=16, torch=True).level is Level.OK
    assert check_memory(None, players=16, torch=True).level is Level.OK


def test_the_reserve_of_the_disk_is_told() -> None:
    assert check_disk(GB, 2 * GB).finding.endswith("the session would wait.")
    assert check_disk(3 * GB, 2 * GB).level is Level.WARNING
    assert check_disk(9 * GB, 2 * GB).level is Level.OK


@pytest.mark.parametrize("name", ["CON", "aux", "Ball?", "a:b", "Ball.", "Ball "])
def test_windows_cannot_write_every_behavior(name: str) -> None:
    assert check_paths([name], "C:\\runs\\ball-1", platform="win32").level is Level.ERROR
    assert check_paths([name], "/runs/ball-1", platform="linux").level is Level.OK


def test_a_name_of_250_bytes_fits_nowhere() -> None:
    for platform in ("linux", "win32", "darwin"):
        assert check_paths(["й" * 125], "/runs", platform=platform).level is Level.ERROR


def test_long_paths_are_a_doubt_on_windows_only() -> None:
    folder = "C:\\" + "deep\\" * 45
    assert check_paths(["Ball"], folder, platform="win32").level is Level.WARNING
    assert check_paths(["Ball"], folder, platform="linux").level is Level.OK
    assert check_paths(["Ball"], "C:\\runs\\ball-1", platform="win32").level is Level.OK


@given(st.lists(st.text(max_size=300), max_size=4), st.text(max_size=400))
def test_a_longer_folder_never_makes_things_better(names: list[str], folder: str) -> None:
    order = [Level.OK, Level.WARNING, Level.ERROR]
    short, long = (check_paths(names, one, platform="win32").level for one in (folder, folder + "x" * 200))
    assert order.index(long) >= order.index(short)
