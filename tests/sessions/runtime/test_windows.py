from __future__ import annotations

import ast
import ctypes
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sessions.runtime import windows
from sessions.runtime.windows import creation_flags, is_locked, spawn_detached, unsigned


class Busy(OSError):
    def __init__(self, code: int) -> None:
        super().__init__("refused")
        self.winerror = code


class Popen:
    """Stands for subprocess.Popen; refuses the first calls with the given errors."""

    def __init__(self, *errors: OSError) -> None:
        self.errors = list(errors)
        self.calls: list[dict[str, Any]] = []

    def __call__(self, argv: list[str], **options: Any) -> None:
        self.calls.append({"argv": argv, **options})
        if self.errors:
            raise self.errors.pop(0)


class Kernel:
    """Stands for kernel32 with one living process, number 7."""

    def __init__(self) -> None:
        self.closed: list[int | None] = []
        self.terminated: list[int | None] = []
        self.lives = True

    def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:
        return 700 if pid == 7 else 0

    def CloseHandle(self, handle: ctypes.c_void_p) -> int:
        self.closed.append(handle.value)
        return 1

    def WaitForSingleObject(self, handle: ctypes.c_void_p, milliseconds: int) -> int:
        return windows.WAIT_TIMEOUT if self.lives else 0

    def GetProcessTimes(self, handle: ctypes.c_void_p, created: Any, *others: Any) -> int:
        ctypes.cast(created, ctypes.POINTER(ctypes.c_uint64))[0] = 0x01DA_0000_0000_0001
        return 1

    def TerminateProcess(self, handle: ctypes.c_void_p, code: int) -> int:
        self.terminated.append(handle.value)
        return 1


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(windows, "kernel32", lambda: made)
    return made


def test_a_shim_has_a_hidden_console_and_leaves_the_job_of_its_caller() -> None:
    assert creation_flags(breakaway=True) == 0x09000000
    assert creation_flags(breakaway=False) == 0x08000000
    detached_process, new_process_group = 0x8, 0x200
    assert not creation_flags(breakaway=True) & (detached_process | new_process_group)


def test_a_job_that_forbids_to_break_away_is_put_up_with(tmp_path: Path) -> None:
    popen = Popen(Busy(5))
    spawn_detached(["python"], cwd=tmp_path, env={"A": "b"}, popen=popen)
    assert [call["creationflags"] for call in popen.calls] == [0x09000000, 0x08000000]
    assert {call["stdin"] for call in popen.calls} == {subprocess.DEVNULL}
    assert [call["env"] for call in popen.calls] == [{"A": "b"}, {"A": "b"}]


def test_a_job_that_allows_it_is_left_at_the_first_try(tmp_path: Path) -> None:
    popen = Popen()
    spawn_detached(["python"], cwd=tmp_path, env={}, popen=popen)
    assert len(popen.calls) == 1


@pytest.mark.parametrize("errors", [[Busy(2)], [Busy(5), Busy(5)]])
def test_another_refusal_is_an_error(tmp_path: Path, errors: list[OSError]) -> None:
    with pytest.raises(OSError, match="refused"):
        spawn_detached(["python"], cwd=tmp_path, env={}, popen=Popen(*errors))


@pytest.mark.parametrize(("code", "text"), [(-1073741819, "0xc0000005"), (0xC000013A, "0xc000013a"), (1, "0x1")])
def test_an_exit_code_is_unsigned(code: int, text: str) -> None:
    assert hex(unsigned(code)) == text


def test_a_living_process_has_a_start_and_a_dead_one_has_none(kernel: Kernel) -> None:
    assert windows.started_at(7) == 0x01DA_0000_0000_0001
    assert windows.started_at(8) is None
    kernel.lives = False
    assert windows.started_at(7) is None
    assert kernel.closed == [700, 700]


def test_only_the_process_that_was_meant_is_terminated(kernel: Kernel) -> None:
    assert not windows.kill(7, lambda: False)
    assert not windows.kill(8, lambda: True)
    assert kernel.terminated == []
    assert windows.kill(7, lambda: True)
    assert kernel.terminated == [700]
    assert kernel.closed == [700, 700]


def test_a_lock_file_that_cannot_be_read_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "shim.lock"
    assert not is_locked(lock)
    lock.write_bytes(b"\0")
    assert not is_locked(lock)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert is_locked(lock)


def names_in(body: list[ast.stmt]) -> set[str]:
    """Return what a module or class defines or takes in under a name of its own."""
    defined = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    return defined | {alias.asname for node in imports for alias in node.names if alias.asname}


def tree_of(name: str) -> ast.Module:
    return ast.parse(Path(windows.__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))


def test_both_systems_offer_every_name_that_is_used() -> None:
    used: set[str] = set()
    for path in Path(windows.__file__).parent.glob("*.py"):
        used |= set(re.findall(r"\bhere\.(\w+)", path.read_text(encoding="utf-8")))
    assert len(used) > 15
    assert used - names_in(tree_of("windows").body) == set()
    assert used - names_in(tree_of("unix").body) == set()


def test_a_child_does_the_same_on_both_systems() -> None:
    methods = []
    for system in ("windows", "unix"):
        (child,) = (node for node in tree_of(system).body if isinstance(node, ast.ClassDef) and node.name == "Child")
        methods.append(names_in(child.body))
    assert methods[0] == methods[1]
    assert "interrupt" in methods[0]
