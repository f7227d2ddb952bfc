"""What kind of program a build is, by its first bytes, and whether this machine can start it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sessions.domain.preflight.checks import Check, Level, passed

HEAD_BYTES = 4096
ID, TITLE, FIELD = "build", "Environment", "env_path"
PLATFORMS = {"elf": "linux", "pe": "win32", "macho": "darwin"}
SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "macOS"}
MACH_O = {b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"}
ELF_MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64"}
PE_MACHINES = {0x014C: "x86", 0x8664: "x86_64", 0xAA64: "aarch64"}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "i386": "x86", "i686": "x86"}
RUNS_ALSO = {("x86_64", "x86"), ("aarch64", "x86_64"), ("aarch64", "x86")}


@dataclass(frozen=True)
class Program:
    """The format of a program (elf, pe, macho, script, or empty when it is none known) and what machine it is for."""

    format: str
    machine: str = ""


@dataclass(frozen=True)
class BuildFacts:
    """A build as it lies on the disk. `head` is empty when it cannot be read; `data_folder` is what Unity lays beside.

    `changed` tells that it is registered, and was built anew since.
    """

    name: str
    head: bytes
    has_data_folder: bool
    changed: bool = False


def program_of(head: bytes) -> Program:
    """Return what the first bytes of a file say it is."""
    if head[:4] == b"\x7fELF" and len(head) >= 20:
        order = ">" if head[5] == 2 else "<"
        return Program("elf", ELF_MACHINES.get(struct.unpack_from(f"{order}H", head, 18)[0], ""))
    if head[:2] == b"MZ":
        return Program("pe", _pe_machine(head))
    if head[:4] in MACH_O:
        return Program("macho")
    return Program("script") if head[:2] == b"#!" else Program("")


def _pe_machine(head: bytes) -> str:
    if len(head) < 64:
        return ""
    start = struct.unpack_from("<I", head, 60)[0]
    if head[start : start + 4] != b"PE\0\0" or len(head) < start + 6:
        return ""
    return PE_MACHINES.get(struct.unpack_from("<H", head, start + 4)[0], "")


def check_build(build: BuildFacts, *, platform: str, machine: str) -> Check:
    """Say whether a build can be started here; `platform` and `machine` as Python names them."""
    program = program_of(build.head)
    target = PLATFORMS.get(program.format)
    if not build.head:
        return Check(ID, TITLE, Level.ERROR, f"{build.name} cannot be read.", "Build it anew.", FIELD)
    if target is not None and target != platform:
        found = f"{build.name} is a program for {SYSTEMS[target]}."
        return Check(ID, TITLE, Level.ERROR, found, f"Build it for {SYSTEMS.get(platform, platform)}.", FIELD)
    if program.format == "script" and platform == "win32":
        return Check(ID, TITLE, Level.ERROR, f"{build.name} is a script.", "Choose the .exe that Unity built.", FIELD)
    return _doubts(build, program, machine) or passed(ID, TITLE, f"{build.name} is a program for this machine.")


def _doubts(build: BuildFacts, program: Program, machine: str) -> Check | None:
    if not program.format:
        found = f"{build.name} is of no kind that is known as a program."
        return Check(ID, TITLE, Level.WARNING, found, "Choose the executable that Unity built.", FIELD)
    here = MACHINES.get(machine.lower(), machine.lower())
    if program.machine and here and program.machine != here and (here, program.machine) not in RUNS_ALSO:
        found = f"{build.name} was built for {program.machine}; this machine is {here}."
        return Check(ID, TITLE, Level.WARNING, found, "Build it for this architecture.", FIELD)
    if program.format in ("elf", "pe") and not build.has_data_folder:
        found = f"The folder {build.name}_Data is not beside it; Unity's players do not start without."
        return Check(ID, TITLE, Level.WARNING, found, "Copy the whole folder of the build.", FIELD)
    if build.changed:
        found = f"{build.name} has changed since it was registered."
        return Check(ID, TITLE, Level.WARNING, found, "A start registers it as it is now.", FIELD)
    return None
