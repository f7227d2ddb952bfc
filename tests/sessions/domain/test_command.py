"""The command line: what may stand in it, how it is written, and that ML-Agents reads it as it was meant."""

from __future__ import annotations

import math
import shlex
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sessions.domain.command import (
    FORBIDDEN_ARGUMENTS,
    LEARN_OPTIONS,
    RunOptions,
    as_shell,
    command_line,
    read_command_line,
    suggest_run_id,
    validate_options,
)

PLAIN = RunOptions(run_id="ball-1", results_dir="/data/results")


def test_the_least_is_configuration_run_id_and_results_folder() -> None:
    assert command_line("/data/ball.yaml", PLAIN) == [
        "/data/ball.yaml",
        "--run-id=ball-1",
        "--results-dir=/data/results",
    ]


def test_every_option_has_its_value_beside_it_and_the_environments_arguments_are_last() -> None:
    options = RunOptions(
        "b", "r", env_path="/games/My Ball", seed=3, num_envs=2, base_port=5100, no_graphics=True, width=640,
        height=480, time_scale=1.5, timeout_wait=90, device="cuda:1", force=True, initialize_from="a",
        env_args=("--level", "2 b"),
    )  # fmt: skip
    assert command_line("c", options) == [
        "c", "--run-id=b", "--results-dir=r", "--env=/games/My Ball", "--seed=3", "--num-envs=2", "--base-port=5100",
        "--width=640", "--height=480", "--time-scale=1.5", "--timeout-wait=90", "--torch-device=cuda:1",
        "--initialize-from=a", "--no-graphics", "--force", "--env-args", "--level", "2 b",
    ]  # fmt: skip


def test_the_editor_has_a_port_of_its_own() -> None:
    assert not any("port" in word for word in command_line("c", replace(PLAIN, base_port=5100)))


def test_plain_options_are_right() -> None:
    assert validate_options(PLAIN) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("run_id", text)
            for text in ("", ".a", "-a", "a/b", "a\\b", "a b", "a\n", "ä", "a" * 65, "a.", "..", "--force", "@file")
        ),
        *(("run_id", text) for text in ("CON", "nul", "Com1", "lpt9.txt", "aux.", "PRN.a.b")),
        *(("seed", number) for number in (-2, 2**31, 10**30)),
        *(("num_envs", number) for number in (0, -1, 65)),
        *(("width", number) for number in (0, 8193)),
        *(("height", number) for number in (-1, 10**9)),
        *(("time_scale", number) for number in (0, -1.0, 100.5, math.nan, math.inf)),
        *(("timeout_wait", number) for number in (0, 10**6)),
        *(("device", text) for text in ("", "gpu", "cuda:", "cuda:x", "cuda:0 --force", "cpu\n", "CPU")),
        *(("env_args", (text,)) for text in sorted(FORBIDDEN_ARGUMENTS)),
        *(
            ("env_args", (text,))
            for text in ("-LogFile", "-logfile=/x", "a\nb", "a\0b", "a\rb", "--", "--re", "--n", "--num=3", "--t")
        ),
        ("env_args", ("x",) * 101),
    ],
)
def test_what_may_not_stand_there_gets_one_sentence_at_its_field(field: str, value: Any) -> None:
    errors = validate_options(replace(PLAIN, env_path="/games/Ball", **{field: value}))
    assert list(errors) == [field]
    assert [sentence.endswith((".", "name.")) for sentence in errors[field]] == [True]


@pytest.mark.parametrize("run_id", ["a", "0", "Ball_1.2-x", "CON-1", "console", "nul_", "a" * 64])
def test_good_run_ids(run_id: str) -> None:
    assert validate_options(replace(PLAIN, run_id=run_id)) == {}


def test_several_environments_need_a_build() -> None:
    assert list(validate_options(replace(PLAIN, num_envs=2))) == ["num_envs"]
    assert validate_options(replace(PLAIN, num_envs=2, env_path="/games/Ball")) == {}


def test_resume_goes_with_neither_force_nor_another_sessions_networks() -> None:
    assert list(validate_options(replace(PLAIN, resume=True, force=True))) == ["force"]
    assert list(validate_options(replace(PLAIN, resume=True, initialize_from="a"))) == ["initialize_from"]


def test_all_mistakes_are_told_at_once() -> None:
    assert set(validate_options(replace(PLAIN, run_id="/", seed=-9, width=0))) == {"run_id", "seed", "width"}


@pytest.mark.parametrize(
    ("behaviors", "taken", "expected"),
    [
        (["Ball"], [], "ball-1"),
        (["Ball"], ["ball-1", "Ball-2", "ball-4"], "ball-3"),
        (["Push.Block v1.2", "Other"], [], "push-block-v1-2-1"),
        (["Ворота"], [], "session-1"),
        ([], ["session-1"], "session-2"),
        (["x" * 200], [], "x" * 50 + "-1"),
        (["CON"], [], "con-1"),
    ],
)
def test_a_run_id_is_suggested(behaviors: list[str], taken: list[str], expected: str) -> None:
    assert suggest_run_id(behaviors, taken) == expected


@given(st.lists(st.text(max_size=80), max_size=2), st.lists(st.text(max_size=8), max_size=3))
def test_a_suggested_run_id_is_free_and_right(behaviors: list[str], taken: list[str]) -> None:
    run_id = suggest_run_id(behaviors, taken)
    assert run_id not in taken
    assert validate_options(replace(PLAIN, run_id=run_id)) == {}


ARGUMENTS = st.text(st.characters(exclude_categories=["C"]), max_size=12)
WORDS = (
    ARGUMENTS
    | st.builds("--{}{}".format, ARGUMENTS, ARGUMENTS)
    | st.builds("-{}".format, ARGUMENTS)
    | st.sampled_from(LEARN_OPTIONS)
)
OPTIONS = st.builds(
    RunOptions,
    run_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    results_dir=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20),
    env_path=st.none() | st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20),
    seed=st.integers(-1, 2**31 - 1),
    num_envs=st.integers(1, 64),
    base_port=st.none() | st.integers(1024, 65535),
    no_graphics=st.booleans(),
    width=st.none() | st.integers(1, 8192),
    height=st.none() | st.integers(1, 8192),
    time_scale=st.none() | st.floats(0.001, 100),
    timeout_wait=st.none() | st.integers(1, 86_400),
    device=st.sampled_from([None, "cpu", "cuda", "cuda:0", "cuda:12"]),
    resume=st.booleans(),
    force=st.booleans(),
    initialize_from=st.none() | st.from_regex(r"[A-Za-z0-9]{1,9}", fullmatch=True),
    inference=st.booleans(),
    env_args=st.lists(WORDS, max_size=4).map(tuple),
)


@pytest.fixture
def learn_parser() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its protobuf is an old one, and says so at the first import
        from mlagents.trainers.cli_utils import DetectDefault, parser

    yield parser
    DetectDefault.non_default_args.clear()


@pytest.mark.mlagents
@given(options=OPTIONS)
@settings(
    max_examples=200, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_mlagents_reads_accepted_options_as_they_were_meant(options: RunOptions, learn_parser: Any) -> None:
    assume(not validate_options(options))
    read = vars(learn_parser.parse_args(command_line("/data/ball.yaml", options)))
    assert (read["run_id"], read["results_dir"], read["env_path"]) == (
        options.run_id,
        options.results_dir,
        options.env_path,
    )
    assert (read["seed"], read["num_envs"]) == (options.seed, options.num_envs)
    assert read["base_port"] == (options.base_port if options.env_path and options.base_port else 5005)
    assert (read["no_graphics"], read["resume"], read["force"]) == (options.no_graphics, options.resume, options.force)
    assert (read["width"], read["height"], read["time_scale"]) == (
        options.width or 84,
        options.height or 84,
        options.time_scale or 20,
    )
    assert (int(read["timeout_wait"]), read["device"]) == (options.timeout_wait or 60, options.device)
    assert read["initialize_from"] == options.initialize_from
    assert tuple(read["env_args"] or ()) == options.env_args
    assert (read["inference"], read["load_model"], read["debug"]) == (options.inference, False, False)


@pytest.mark.mlagents
def test_the_long_options_are_those_of_mlagents(learn_parser: Any) -> None:
    known = {option for option in learn_parser._option_string_actions if option.startswith("--")}
    assert set(LEARN_OPTIONS) == known


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=10), min_size=1, max_size=5))
def test_what_is_shown_can_be_pasted_into_a_shell(argv: list[str]) -> None:
    assert shlex.split(as_shell(argv, windows=False)) == argv


def test_windows_quotes_as_its_programs_read() -> None:
    assert as_shell(["mlagents-learn", "C:\\my games\\b.yaml", "--run-id=b"], windows=True) == (
        'mlagents-learn "C:\\my games\\b.yaml" --run-id=b'
    )


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@given(
    st.builds(
        RunOptions,
        run_id=st.just("ball-1"),
        results_dir=st.sampled_from(["/r", "C:\\a b\\r", "/r=s"]),
        env_path=maybe(st.just("/builds/Ball=2.x86_64")),
        seed=st.integers(-1, 2**31 - 1),
        num_envs=st.integers(1, 64),
        no_graphics=st.booleans(),
        width=maybe(st.integers(1, 8192)),
        time_scale=maybe(st.floats(0.001, 100)),
        timeout_wait=maybe(st.integers(1, 999)),
        device=maybe(st.sampled_from(["cpu", "cuda:1"])),
        resume=st.booleans(),
        force=st.booleans(),
        initialize_from=maybe(st.just("/r/other")),
        inference=st.booleans(),
        env_args=st.lists(st.sampled_from(["--a=1", "b", "--force"])).map(tuple),
        further=st.fixed_dictionaries({}, optional={"num_areas": st.just(2), "no_graphics_monitor": st.just(True)}),
    )
)
def test_a_command_line_can_be_read_back(options: RunOptions) -> None:
    assert read_command_line(command_line("/c.yaml", options)) == ("/c.yaml", options)
