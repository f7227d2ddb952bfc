"""Texts in a CSV file come back as they were, and none of them is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.csv_cells import DANGEROUS, csv_cell, defused

TEXTS = st.one_of(st.text(max_size=20), st.text(alphabet="=+-@\t\r\n\"',a1", max_size=12))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")'])
def test_what_a_spreadsheet_would_execute_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "Ball", "a=b", "'quoted", "1-2", "Environment/Cumulative Reward", "\N{MINUS SIGN}1"]
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert defused(text) == text


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), max_size=5))
def test_cells_are_read_back_as_the_same_texts_without_a_formula_among_them(rows: list[list[str]]) -> None:
    content = "".join(",".join(map(csv_cell, row)) + "\r\n" for row in rows)
    read = list(csv.reader(io.StringIO(content, newline=""), strict=True))
    assert read == [[defused(text) for text in row] for row in rows]
    assert not any(cell.startswith(DANGEROUS) for row in read for cell in row)
