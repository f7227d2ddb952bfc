"""Apache Parquet, as much of it as a flat table needs: written as a stream, with the standard library alone.

Written after the specification, parquet-format 2.9. Row groups of one page for each column; numbers are PLAIN, texts
RLE_DICTIONARY with runs only (in a long table they repeat), pages compressed with gzip. The metadata at the end is
Thrift's compact protocol, of which this is the writing half.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import Any

from sessions.metrics.tables import (
    FIRST_MOMENT,
    LAST_MOMENT,
    MOMENT,
    REAL,
    SEPARATOR,
    WHOLE,
    Batch,
    Blocks,
    Column,
    Same,
    plain,
)

MAGIC = b"PAR1"
ROWS_IN_GROUP = 128 * 1024
# Texts in one group; those of many long notes would fill the memory.
CHARACTERS_IN_GROUP = 8 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
INT64, DOUBLE, BYTE_ARRAY = 2, 5, 6
PLAIN, RLE, RLE_DICTIONARY = 0, 3, 8
OPTIONAL, GZIP, UTF8, TIMESTAMP_MICROS = 1, 2, 0, 10
DATA_PAGE, DICTIONARY_PAGE = 0, 2
COMPRESSION_LEVEL = 1

# A run of equal values: the value and how often it comes.
Run = tuple[Any, int]


def parquet_blocks(columns: Sequence[Column], batches: Iterable[Batch]) -> Blocks:
    """Yield the table as a Parquet file; it holds one row group in memory."""
    yield MAGIC
    offset, groups, rows = len(MAGIC), [], 0
    for group in _groups(columns, batches):
        pieces, about = _row_group(columns, group, offset)
        yield from pieces
        offset += sum(map(len, pieces))
        rows += group.rows
        groups.append(about)
    footer = _file_metadata(columns, groups, rows)
    yield footer + len(footer).to_bytes(4, "little") + MAGIC


@dataclass
class _Group:
    """The rows that are gathered for the next row group, column by column in pieces."""

    pieces: list[list[tuple[Same | Sequence[Any], int]]]
    rows: int = 0
    characters: int = 0

    def add(self, columns: Sequence[Column], batch: Batch) -> None:
        self.rows += batch.rows
        for column, held, values in zip(columns, self.pieces, batch.columns, strict=True):
            held.append((values, batch.rows))
            if not isinstance(values, Same) and _is_text(column):
                self.characters += sum(len(one) for one in values if one)


def _groups(columns: Sequence[Column], batches: Iterable[Batch]) -> Iterator[_Group]:
    group = _Group([[] for _ in columns])
    for batch in batches:
        if batch.rows:
            group.add(columns, batch)
        if group.rows >= ROWS_IN_GROUP or group.characters >= CHARACTERS_IN_GROUP:
            yield group
            group = _Group([[] for _ in columns])
    if group.rows:
        yield group


def _row_group(columns: Sequence[Column], group: _Group, offset: int) -> tuple[list[bytes], bytes]:
    """The bytes of a row group that begins at `offset`, and its metadata."""
    pieces: list[bytes] = []
    chunks, total = [], 0
    for column, held in zip(columns, group.pieces, strict=True):
        pages, raw_size = _text_pages(held) if _is_text(column) else _number_pages(column, held)
        size = sum(map(len, pages))
        chunks.append(_chunk(column, group.rows, offset, [len(page) for page in pages], raw_size))
        pieces += pages
        offset += size
        total += raw_size
    return pieces, struct((1, list_(STRUCT, chunks)), (2, i64(total)), (3, i64(group.rows)))


def _is_text(column: Column) -> bool:
    return column.kind not in {WHOLE, REAL, MOMENT}


def _text_pages(held: list[tuple[Same | Sequence[Any], int]]) -> tuple[list[bytes], int]:
    """A page with the different texts, and one that says where each of them stands."""
    numbers: dict[str, int] = {}
    indices: list[Run] = []
    present: list[Run] = []
    for value, count in _runs(held):
        text = SEPARATOR.join(value) if isinstance(value, (list, tuple)) else value
        present.append((text is not None, count))
        if text is not None:
            indices.append((numbers.setdefault(text, len(numbers)), count))
    words = [text.encode("utf-8", "replace") for text in numbers]
    dictionary = b"".join(len(word).to_bytes(4, "little") + word for word in words)
    width = max(1, (len(words) - 1).bit_length())
    rows = sum(count for _, count in present)
    data = _levels(present) + bytes([width]) + _rle(indices, width)
    first = _page(DICTIONARY_PAGE, dictionary, (7, struct((1, i32(len(words))), (2, i32(PLAIN)))))
    second = _page(DATA_PAGE, data, (5, _data_header(rows, RLE_DICTIONARY)))
    return [first[0], second[0]], first[1] + second[1]


def _runs(held: list[tuple[Same | Sequence[Any], int]]) -> Iterator[Run]:
    for values, count in held:
        if isinstance(values, Same):
            yield values.value, count
        else:
            yield from ((value, len(list(same))) for value, same in groupby(values))


def _number_pages(column: Column, held: list[tuple[Same | Sequence[Any], int]]) -> tuple[list[bytes], int]:
    numbers: array[Any] = array("d" if column.kind == REAL else "q")
    present: list[Run] = []
    for values, count in held:
        if isinstance(values, Same):
            one = _number(column, values.value)
            present.append((one is not None, count))
            numbers.extend(array(numbers.typecode, [] if one is None else [one]) * count)
        else:
            there = [_number(column, value) for value in plain(values)]
            present += [(is_there, len(list(same))) for is_there, same in groupby(one is not None for one in there)]
            numbers.extend(one for one in there if one is not None)
    if sys.byteorder == "big":
        numbers.byteswap()
    data = _levels(present) + numbers.tobytes()
    page, raw_size = _page(DATA_PAGE, data, (5, _data_header(sum(count for _, count in present), PLAIN)))
    return [page], raw_size


def _number(column: Column, value: Any) -> Any:
    if column.kind != MOMENT or value is None:
        return value
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    return round(value * 1e6) if FIRST_MOMENT <= value <= LAST_MOMENT else None


def _levels(present: list[Run]) -> bytes:
    """Definition levels: 1 where there is a value, 0 where there is none."""
    merged = [(level, sum(count for _, count in same)) for level, same in groupby(present, key=lambda run: run[0])]
    data = _rle([(int(level), count) for level, count in merged], 1)
    return len(data).to_bytes(4, "little") + data


def _rle(runs: Iterable[Run], width: int) -> bytes:
    size = (width + 7) // 8
    return b"".join(varint(count << 1) + value.to_bytes(size, "little") for value, count in runs)


def _data_header(rows: int, encoding: int) -> bytes:
    return struct((1, i32(rows)), (2, i32(encoding)), (3, i32(RLE)), (4, i32(RLE)))


def _page(kind: int, data: bytes, header: tuple[int, bytes]) -> tuple[bytes, int]:
    """A page with its header, and how large both would be without compression."""
    squeezer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, 31)  # 31: with the frame of gzip
    packed = squeezer.compress(data) + squeezer.flush()
    number, content = header
    about = struct((1, i32(kind)), (2, i32(len(data))), (3, i32(len(packed))), (number, (STRUCT, content)))
    return about + packed, len(about) + len(data)


def _chunk(column: Column, rows: int, offset: int, sizes: list[int], raw_size: int) -> bytes:
    encodings = [PLAIN, RLE, *([RLE_DICTIONARY] if _is_text(column) else [])]
    metadata = struct(
        (1, i32(_type(column))),
        (2, list_(I32, [zigzag(one) for one in encodings])),
        (3, list_(BINARY, [text(column.name)[1]])),
        (4, i32(GZIP)),
        (5, i64(rows)),
        (6, i64(raw_size)),
        (7, i64(sum(sizes))),
        (9, i64(offset + sum(sizes[:-1]))),
        *([(11, i64(offset))] if _is_text(column) else []),
    )
    return struct((2, i64(offset)), (3, (STRUCT, metadata)))


def _type(column: Column) -> int:
    return BYTE_ARRAY if _is_text(column) else DOUBLE if column.kind == REAL else INT64


def _file_metadata(columns: Sequence[Column], groups: list[bytes], rows: int) -> bytes:
    root = struct((4, text("table")), (5, i32(len(columns))))
    return struct(
        (1, i32(2)),
        (2, list_(STRUCT, [root, *map(_schema, columns)])),
        (3, i64(rows)),
        (4, list_(STRUCT, groups)),
        (6, text("MENTOR")),
    )


def _schema(column: Column) -> bytes:
    element = [(1, i32(_type(column))), (3, i32(OPTIONAL)), (4, text(column.name))]
    if _is_text(column):
        element += [(6, i32(UTF8)), (10, (STRUCT, struct((1, (STRUCT, struct())))))]
    elif column.kind == MOMENT:
        unit = struct((2, (STRUCT, struct())))  # microseconds
        moment = struct((1, (TRUE, b"")), (2, (STRUCT, unit)))  # in UTC
        element += [(6, i32(TIMESTAMP_MICROS)), (10, (STRUCT, struct((8, (STRUCT, moment)))))]
    return struct(*element)


# Thrift's compact protocol: a field is its number and a pair of type and bytes.
TRUE, I32, I64, BINARY, LIST_, STRUCT = 1, 5, 6, 8, 9, 12
Field = tuple[int, tuple[int, bytes]]


def varint(number: int) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def i32(number: int) -> tuple[int, bytes]:
    return I32, zigzag(number)


def i64(number: int) -> tuple[int, bytes]:
    return I64, zigzag(number)


def text(value: str) -> tuple[int, bytes]:
    data = value.encode()
    return BINARY, varint(len(data)) + data


def list_(kind: int, items: Sequence[bytes]) -> tuple[int, bytes]:
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + varint(len(items))
    return LIST_, head + b"".join(items)


def struct(*fields: Field) -> bytes:
    """Return the fields, in ascending order of their numbers, which are at most 15 apart."""
    data, before = bytearray(), 0
    for number, (kind, content) in fields:
        data += bytes([(number - before) << 4 | kind]) + content
        before = number
    return bytes(data) + b"\0"
