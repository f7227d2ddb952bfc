"""Win rates: what a tag says, and what ELO lets one expect."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.winning import against_pool, expected_score, is_rate, rolling, says_win

RATINGS = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    "tag", ["Environment/Win Rate", "win", "success", "Custom/WinRate", "team_win", "is-solved", "rollout/success_rate"]
)
def test_a_tag_that_speaks_of_winning(tag: str) -> None:
    assert says_win(tag)


@pytest.mark.parametrize("tag", ["Window", "Losses/Value Loss", "Environment/Swing", "unsuccessful", "Policy/Entropy"])
def test_a_tag_that_does_not(tag: str) -> None:
    assert not says_win(tag)


def test_a_rate_lies_between_0_and_1() -> None:
    assert is_rate([None, 0.0, 1.0, math.nan])
    assert not is_rate([0.5, 1.2])
    assert not is_rate([None, math.nan])


def test_rolling_is_the_mean_of_the_last_values() -> None:
    assert rolling([0.0, 1.0, 1.0, None, 0.0], 2) == [0.0, 0.5, 1.0, 1.0, 0.0]
    assert rolling([None, math.nan], 3) == [None, None]
    assert rolling([]) == []


@given(RATINGS, RATINGS)
def test_what_one_wins_the_other_loses(own: float, other: float) -> None:
    assert expected_score(own, other) + expected_score(other, own) == pytest.approx(1.0)


def test_400_points_are_odds_of_ten_to_one() -> None:
    assert expected_score(1200, 1200) == 0.5
    assert expected_score(1600, 1200) == pytest.approx(10 / 11)


@given(st.lists(st.one_of(st.none(), RATINGS, st.just(math.nan)), max_size=30))
def test_expected_rates_are_shares_one_for_each_summary(elos: list[float | None]) -> None:
    rates = against_pool(elos)
    assert len(rates) == len(elos)
    assert all(rate is None or 0.0 <= rate <= 1.0 for rate in rates)


def test_a_policy_that_gets_better_beats_those_before_it() -> None:
    assert against_pool([1200.0, 1600.0, None, 1600.0], pool=1) == [None, pytest.approx(10 / 11), None, 0.5]
    assert against_pool([0.0, 0.0]) == [None, 0.5]
