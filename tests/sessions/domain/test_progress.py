"""How far, how fast, how long still."""

from __future__ import annotations

from sessions.domain.progress import Pace, Standing, eta_seconds, progress


def test_progress_is_the_mean_over_behaviors_and_never_more_than_all() -> None:
    assert progress([Standing(50, 100), Standing(150, 100)]) == 0.75


def test_progress_is_unknown_without_a_goal() -> None:
    assert progress([]) is None
    assert progress([Standing(50, None)]) is None


def test_time_left_counts_the_steps_of_all_behaviors() -> None:
    assert eta_seconds([Standing(50, 100), Standing(90, 100)], 10.0) == 6.0
    assert eta_seconds([Standing(150, 100)], 10.0) == 0.0


def test_time_left_is_unknown_before_there_is_a_pace() -> None:
    assert eta_seconds([Standing(50, 100)], None) is None
    assert eta_seconds([Standing(50, 100)], 0.0) is None


def test_pace_is_known_from_the_second_summary_on() -> None:
    pace = Pace()
    pace.add("Ball", 1.0, 1000)
    assert pace.steps_per_second is None
    pace.add("Ball", 2.0, 3000)
    assert pace.steps_per_second == 2000.0


def test_the_paces_of_behaviors_add_up() -> None:
    pace = Pace()
    for behavior, rate in (("A", 100), ("B", 300)):
        pace.add(behavior, 0.0, 0)
        pace.add(behavior, 1.0, rate)
    assert pace.steps_per_second == 400.0


def test_a_resumed_trainer_starts_its_clock_anew_without_a_negative_pace() -> None:
    pace = Pace()
    pace.add("Ball", 90.0, 9000)
    pace.add("Ball", 100.0, 10000)
    pace.add("Ball", 1.0, 10500)
    assert pace.steps_per_second is None
    pace.add("Ball", 2.0, 11000)
    assert pace.steps_per_second == 500.0
