"""Files of another version of MENTOR are understood: those of an older one lack fields, those of a newer have more."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from sessions.runtime.memo import AttemptMemo, SessionMemo
from sessions.runtime.records import (
    Claim,
    ExitRecord,
    LaunchSpec,
    Request,
    ShimRecord,
    StopSeen,
    TrainerRecord,
    TrainExit,
    build,
)
from sessions.runtime.rundir import AttemptDirectory

# What the first version wrote, and every later one has to understand: these fields, and no others, are needed.
NEEDED: dict[type[Any], dict[str, Any]] = {
    LaunchSpec: {"run_id": "ball", "attempt": 1, "cookie": "c", "argv": ["python"], "cwd": "/", "env": {}},
    Claim: {"by": "shim", "void": False},
    Request: {"at": 1.7e9, "by": "ada"},
    TrainerRecord: {"pid": 5, "boot_id": "b", "started": 7},
    ShimRecord: {"pid": 4, "boot_id": "b", "started": 6, "trainer_pid": 5, "trainer_started": 7},
    StopSeen: {"at": 1.7e9, "stage": "train"},
    TrainExit: {"code": 0, "stage": "train", "exception": ""},
    ExitRecord: {"code": 0, "ended_at": 1.7e9, "log_size": 5, "log_crc32": 9},
    SessionMemo: {"run_id": "ball"},
    AttemptMemo: {"number": 1, "cookie": "c"},
}
kinds = pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)


@kinds
def test_a_field_that_came_later_has_a_default(kind: type[Any]) -> None:
    needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
    assert needed == set(NEEDED[kind])
    record = build(kind, NEEDED[kind])
    assert record is not None
    assert {name: getattr(record, name) for name in needed} == NEEDED[kind]


@kinds
def test_a_field_of_a_newer_version_is_passed_over(kind: type[Any]) -> None:
    newer = {**NEEDED[kind], "schema": 9, "of_a_newer_version": {"anything": [1]}}
    if "schema" not in {one.name for one in fields(kind)}:
        assert build(kind, newer) == build(kind, NEEDED[kind])
    else:
        assert build(kind, newer) is not None


def test_an_attempt_of_an_older_shim_is_read_from_its_files(tmp_path: Path) -> None:
    directory = AttemptDirectory(tmp_path)
    named = {"spec": LaunchSpec, "claim": Claim, "shim": ShimRecord, "train": TrainerRecord, "exit": ExitRecord}
    for name, kind in named.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(NEEDED[kind]))
    spec, ended = directory.read_spec(), directory.read_exit()
    assert spec is not None
    assert ended is not None
    assert (spec.grace_seconds, ended.inferred, ended.reaped) == (180.0, False, [])
    assert None not in (directory.read_claim(), directory.read_shim(), directory.read_trainer())
