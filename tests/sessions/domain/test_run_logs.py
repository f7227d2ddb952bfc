"""What ML-Agents wrote at the end, as it is and as an enemy would write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.domain.config_comparison import compare
from sessions.domain.hostile_json import MOST_BYTES, Unreadable
from sessions.domain.timers import MOST_DEPTH, MOST_NODES, Timer, read_timers
from sessions.domain.training_status import read_status
from sessions.domain.yaml_tree import parse

GOLDEN = Path(__file__).parents[2] / "golden" / "run_logs"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["children", "total", "self", "count", "gauges", "metadata", "name", "is_parallel", "value", "elo",
             "checkpoints", "final_checkpoint", "steps", "lesson_num", "x"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


def all_of(timer: Timer) -> list[Timer]:
    return [timer, *(inner for child in timer.children for inner in all_of(child))]


def test_the_time_of_a_real_training_is_told_part_by_part() -> None:
    timers = read_timers((GOLDEN / "timers.json").read_bytes())
    assert timers.complete
    assert timers.spent is not None
    shares = dict(timers.spent.shares())
    assert sum(shares.values()) == pytest.approx(1)
    assert timers.spent.whole == pytest.approx(timers.root.total)
    # Resetting and stepping two environments, without what the policy took of the steps.
    assert timers.spent.environment == pytest.approx(1.4886 + 2.3404 - 0.2796, abs=1e-3)
    assert timers.spent.learning == pytest.approx(1.4769 - 0.1179, abs=1e-3)
    assert shares["saving"] == pytest.approx((0.1179 + 0.0242) / 5.647, abs=1e-3)
    worker = next(one for one in all_of(timers.root) if one.name == "worker_root")
    assert (worker.parallel, worker.share) == (True, 1.0)
    assert all(0 <= one.share <= 1 for one in all_of(timers.root))
    assert dict(timers.facts)["mlagents_version"] == "1.1.0"
    reward = next(one for one in timers.gauges if one.name == "Ball.Environment.CumulativeReward.mean")
    assert reward.count == 15
    assert reward.value == pytest.approx(0.1874794)


def test_the_status_of_a_real_training_names_checkpoints_lessons_and_versions() -> None:
    status = read_status((GOLDEN / "training_status.json").read_bytes())
    (behavior,) = status.behaviors
    assert [one.step for one in behavior.checkpoints] == [996, 1980, 2984, 3005, 3005]
    assert [one.final for one in behavior.checkpoints] == [False] * 4 + [True]
    assert status.lessons == [("gravity", 1)]
    assert dict(status.versions)["torch_version"] == "2.2.2+cu121"


def test_a_self_played_behavior_has_its_elo() -> None:
    (behavior,) = read_status(b'{"Soccer": {"elo": 1208.4}, "metadata": {}}').behaviors
    assert (behavior.name, behavior.elo, behavior.checkpoints) == ("Soccer", 1208.4, [])


@pytest.mark.parametrize("read", [read_timers, read_status])
@pytest.mark.parametrize(
    "data",
    [b"", b"no json", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b" " * (MOST_BYTES + 1)],
)
def test_what_is_no_such_file_is_told_in_a_sentence(read: Any, data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^It .*\.$"):
        read(data)


@settings(max_examples=300)
@given(JSON.map(lambda tree: {"children": tree, "metadata": tree, "gauges": tree, "B": tree}))
def test_anything_may_stand_anywhere(tree: Any) -> None:
    data = json.dumps(tree).encode()
    timers, status = read_timers(data), read_status(data)
    shown = [one.name for one in all_of(timers.root)] + [name for name, _ in status.lessons]
    "".join(shown).encode("utf-8")
    assert timers.spent is None or timers.spent.whole >= 0


def test_of_a_tree_without_end_the_beginning_is_shown() -> None:
    wide = {"children": {f"n{number}": {"total": 1} for number in range(5000)}}
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"children": {"n": deep}}
    for tree in (wide, deep):
        timers = read_timers(json.dumps(tree).encode())
        assert not timers.complete
        assert len(all_of(timers.root)) <= max(MOST_NODES, MOST_DEPTH) + 1


def test_numbers_nobody_could_mean_are_left_out() -> None:
    data = b'{"total": 1e999, "count": %s, "children": {"a": {"total": -5, "self": true, "count": "7"}}}' % (
        b"9" * 4000
    )
    root = read_timers(data).root
    assert (root.total, root.count) == (0, 0)
    assert (root.children[0].total, root.children[0].own, root.children[0].count) == (0, 0, 0)


def test_what_was_given_is_compared_setting_by_setting() -> None:
    trees = (parse((GOLDEN / name).read_bytes()).tree for name in ("given.yaml", "configuration.yaml"))
    kinds = {one.path: one.kind for one in compare(*trees)}
    assert kinds["behaviors.Ball.max_steps"] == "same"
    assert kinds["environment_parameters.gravity.curriculum.0.value"] == "same"
    assert kinds["behaviors.Ball.hyperparameters.learning_rate"] == "added"
    assert not {"changed", "unused"} & set(kinds.values())


def test_what_was_used_otherwise_or_not_at_all_stands_out() -> None:
    settings_ = compare(
        {"a": "1e6", "b": 2, "c": True, "d": {"e": []}, "gone": None}, {"a": 1000000, "b": 3, "c": 1, "d": {"e": []}}
    )
    told = {one.path: (one.given, one.used, one.kind) for one in settings_}
    assert told == {
        "a": ("1e6", "1000000", "same"),
        "b": ("2", "3", "changed"),
        "c": ("true", "1", "same"),
        "d.e": ("[]", "[]", "same"),
        "gone": ("null", "", "unused"),
    }
