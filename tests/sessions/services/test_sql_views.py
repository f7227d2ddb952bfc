"""The views that people ask in SQL: what docs/sql.md says of them is so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from mentor_site.options import BASE_DIR
from sessions.services import sql_views
from tests.factories import make_one_of_everything

pytestmark = pytest.mark.usefixtures("home")
PAGE = (BASE_DIR / "docs" / "sql.md").read_text(encoding="utf-8")


def ask(query: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.mark.parametrize("name", sql_views.VIEWS)
def test_a_view_has_the_columns_that_the_page_promises(ada: User, name: str) -> None:
    make_one_of_everything(ada)
    (line,) = re.findall(rf"^\| `{name}` \| [^|]+ \| (.+) \|$", PAGE, re.MULTILINE)
    (found, *_) = ask(f"SELECT * FROM {name}")
    assert list(found) == re.findall(r"`(\w+)`", line)
    assert found["run_id"] == "ball"


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL))
def test_the_queries_of_the_page_can_be_asked(ada: User, query: str) -> None:
    make_one_of_everything(ada)
    ask(query)


def test_a_series_says_where_it_stands(ada: User) -> None:
    make_one_of_everything(ada)
    (series,) = ask("SELECT * FROM mentor_series")
    assert series == {
        "run_id": "ball", "attempt": 1, "behavior": "Ball", "tag": "Environment/Cumulative Reward", "points": 2,
        "first_step": 1, "last_step": 2, "first_time": 1e9 + 1, "last_time": 1e9 + 2, "last_value": 0.5,
        "min_value": 0.5, "max_value": 0.5,
    }  # fmt: skip


def views() -> set[str]:
    with connection.cursor() as cursor:
        tables = connection.introspection.get_table_list(cursor)
    return {table.name for table in tables if table.type == "v"}


@pytest.mark.django_db(transaction=True)
def test_views_give_way_to_migrations_and_are_there_again_after_the_last() -> None:
    assert views() == set(sql_views.VIEWS)
    call_command("migrate", "training", "0003", verbosity=0)
    assert views() == set()
    call_command("migrate", verbosity=0)
    assert views() == set(sql_views.VIEWS)


@pytest.mark.django_db
def test_views_that_were_lost_or_are_of_another_version_are_made_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW mentor_series")
        cursor.execute("CREATE VIEW mentor_series AS SELECT 1 AS one")
    call_command("migrate", verbosity=0)
    ask("SELECT tag, points FROM mentor_series")
