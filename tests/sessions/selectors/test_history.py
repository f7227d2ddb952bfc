"""The history: filtered and ordered as asked, seen by who may, in a number of queries that does not grow."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions.domain.states import ACTIVE, ENDED, WAITING, State, values
from sessions.models import TrainingSession
from sessions.selectors import history, sessions
from tests.factories import CONFIG, make_mlagents_trainer, make_session, make_user

pytestmark = pytest.mark.usefixtures("home")


def found(user: User, query: str = "") -> list[str]:
    """The run ids a query gives, which must be a valid one."""
    asked = history.filtered(sessions.sessions_with_parts(user), QueryDict(query))
    assert asked.is_valid(), asked.errors
    return [session.run_id for session in asked.qs]


@pytest.mark.parametrize(("group", "states"), [("pending", WAITING), ("active", ACTIVE), ("ended", ENDED)])
def test_a_group_of_states_is_all_of_its_states(ada: User, group: str, states: frozenset[State]) -> None:
    for state in State:
        make_session(owner=ada, run_id=state.value, state=state)
    assert set(found(ada, f"state={group}")) == set(values(states))
    assert set(found(ada, f"state={group}&state=queued")) == set(values(states)) | {"queued"}


@pytest.mark.parametrize(
    "query", ["state=nonsense", "order=owner__password", "order=?", "created_after=soon", "text=" + "x" * 300]
)
def test_a_filter_that_means_nothing_is_wrong_rather_than_ignored(ada: User, query: str) -> None:
    assert not history.filtered(sessions.sessions_with_parts(ada), QueryDict(query)).is_valid()


@pytest.mark.parametrize("order", list(history.ORDERS))
def test_every_order_that_is_offered_works_and_its_opposite_turns_it(ada: User, order: str) -> None:
    for number, name in enumerate("bac"):
        make_session(owner=ada, run_id=name, priority=number)
        TrainingSession.objects.filter(run_id=name).update(ended_at=timezone.now())
    expected = {
        "-created_at": "cab", "created_at": "bac", "run_id": "abc", "-run_id": "cba",
        "state": "cab", "-ended_at": "cab", "-priority": "cab",
    }  # fmt: skip
    assert "".join(found(ada, f"order={order}")) == expected[order]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("behavior=Ball", {"plain", "noted", "tagged", "unity"}),
        ("behavior=Wall", {"walls"}),
        ("behavior=ball", set()),
        ("trainer=mlagents", {"unity"}),
        ("environment=Nothing", set()),
        ("tag=a", {"tagged"}),
        ("tag=b c", {"tagged"}),
        ("tag=b", set()),
        ("tag=%25", set()),
        ("text=NOTED", {"noted", "plain"}),
        ("text=tagg", {"tagged"}),
        ("text=b c", {"tagged"}),
        ("text=%25", set()),
        ("text=noted&behavior=Wall", set()),
        ("created_before=2001-01-01T00:00:00Z", set()),
        ("created_after=2001-01-01T00:00:00Z", {"plain", "noted", "tagged", "unity", "walls"}),
    ],
)
def test_each_filter_finds_what_it_says(ada: User, query: str, expected: set[str]) -> None:
    make_mlagents_trainer()
    make_session(owner=ada, run_id="plain", notes="as Noted")
    make_session(owner=ada, run_id="noted")
    make_session(owner=ada, run_id="tagged", tags=("a", "b c"))
    make_session(owner=ada, run_id="unity", trainer="mlagents")
    make_session(owner=ada, run_id="walls", config=CONFIG.replace(b"Ball", b"Wall") + b"  Second:\n    max_steps: 9\n")
    assert set(found(ada, query)) == expected


def test_a_session_with_many_behaviors_is_found_once(ada: User) -> None:
    make_session(owner=ada, run_id="two", config=CONFIG + b"  Wall:\n    max_steps: 9\n")
    assert found(ada, "behavior=Wall&text=two&state=pending") == ["two"]


def test_the_trash_is_left_out_unless_it_is_asked_for(ada: User) -> None:
    make_session(owner=ada, run_id="kept")
    thrown = make_session(owner=ada, run_id="thrown")
    TrainingSession.objects.filter(pk=thrown.pk).update(trashed_at=timezone.now())
    assert found(ada) == ["kept"]
    assert found(ada, "trash=true") == ["thrown"]
    assert found(ada, "trash=false") == ["kept"]


def test_who_may_not_view_all_sees_the_own_ones_whatever_is_asked(ada: User, ben: User, cyd: User) -> None:
    make_session(owner=ada, run_id="hers")
    make_session(owner=cyd, run_id="theirs")
    assert set(found(ada)) == set(found(ben)) == {"hers", "theirs"}
    assert found(cyd) == found(cyd, "text=s") == ["theirs"]
    assert found(make_user("dee")) == []
    assert not sessions.visible_sessions(AnonymousUser()).exists()


def test_a_session_that_lost_its_owner_is_nobodys(ada: User, cyd: User) -> None:
    session = make_session(owner=cyd, run_id="orphan")
    TrainingSession.objects.filter(pk=session.pk).update(owner=None)
    assert found(cyd) == []
    assert found(ada) == ["orphan"]


def test_behaviors_are_offered_once_in_order_and_only_visible_ones(ada: User, cyd: User) -> None:
    make_session(owner=ada, run_id="one", config=CONFIG.replace(b"Ball", b"Wall"))
    make_session(owner=cyd, run_id="two")
    make_session(owner=cyd, run_id="three")
    assert history.behavior_names(ada) == ["Ball", "Wall"]
    assert history.behavior_names(cyd) == ["Ball"]


@pytest.mark.parametrize("query", ["", "behavior=Ball&text=s&order=run_id", "state=ended"])
def test_the_number_of_queries_does_not_grow_with_the_sessions(ada: User, query: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            chosen = history.filtered(sessions.sessions_with_parts(ada), QueryDict(query)).qs
            shapes = [sessions.session_shape(session) for session in chosen]
        assert len(shapes) == TrainingSession.objects.count()
        return len(captured)

    for number in range(2):
        make_session(owner=ada, run_id=f"s{number}", state=State.COMPLETED)
    few = queries()
    for number in range(2, 12):
        make_session(owner=ada, run_id=f"s{number}", state=State.COMPLETED)
    assert queries() == few <= 4
