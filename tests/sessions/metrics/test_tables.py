"""Tables as CSV, JSON and Parquet: what goes in is what other programs read out."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.domain.csv_cells import defused
from sessions.metrics import parquet
from sessions.metrics.parquet import parquet_blocks
from sessions.metrics.tables import (
    LIST,
    MOMENT,
    REAL,
    TEXT,
    WHOLE,
    Batch,
    Column,
    Same,
    csv_blocks,
    json_blocks,
    moment_text,
)  # fmt: skip

COLUMNS = [
    Column("name", TEXT), Column("count", WHOLE), Column("amount", REAL), Column("moment", MOMENT), Column("tags", LIST)
]  # fmt: skip
UTC = timezone.utc
NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(),
        st.none() | st.floats() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
        st.lists(st.sampled_from(["a", "b"]), max_size=2),
    ),
    max_size=8,
)


def batches(rows: Sequence[Sequence[Any]]) -> list[Batch]:
    """The rows in two batches, the second with what is the same throughout given once."""
    half = len(rows) // 2
    first = [Batch(half, [list(column) for column in zip(*rows[:half], strict=True)])] if half else []
    return [*first, *(Batch(1, [Same(value) for value in row]) for row in rows[half:])]


def read_parquet(path: Path) -> list[tuple[Any, ...]]:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        select = "select name, count, amount, epoch_us(moment), tags from read_parquet(?)"
        return list(connection.execute(select, [str(path)]).fetchall())


def microseconds(value: Any) -> int | None:
    text = moment_text(value)
    if text is None:
        return None
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    found: int = parquet._number(COLUMNS[3], moment)
    return found


def same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and math.isnan(one) and math.isnan(other))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_another_program_reads_from_parquet_what_was_written(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"".join(parquet_blocks(COLUMNS, batches(rows))))
    for read, row in zip(read_parquet(path), rows, strict=True):
        assert read[:2] == row[:2]
        assert same(read[2], row[2])
        expected = microseconds(row[3])
        assert (read[3] is None) == (expected is None)
        assert expected is None or abs(read[3] - expected) <= 1
        assert read[4] == "; ".join(row[4])


def test_a_large_table_has_several_row_groups_and_every_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS_IN_GROUP", 1000)
    numbers = range(0, 12_345, 15)
    many = [
        Batch(15, [Same(f"run{start % 7}"), list(range(start, start + 15)), [1.5] * 15, Same(1.7e9), Same([])])
        for start in numbers
    ]
    path = tmp_path / "table.parquet"
    path.write_bytes(b"".join(parquet_blocks(COLUMNS, many)))
    read = read_parquet(path)
    assert [row[1] for row in read] == list(range(12_345))
    assert {row[0] for row in read} == {f"run{number}" for number in range(7)}
    assert {row[3] for row in read} == {1_700_000_000_000_000}


def test_texts_that_fill_the_memory_end_a_row_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "CHARACTERS_IN_GROUP", 100)
    many = [Batch(1, [["x" * 60], [1], [1.0], [None], [[]]]) for _ in range(4)]
    assert len(list(parquet._groups(COLUMNS, many))) == 2


def test_an_empty_table_is_a_table() -> None:
    assert b"".join(csv_blocks(COLUMNS, [])) == b"name,count,amount,moment,tags\r\n"
    assert json.loads(b"".join(json_blocks(COLUMNS, []))) == []


@settings(max_examples=100)
@given(rows=ROWS)
def test_csv_is_read_back(rows: list[tuple[Any, ...]]) -> None:
    content = b"".join(csv_blocks(COLUMNS, batches(rows))).decode()
    head, *read = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert head == [column.name for column in COLUMNS]
    for cells, row in zip(read, rows, strict=True):
        assert cells[0] == defused(row[0] or "")
        assert (int(cells[1]) if cells[1] else None) == row[1]
        assert same(float(cells[2]) if cells[2] else None, row[2])
        assert cells[3] == (moment_text(row[3]) or "")
        assert cells[4] == "; ".join(row[4])


@settings(max_examples=100)
@given(rows=ROWS)
def test_json_is_read_back_by_strict_readers(rows: list[tuple[Any, ...]]) -> None:
    def refuse(word: str) -> None:
        raise ValueError(word)

    read = json.loads(b"".join(json_blocks(COLUMNS, batches(rows))), parse_constant=refuse)
    for found, row in zip(read, rows, strict=True):
        finite = row[2] if row[2] is not None and math.isfinite(row[2]) else None
        expected = {"name": row[0], "count": row[1], "amount": finite, "moment": moment_text(row[3]), "tags": row[4]}
        assert found == expected


@pytest.mark.parametrize("seconds", [math.nan, math.inf, 1e300, -1e300, 253402300800.0])
def test_seconds_that_are_no_moment_are_left_out(seconds: float) -> None:
    assert moment_text(seconds) is None


def test_a_moment_is_written_in_utc() -> None:
    assert moment_text(1.7e9) == "2023-11-14T22:13:20.000000Z"
    assert moment_text(datetime(2026, 1, 2, 3, tzinfo=UTC)) == "2026-01-02T03:00:00.000000Z"
