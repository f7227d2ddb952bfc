"""Long tables as streams of bytes: batches of columns in; CSV, JSON or Parquet out, in memory that does not grow.

A batch has as many columns as the table; a column is `Same` for all rows of the batch, or a sequence as long as it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import repeat
from typing import Any

from sessions.domain.csv_cells import csv_cell

# Kinds of columns. A moment is a datetime, or seconds since 1970; a list is texts, which CSV and Parquet join.
TEXT, WHOLE, REAL, MOMENT, LIST = "text", "whole", "real", "moment", "list"
SEPARATOR = "; "
BLOCK_CHARACTERS = 128 * 1024
FIRST_MOMENT, LAST_MOMENT = -62135596800.0, 253402300799.0  # the years 1 to 9999


@dataclass(frozen=True)
class Column:
    """A column by its name and kind; None is allowed in all of them."""

    name: str
    kind: str


@dataclass(frozen=True)
class Same:
    """One value in all rows of a batch."""

    value: Any


@dataclass(frozen=True)
class Batch:
    """Some rows of a table, by columns."""

    rows: int
    columns: Sequence[Same | Sequence[Any]]


Blocks = Iterator[bytes]


def csv_blocks(columns: Sequence[Column], batches: Iterable[Batch]) -> Blocks:
    """Yield the table as CSV after RFC 4180, UTF-8, with a head; texts a spreadsheet would execute are defused."""
    yield from _gathered(_csv_lines(columns, batches))


def _csv_lines(columns: Sequence[Column], batches: Iterable[Batch]) -> Iterator[str]:
    yield ",".join(csv_cell(column.name) for column in columns) + "\r\n"
    for batch in batches:
        cells = (_cells(column, values, CSV_CELLS[column.kind]) for column, values in _pairs(columns, batch))
        yield from (f"{row}\r\n" for row in map(",".join, zip(*cells)))  # noqa: B905  # Same never ends


def json_blocks(columns: Sequence[Column], batches: Iterable[Batch]) -> Blocks:
    """Yield the table as a JSON array of objects, one to a line; numbers that are none are null."""
    yield from _gathered(_json_lines(columns, batches))


def _json_lines(columns: Sequence[Column], batches: Iterable[Batch]) -> Iterator[str]:
    row = "{" + ", ".join(json.dumps(column.name).replace("%", "%%") + ": %s" for column in columns) + "}"
    before = "[\n"
    for batch in batches:
        cells = (_cells(column, values, JSON_CELLS[column.kind]) for column, values in _pairs(columns, batch))
        for values in zip(*cells):  # noqa: B905  # Same never ends
            yield before + row % values
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _pairs(columns: Sequence[Column], batch: Batch) -> Iterator[tuple[Column, Same | Sequence[Any]]]:
    """Columns with their values; one that is a sequence comes always, so that the rows end."""
    if all(isinstance(values, Same) for values in batch.columns):
        first, *others = batch.columns
        batch = Batch(batch.rows, [[first.value] * batch.rows, *others])  # type: ignore[union-attr]
    return zip(columns, batch.columns, strict=True)


def _cells(column: Column, values: Same | Sequence[Any], cell: Callable[[Any], str]) -> Iterable[str]:
    if isinstance(values, Same):
        return repeat(cell(values.value))
    ready = plain(values)
    # Most columns are numbers and nothing else; those take a third of the time.
    if column.kind == WHOLE and None not in ready:
        return map(str, ready)
    if column.kind == REAL and None not in ready and all(map(math.isfinite, ready)):
        return map(repr, map(float, ready))
    return map(cell, ready)


def plain(values: Sequence[Any]) -> Sequence[Any]:
    """Return the values as Python's own numbers, whatever kind of array they are in."""
    as_list: Callable[[], list[Any]] | None = getattr(values, "tolist", None)
    return as_list() if as_list else values


def moment_text(value: datetime | float | None) -> str | None:
    """Return a moment as ISO 8601 in UTC; None for seconds that are no moment."""
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.astimezone(timezone.utc)
    elif FIRST_MOMENT <= value <= LAST_MOMENT:
        value = datetime.fromtimestamp(value, timezone.utc)
    else:
        return None
    return value.isoformat("T", "microseconds")[:-6] + "Z"


def _real(value: float | None) -> str:
    if value is None:
        return ""
    return repr(float(value)) if not math.isnan(value) else "NaN"


CSV_CELLS: dict[str, Callable[[Any], str]] = {
    TEXT: lambda value: csv_cell(value or ""),
    WHOLE: lambda value: "" if value is None else str(int(value)),
    REAL: _real,
    MOMENT: lambda value: moment_text(value) or "",
    LIST: lambda value: csv_cell(SEPARATOR.join(value or ())),
}


def _json_text(value: Any) -> str:
    return json.dumps(value).encode("utf-8", "replace").decode()


JSON_CELLS: dict[str, Callable[[Any], str]] = {
    TEXT: _json_text,
    WHOLE: lambda value: "null" if value is None else str(int(value)),
    REAL: lambda value: repr(float(value)) if value is not None and math.isfinite(value) else "null",
    MOMENT: lambda value: f'"{told}"' if (told := moment_text(value)) else "null",
    LIST: lambda value: _json_text(list(value or ())),
}


def _gathered(pieces: Iterable[str]) -> Blocks:
    """Short pieces as longer blocks of UTF-8."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= BLOCK_CHARACTERS:
            yield "".join(held).encode("utf-8", "replace")
            held, size = [], 0
    if held:
        yield "".join(held).encode("utf-8", "replace")
