"""Long lists: the keys are read once, the rows only of the page that is looked at."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from sessions.models import TrainingSession
from sessions.selectors.history import ORDERS, filtered
from sessions.selectors.listing import Chosen
from sessions.selectors.sessions import sessions_with_parts
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def seven(ada: User) -> list[str]:
    return [make_session(owner=ada, run_id=f"s{number}").run_id for number in range(7)]


def chosen() -> Chosen:
    everything = TrainingSession.objects.all()
    return Chosen(everything.order_by("-run_id"), everything)


def test_a_page_is_a_slice_in_the_order_asked_for(seven: list[str]) -> None:
    assert len(chosen()) == 7
    assert [session.run_id for session in chosen()[2:5]] == ["s4", "s3", "s2"]
    assert chosen()[0].run_id == "s6"
    assert chosen()[7:] == []
    pages = Paginator(chosen(), 3)
    assert [[session.run_id for session in pages.page(number)] for number in pages.page_range] == [
        ["s6", "s5", "s4"], ["s3", "s2", "s1"], ["s0"],
    ]  # fmt: skip


def test_keys_are_read_once_and_rows_once_for_each_slice(
    seven: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        found = chosen()
        assert len(found) == 7
        assert len(found[:3]) == len(found[3:6]) == 3


def test_a_session_that_vanished_meanwhile_is_left_out(seven: list[str]) -> None:
    found = chosen()
    assert len(found) == 7
    TrainingSession.objects.filter(run_id="s5").update(run_id="renamed")
    TrainingSession.objects.get(run_id="s6").delete()
    assert [session.run_id for session in found[:2]] == ["renamed"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="tells SQLite's plan")
@pytest.mark.parametrize("order", ["", *ORDERS])
def test_no_order_reads_the_rows_of_all_sessions(ada: User, seven: list[str], order: str) -> None:
    keys = filtered(sessions_with_parts(ada), QueryDict(f"order={order}" if order else "")).qs.values_list("pk")
    with CaptureQueriesContext(connection) as captured:
        list(keys)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + captured.captured_queries[0]["sql"])
        plan = " ".join(row[3] for row in cursor.fetchall())
    assert "COVERING INDEX session_list" in plan
