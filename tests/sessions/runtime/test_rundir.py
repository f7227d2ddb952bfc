from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sessions.runtime.records import Claim, ExitRecord, LaunchSpec, Request, build
from sessions.runtime.rundir import AttemptDirectory, RunDirectory

SPEC = LaunchSpec(run_id="ball-1", attempt=2, cookie="c00kie", argv=["python"], cwd="/", env={"LANG": "C"})


@pytest.fixture
def directory(tmp_path: Path) -> AttemptDirectory:
    found = RunDirectory(tmp_path, "ball-1").attempt(2)
    found.prepare(SPEC, b"max_steps: 5\r\n", b"max_steps: 4\r\n")
    return found


def test_an_attempt_keeps_both_configurations_byte_for_byte(directory: AttemptDirectory, tmp_path: Path) -> None:
    assert directory.path == tmp_path / "runs" / "ball-1" / "attempts" / "2"
    assert (directory.path / "config.yaml").read_bytes() == b"max_steps: 5\r\n"
    assert (directory.path / "config.given.yaml").read_bytes() == b"max_steps: 4\r\n"


def test_the_stored_spec_carries_the_cookie_in_its_environment(directory: AttemptDirectory) -> None:
    spec = directory.read_spec()
    assert spec is not None
    assert spec.env == {"LANG": "C", "MENTOR_ATTEMPT": "c00kie"}
    assert (spec.run_id, spec.attempt, spec.argv, spec.grace_seconds) == ("ball-1", 2, ["python"], 180.0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_an_attempt_is_private(directory: AttemptDirectory) -> None:
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.path.iterdir()} == {0o600}


def test_an_attempt_is_prepared_once(directory: AttemptDirectory) -> None:
    with pytest.raises(FileExistsError):
        directory.prepare(SPEC, b"other", b"other")
    assert directory.config.read_bytes() == b"max_steps: 5\r\n"


def test_the_first_request_stays_as_it_was(directory: AttemptDirectory) -> None:
    assert directory.request_stop("ada", 30.0)
    assert not directory.request_stop("bob", 1.0)
    request = directory.read_stop_request()
    assert request is not None
    assert (request.by, request.grace_seconds) == ("ada", 30.0)
    assert directory.read_kill_request() is None
    assert directory.request_kill("bob")
    assert directory.read_kill_request() is not None


def test_a_void_claim_is_final(directory: AttemptDirectory) -> None:
    assert directory.claim_void()
    assert not directory.claim_void()
    claim = directory.read_claim()
    assert claim is not None
    assert (claim.by, claim.void) == ("reconciler", True)


def test_an_empty_directory_says_nothing(tmp_path: Path) -> None:
    directory = AttemptDirectory(tmp_path / "missing")
    readers = [getattr(directory, name) for name in dir(directory) if name.startswith("read_")]
    assert len(readers) == 9
    assert [reader() for reader in readers] == [None] * 9


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_linked_request_is_no_request(directory: AttemptDirectory, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(json.dumps(asdict(Request(1.0, "mallory"))), encoding="utf-8")
    directory.kill_request.symlink_to(tmp_path / "elsewhere")
    assert directory.read_kill_request() is None


@pytest.mark.parametrize("run_id", ["", "..", "../x", "a/b", "a\\b", ".hidden", "a\n", "x" * 65, "-a"])
def test_a_run_id_that_leads_elsewhere_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ValueError, match="not a run id"):
        RunDirectory(tmp_path, run_id)


def test_results_and_attempts_lie_beside_each_other(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, "a.b-c_1")
    assert run.results == tmp_path / "runs" / "a.b-c_1" / "results"
    assert run.attempt(12).path == tmp_path / "runs" / "a.b-c_1" / "attempts" / "12"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"by": "shim"},
        {"by": 1, "void": False},
        {"by": "shim", "void": 0},
        {"by": "shim", "void": True, "pid": "1"},
    ],
)
def test_facts_that_are_missing_or_of_the_wrong_type_make_no_record(facts: dict[str, Any]) -> None:
    assert build(Claim, facts) is None


def test_facts_of_a_newer_version_are_left_out() -> None:
    assert build(Claim, {"by": "shim", "void": False, "colour": "red"}) == Claim("shim", void=False)


@pytest.mark.parametrize("code", [None, 0, -9, 0xC0000005])
def test_an_exit_record_survives_its_file(tmp_path: Path, code: int | None) -> None:
    record = ExitRecord(code, 12.5, 10, 20, stop_requested=True, reaped=[4, 5])
    directory = AttemptDirectory(tmp_path)
    directory.exit.write_text(json.dumps(asdict(record)), encoding="utf-8")
    assert directory.read_exit() == record
