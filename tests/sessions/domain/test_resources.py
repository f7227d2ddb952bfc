"""What two looks at a tree of processes say, without any process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.resources import (
    CPU,
    MEMORY,
    PROCESSES,
    TRAINER_CPU,
    Look,
    ProcessUse,
    children_by_parent,
    cpu_percent,
    descendants,
    readings,
    seconds_between,
)

HOUR, DAY = 3600.0, 86400.0


def look(at: float, *processes: tuple[int, float]) -> Look:
    """Processes by number and CPU seconds, each of 100 bytes, all started at the same moment."""
    return Look(at, tuple(ProcessUse(pid, 1.0, seconds, 100) for pid, seconds in processes))


def test_the_tree_is_all_that_descends_from_its_roots() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1, 21: 20, 30: 1}
    children = children_by_parent(parents)
    assert descendants(children, [10]) == {10, 11, 12}
    assert descendants(children, [11, 20]) == {11, 12, 20, 21}
    assert descendants(children, [30]) == {30}
    assert descendants(children, []) == set()


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_parents_in_a_circle_end_the_walk(parents: dict[int, int], roots: set[int]) -> None:
    found = descendants(children_by_parent(parents), roots)
    assert roots <= found
    assert all(parents[pid] in found for pid in found - roots)


def test_cpu_is_in_percent_of_one_core() -> None:
    assert cpu_percent(look(100, (1, 7.0)), look(105, (1, 9.5))) == 50.0
    assert cpu_percent(look(100, (1, 0.0), (2, 0.0)), look(105, (1, 5.0), (2, 5.0))) == 200.0
    assert cpu_percent(look(100, (1, 7.0)), look(100, (1, 7.0))) is None


def test_a_process_that_was_born_counts_from_its_birth() -> None:
    assert cpu_percent(look(100, (1, 7.0)), look(110, (1, 7.0), (2, 2.0))) == 20.0


def test_a_process_that_ended_takes_its_time_with_it() -> None:
    assert cpu_percent(look(100, (1, 7.0), (2, 900.0)), look(110, (1, 8.0))) == 10.0


def test_a_number_that_was_given_away_again_is_another_process() -> None:
    before = Look(100, (ProcessUse(7, 1.0, 500.0, 100),))
    now = Look(110, (ProcessUse(7, 105.0, 1.0, 100),))
    assert cpu_percent(before, now) == 10.0


uses = st.builds(ProcessUse, st.integers(1, 9), st.sampled_from([1.0, 2.0]), st.floats(0, 1e6), st.integers(0, 2**40))
looks = st.lists(uses, max_size=8, unique_by=lambda use: (use.pid, use.started)).map(tuple)


@given(looks, looks, st.floats(0.001, 1e6))
def test_nothing_is_ever_negative(before: tuple[ProcessUse, ...], now: tuple[ProcessUse, ...], passed: float) -> None:
    values = readings(Look(0.0, before), Look(passed, now))
    assert set(values) == {CPU, MEMORY, PROCESSES}
    assert min(values.values()) >= 0


def test_the_first_look_knows_memory_and_processes_alone() -> None:
    assert readings(None, look(0, (1, 5.0), (2, 5.0))) == {MEMORY: 200.0, PROCESSES: 2.0}


def test_the_trainer_is_told_apart_from_what_it_trains_in() -> None:
    told = readings(look(0, (1, 5.0), (2, 5.0)), look(10, (1, 6.0), (2, 14.0)), trainer=1)
    assert (told[CPU], told[TRAINER_CPU]) == (100.0, 10.0)
    assert TRAINER_CPU not in readings(look(0, (2, 5.0)), look(10, (2, 6.0)), trainer=1)
    assert TRAINER_CPU not in readings(look(0, (2, 5.0)), look(10, (2, 6.0)))


def test_samples_grow_rarer_with_age_and_never_rarer_than_a_minute() -> None:
    assert [seconds_between(age) for age in (0, HOUR, 6 * HOUR, 12 * HOUR, 30 * DAY)] == [5, 5, 30, 60, 60]


def test_a_training_of_days_has_a_bounded_number_of_points() -> None:
    moments = [0.0]
    while moments[-1] < 7 * DAY:
        moments.append(moments[-1] + seconds_between(moments[-1]))
    assert sum(1 for moment in moments if moment < 12 * HOUR) < 2600
    assert len(moments) < 2600 + 7 * 1440
