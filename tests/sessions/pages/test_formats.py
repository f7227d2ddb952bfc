"""How values read on pages: the same cases hold for `static/js/format.js`."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from sessions.templatetags import mentor

CASES: dict[str, list[tuple[Any, str]]] = json.loads(
    (Path(__file__).parents[2] / "js" / "format_cases.json").read_text(encoding="utf-8")
)
REWARD = "Environment/Cumulative Reward"


@pytest.mark.parametrize("name", [name for name in CASES if name != "ago"])
def test_a_value_reads_as_the_client_writes_it(name: str) -> None:
    assert [getattr(mentor, name)(value) for value, _ in CASES[name]] == [text for _, text in CASES[name]]


def test_how_long_ago_reads_as_the_client_writes_it() -> None:
    for seconds, text in CASES["ago"]:
        assert mentor.ago(timedelta(seconds=seconds)) == text


def test_a_moment_keeps_its_exact_time_for_machines() -> None:
    moment = datetime(2026, 11, 21, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    assert 'datetime="2026-11-21T08:30:00+00:00"' in mentor.when(moment)
    assert mentor.when(None) == mentor.NOTHING


def test_a_size_has_the_unit_that_fits() -> None:
    assert [mentor.size(count) for count in (None, 0, 999, 412_345, 1_500_000)] == [
        mentor.NOTHING,
        "0 B",
        "999 B",
        "412.3 kB",
        "1.5 MB",
    ]


def test_a_command_line_breaks_only_between_its_options() -> None:
    assert mentor.options_of("mlagents-learn a b.yaml --run-id=x --env-args --fast") == [
        "mlagents-learn a b.yaml",
        "--run-id=x",
        "--env-args",
        "--fast",
    ]
    assert mentor.options_of(None) == []


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("a\x1b[1;31mred\x1b[0m\n<b>", "ared\n<b>"),
        ("a\x1b]8;;https://evil.example\x07link\x1b]8;;\x07b", "alinkb"),
        ("a\x1b]52;c;aGVsbG8=\x1b\\b", "ab"),
        ("a\x1b]0;never ended\nnext", "a\nnext"),
        ("a\x1b[2J\x1b[10;10Hb\x1b(Bc\x1b", "abc"),
        ("a\x00\x08\u202eb\u2066c\tend", "abc\tend"),
        (" 10%\r 50%\r100%\nwindows\r\n", "100%\nwindows\n"),
    ],
)
def test_a_page_shows_only_the_text_that_was_printed(printed: str, text: str) -> None:
    assert mentor.plain(printed) == text


def test_a_reward_that_is_no_number_says_so() -> None:
    assert mentor.reward(float("nan")) == "NaN"


def points(behavior: str, values: list[float | None], *, tag: str = REWARD, attempt: int = 1) -> dict[str, Any]:
    steps = [100 * (at + 1) for at in range(len(values))]
    return {"behavior": behavior, "tag": tag, "attempt": attempt, "steps": steps, "values": values, "wall_times": steps}


def test_curves_share_one_box_and_leave_out_what_is_no_number() -> None:
    series = [points("Ball", [0.0, None, 10.0]), points("Wall", [5.0]), points("Ball", [1.0], tag="x")]
    curves = mentor.curves_of(series, REWARD)
    assert [curve["behavior"] for curve in curves] == ["Ball", "Wall"]
    assert [curve["line"] for curve in curves] == ["0.0,260.0 1000.0,0.0", "0.0,130.0"]
    assert curves[0]["last"] == [(100, 0.0), (300, 10.0)]


def test_attempts_are_one_curve() -> None:
    (curve,) = mentor.curves_of([points("Ball", [1.0, 2.0]), points("Ball", [4.0], attempt=2)], REWARD)
    assert curve["last"] == [(100, 4.0)]


def test_without_rewards_there_are_no_curves() -> None:
    series = [points("Ball", []), points("Ball", [1.0], tag="Losses/Policy Loss")]
    assert mentor.curves_of(series, REWARD) == []
