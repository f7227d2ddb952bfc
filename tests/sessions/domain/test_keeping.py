"""The choice of the checkpoints that are kept."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.keeping import MODES, SUMMARIES, Candidate, best, ranked, smoothed, worth_keeping

scores = st.none() | st.floats(allow_nan=True, allow_infinity=True)
rows = st.tuples(st.sampled_from(["Ball", "Wall"]), st.integers(0, 10), scores, st.booleans())
candidates = st.lists(rows, max_size=30).map(
    lambda found: [Candidate(number, *row) for number, row in enumerate(found)]
)
counts = st.integers(0, 6)
modes = st.sampled_from(MODES)


def is_known(one: Candidate) -> bool:
    return one.score is not None and not math.isnan(one.score)


def of(found: list[Candidate], behavior: str) -> list[Candidate]:
    return [one for one in found if one.behavior == behavior]


@given(candidates, counts, modes)
def test_a_pinned_one_is_never_dropped(found: list[Candidate], count: int, mode: str) -> None:
    assert {one.key for one in found if one.pinned} <= worth_keeping(found, count, mode)


@given(candidates, counts, modes)
def test_of_each_behavior_exactly_so_many_are_the_best(found: list[Candidate], count: int, mode: str) -> None:
    chosen = best(found, count, mode)
    for behavior in ("Ball", "Wall"):
        assert len(of(chosen, behavior)) == min(count, len(of(found, behavior)))
    pinned = {one.key for one in found if one.pinned}
    assert worth_keeping(found, count, mode) - pinned <= {one.key for one in chosen}


@given(candidates, counts)
def test_nothing_that_is_dropped_is_better_than_what_is_kept(found: list[Candidate], count: int) -> None:
    for mode, sign in (("max", 1.0), ("min", -1.0)):
        chosen = best(found, count, mode)
        for kept in chosen:
            for dropped in set(of(found, kept.behavior)) - set(chosen):
                if is_known(dropped):
                    assert is_known(kept)
                    assert sign * (kept.score or 0.0) >= sign * (dropped.score or 0.0)


@given(candidates, modes)
def test_an_unknown_score_ranks_last(found: list[Candidate], mode: str) -> None:
    known = [is_known(one) for one in ranked(found, mode)]
    assert known == sorted(known, reverse=True)


@given(st.lists(st.integers(0, 100), unique=True), scores, modes)
def test_of_equal_scores_the_later_step_is_better(steps: list[int], score: float | None, mode: str) -> None:
    found = [Candidate(step, "Ball", step, score) for step in steps]
    assert [one.step for one in ranked(found, mode)] == sorted(steps, reverse=True)


@given(candidates, counts, modes)
def test_choosing_again_from_what_was_kept_changes_nothing(found: list[Candidate], count: int, mode: str) -> None:
    kept = worth_keeping(found, count, mode)
    assert worth_keeping([one for one in found if one.key in kept], count, mode) == kept


def test_a_checkpoint_is_judged_by_the_summaries_that_were_written_up_to_its_moment() -> None:
    steps, values = [1000, 2000, 3000, 4000, 5000, 6000, 7000], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0]
    assert smoothed(steps, values, 4992) == 3.0  # the summary of 5000 is written just before the checkpoint of 4992
    assert smoothed(steps, values, 6000) == 4.0
    assert smoothed(steps, values, 10) == 1.0
    assert smoothed(steps, values, 6000, summaries=1) == 6.0


def test_a_summary_without_a_number_says_nothing() -> None:
    assert smoothed([1, 2, 3], [1.0, math.nan, 3.0], 3) == 2.0
    assert smoothed([1], [math.nan], 3) is None
    assert smoothed([], [], 3) is None


@pytest.mark.parametrize("mode", MODES)
def test_no_candidates_are_no_error(mode: str) -> None:
    assert best([], 3, mode) == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(0, 50))
def test_the_smoothed_value_lies_between_the_values_it_is_of(values: list[float], step: int) -> None:
    found = smoothed(range(len(values)), values, step)
    assert found is not None
    end = min(step + 1, len(values))
    window = values[max(0, end - SUMMARIES) : end]
    assert min(window) - 1e-6 <= found <= max(window) + 1e-6
