"""What may go: kept kinds never, as much as was asked for if it can be, and always the same."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.retention import Action, Facts, Limits, decide

DAYS = st.one_of(st.none(), st.floats(0, 100))
FACTS = st.lists(
    st.builds(
        Facts,
        key=st.integers(0, 1000),
        size=st.integers(0, 10_000),
        age_days=DAYS,
        project=st.sampled_from(["", "a", "b"]),
        best=st.dictionaries(st.sampled_from(["Ball", "Wall"]), st.floats(-5, 5)),
        tagged=st.booleans(),
        released=st.booleans(),
        awaited=st.booleans(),
        imported=st.booleans(),
        archived=st.booleans(),
        trashed_days=DAYS,
    ),
    unique_by=lambda one: one.key,
    max_size=20,
)
LIMITS = st.builds(
    Limits,
    archive_days=DAYS,
    trash_days=DAYS,
    most_bytes=st.one_of(st.none(), st.integers(0, 50_000)),
    keep_best=st.integers(0, 3),
    undo_days=st.floats(0, 20),
)


@given(FACTS, LIMITS)
def test_kept_kinds_are_never_touched(facts: list[Facts], limits: Limits) -> None:
    touched = {one.key for one in decide(facts, limits).decisions}
    for one in facts:
        if one.age_days is None or one.awaited or one.imported or one.tagged or one.released:
            assert one.key not in touched


@given(FACTS, LIMITS)
def test_the_best_of_each_behavior_in_each_project_stay(facts: list[Facts], limits: Limits) -> None:
    touched = {one.key for one in decide(facts, limits).decisions}
    listed = [one for one in facts if one.age_days is not None and one.trashed_days is None and not one.imported]
    for project, behavior in {(one.project, name) for one in listed for name in one.best}:
        rivals = [one for one in listed if one.project == project and behavior in one.best]
        best = sorted(rivals, key=lambda one, name=behavior: (-one.best[name], one.key))[: limits.keep_best]  # type: ignore[misc]
        assert not touched & {one.key for one in best}


@given(FACTS, LIMITS)
def test_it_frees_what_was_asked_for_or_all_that_may_go(facts: list[Facts], limits: Limits) -> None:
    plan = decide(facts, limits)
    gone = {one.key for one in plan.decisions if one.action is Action.TRASH}
    outside = [one for one in facts if one.trashed_days is None]
    assert plan.total == sum(one.size for one in outside)
    assert plan.after == sum(one.size for one in outside if one.key not in gone)
    if limits.most_bytes is not None and plan.after > limits.most_bytes:
        assert plan.over == plan.after - limits.most_bytes
        assert all(one.key in plan.kept or one.size == 0 for one in outside if one.key not in gone)
    else:
        assert plan.over == 0


@given(FACTS, LIMITS, st.randoms())
def test_the_same_facts_in_any_order_give_the_same_plan(
    facts: list[Facts], limits: Limits, chance: random.Random
) -> None:
    shuffled = list(facts)
    chance.shuffle(shuffled)
    assert decide(shuffled, limits) == decide(facts, limits)


@given(FACTS, LIMITS)
def test_only_what_is_in_the_trash_long_enough_is_deleted_and_only_what_is_not_goes_there(
    facts: list[Facts], limits: Limits
) -> None:
    known = {one.key: one for one in facts}
    for decision in decide(facts, limits).decisions:
        trashed = known[decision.key].trashed_days
        if decision.action is Action.DELETE:
            assert trashed is not None
            assert trashed >= limits.undo_days
        else:
            assert trashed is None


@given(FACTS)
def test_without_limits_only_the_trash_is_emptied(facts: list[Facts]) -> None:
    assert {one.action for one in decide(facts, Limits()).decisions} <= {Action.DELETE}


def session(key: int, age: float, size: int = 10, **more: object) -> Facts:
    return Facts(key=key, size=size, age_days=age, **more)  # type: ignore[arg-type]


def test_the_oldest_go_first_until_the_rest_is_small_enough() -> None:
    facts = [session(1, 30), session(2, 20), session(3, 10)]
    plan = decide(facts, Limits(most_bytes=15))
    assert [(one.key, one.action) for one in plan.decisions] == [(1, Action.TRASH), (2, Action.TRASH)]
    assert (plan.total, plan.after, plan.over) == (30, 10, 0)


def test_age_archives_first_and_trashes_later() -> None:
    facts = [session(1, 100), session(2, 40), session(3, 40, archived=True), session(4, 5)]
    plan = decide(facts, Limits(archive_days=30, trash_days=90))
    assert [(one.key, one.action.value, one.frees) for one in plan.decisions] == [(1, "trash", 10), (2, "archive", 0)]
    assert plan.decisions[0].why == "Ended 100 days ago."


def test_what_stays_says_why() -> None:
    plan = decide(
        [session(1, 50, best={"Ball": 1.0}, project="Paper"), session(2, 50, tagged=True)], Limits(trash_days=1)
    )
    assert plan.kept == {1: "Among the best of Ball in Paper.", 2: "It is tagged."}
    assert plan.decisions == []
