"""A build is looked at by its first bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.preflight.builds import BuildFacts, Program, check_build, program_of
from sessions.domain.preflight.checks import Level

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, 62) + bytes(40)
ELF_ARM = ELF[:18] + struct.pack("<H", 183) + ELF[20:]
PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(10)
MACH_O = b"\xcf\xfa\xed\xfe" + bytes(20)
SCRIPT = b"#!/bin/sh\n"


def level(head: bytes, platform: str, *, data: bool = True, changed: bool = False) -> Level:
    return check_build(BuildFacts("Ball", head, data, changed), platform=platform, machine="x86_64").level


def test_each_system_starts_its_own_programs() -> None:
    assert program_of(ELF) == Program("elf", "x86_64")
    assert program_of(PE) == Program("pe", "x86_64")
    for head, platform in ((ELF, "linux"), (PE, "win32"), (MACH_O, "darwin"), (SCRIPT, "linux")):
        assert level(head, platform) is Level.OK


@pytest.mark.parametrize(("head", "platform"), [(PE, "linux"), (MACH_O, "linux"), (ELF, "win32"), (PE, "darwin")])
def test_a_program_for_another_system_is_refused_by_name(head: bytes, platform: str) -> None:
    check = check_build(BuildFacts("Ball", head, True), platform=platform, machine="AMD64")
    assert check.level is Level.ERROR
    assert check.field == "env_path"
    assert check.finding.startswith("Ball is a program for ")
    assert check.fix.startswith("Build it for ")


def test_a_script_is_no_build_on_windows() -> None:
    assert level(SCRIPT, "win32") is Level.ERROR


def test_doubts_are_told_and_do_not_refuse() -> None:
    assert level(b"\x00\x01\x02", "linux") is Level.WARNING
    assert level(ELF, "linux", data=False) is Level.WARNING
    assert level(ELF, "linux", changed=True) is Level.WARNING
    assert level(ELF_ARM, "linux") is Level.WARNING


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    assert level(b"", "linux") is Level.ERROR


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"MZ" + rest))
def test_no_bytes_are_too_odd_to_be_looked_at(head: bytes) -> None:
    assert program_of(head).format in {"elf", "pe", "macho", "script", ""}
    assert level(head, "linux") in set(Level)
