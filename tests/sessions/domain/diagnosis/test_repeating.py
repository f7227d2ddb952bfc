"""Which failures come again when a training is started again as it was."""

from __future__ import annotations

import pytest

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.entries import Entry

BY_ID = {entry.id: entry for entry in CATALOGUE}


@pytest.mark.parametrize(
    "key",
    [
        "onnxscript", "onnx_missing", "import_error", "pkg_resources_missing", "protobuf_descriptors", "cli_value",
        "config_key", "config_yaml", "config_enum", "config_not_found", "device_name", "numenvs_editor",
        "env_not_found", "env_perm", "api_mismatch", "behavior_missing", "init_missing", "demo_missing",
        "resume_shape_crash", "zero_interval", "nan_action",
    ],
)  # fmt: skip
def test_what_only_a_person_can_mend_comes_again(key: str) -> None:
    assert BY_ID[key].repeats


@pytest.mark.parametrize(
    "key", ["timeout", "env_exit", "port_in_use", "disk_full", "killed", "segfault", "generic_traceback", "grpc"]
)
def test_what_may_pass_does_not(key: str) -> None:
    assert not BY_ID[key].repeats


def test_nobody_knows_of_a_cause_that_was_taught() -> None:
    assert not Entry.taught(1, "the moon is full", title="Moon", cause="", fix="Wait.").repeats
