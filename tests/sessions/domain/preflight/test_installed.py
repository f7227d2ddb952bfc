"""Versions that do not train together are told before the start."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.preflight.checks import Level
from sessions.domain.preflight.installed import Installed, check_versions, version_parts

GOOD = Installed(
    "3.10.12",
    {
        "mlagents": "1.1.0",
        "torch": "2.2.2",
        "numpy": "1.23.5",
        "protobuf": "3.20.3",
        "setuptools": "80.0",
        "onnx": "1.15.0",
    },
    {"pkg_resources": True, "distutils": True, "onnx": True, "onnxscript": False},
    "12.1",
)


def with_package(name: str, version: str, base: Installed = GOOD) -> Installed:
    return replace(base, packages={**base.packages, name: version})


def without(module: str, base: Installed = GOOD) -> Installed:
    return replace(base, modules={**base.modules, module: False})


def test_what_ml_agents_declares_fits_together() -> None:
    check = check_versions(GOOD, variables={})
    assert check.level is Level.OK
    assert check.finding == "mlagents 1.1.0, torch 2.2.2, numpy 1.23.5, Python 3.10.12 fit together."


@pytest.mark.parametrize(
    ("found", "level", "says", "fix"),
    [
        (with_package("protobuf", "4.25.1"), Level.ERROR, "protobuf 4.25.1", "protobuf==3.20.3"),
        (without("pkg_resources"), Level.ERROR, "pkg_resources", "setuptools<81"),
        (without("distutils"), Level.ERROR, "distutils", "Python 3.10"),
        (with_package("torch", "2.9.1+cu128"), Level.ERROR, "first checkpoint", "torch<2.9"),
        (without("onnx"), Level.ERROR, "onnx is missing", "onnx==1.15.0"),
        (with_package("numpy", "1.26.4"), Level.WARNING, "numpy 1.26.4", "numpy==1.23.5"),
        (with_package("cattrs", "23.1"), Level.WARNING, "cattrs 23.1", "cattrs<1.7"),
        (with_package("numpy", "1.26.4", with_package("mlagents", "0.28.0")), Level.ERROR, "numpy", "numpy==1.23.5"),
        (with_package("mlagents", "0.28.0"), Level.WARNING, "newer Pythons", "Python 3.8"),
        (replace(GOOD, python="3.12.1"), Level.WARNING, "Python 3.12.1", "Python 3.10"),
        (replace(GOOD, packages={"numpy": "1.23.5"}), Level.ERROR, "not installed", "mlagents==1.1.0"),
        (replace(GOOD, packages={"mlagents": "1.1.0"}), Level.ERROR, "PyTorch", "torch<2.9"),
        (Installed(problem="It is gone."), Level.ERROR, "It is gone.", "Register"),
        (Installed(problem="It is slow.", late=True), Level.WARNING, "It is slow.", "Register"),
    ],
)
def test_each_conflict_has_its_finding_and_its_fix(found: Installed, level: Level, says: str, fix: str) -> None:
    check = check_versions(found, variables={})
    assert (check.level, check.field) == (level, "trainer")
    assert says in check.finding
    assert fix in check.fix


def test_onnxscript_makes_a_newer_torch_a_doubt_only() -> None:
    found = with_package("torch", "2.9.0", replace(GOOD, modules={**GOOD.modules, "onnxscript": True}))
    assert check_versions(found, variables={}).level is Level.WARNING


def test_protobuf_in_plain_python_is_slow_and_no_error() -> None:
    variables = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    assert check_versions(with_package("protobuf", "5.0"), variables=variables).level is Level.WARNING


def test_the_worst_of_several_conflicts_comes_first() -> None:
    check = check_versions(with_package("numpy", "2.0", with_package("protobuf", "5.0")), variables={})
    assert check.level is Level.ERROR
    assert check.finding.index("protobuf") < check.finding.index("numpy")


@given(st.lists(st.integers(0, 99), min_size=1, max_size=3), st.sampled_from(["", "+cu121", "rc1", ".post2", "+cpu"]))
def test_a_version_is_its_numbers_whatever_follows(numbers: list[int], tail: str) -> None:
    text = ".".join(map(str, numbers))
    assert version_parts(text + tail) == tuple(numbers)


@given(st.text(max_size=30))
def test_no_text_is_too_odd_for_a_version(text: str) -> None:
    assert len(version_parts(text)) <= 3


@given(
    st.dictionaries(st.sampled_from(sorted(GOOD.packages)), st.text(max_size=12)),
    st.dictionaries(st.sampled_from(sorted(GOOD.modules)), st.booleans()),
    st.text(max_size=8),
)
def test_whatever_an_interpreter_answers_there_is_one_check(
    packages: dict[str, str], modules: dict[str, bool], python: str
) -> None:
    check = check_versions(Installed(python, packages, modules), variables={})
    assert check.id == "versions"
    assert (check.level is Level.OK) == (not check.fix)
