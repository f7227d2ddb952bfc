"""Which bytes a Range header asks for: one range, within the file, or the whole file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.byte_ranges import OutOfRange, Part, asked_part


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=0-999", 0, 10),
        ("bytes=3-", 3, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-99", 0, 10),
        ("BYTES = 2 - 4", 2, 5),
    ],
)
def test_one_range_is_the_bytes_it_names_as_far_as_there_are_any(header: str, start: int, end: int) -> None:
    assert asked_part(header, 10) == Part(start, end, 10)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_behind_the_end_is_out_of_range(header: str) -> None:
    with pytest.raises(OutOfRange):
        asked_part(header, 10)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1", "bytes=0-0"])
def test_an_empty_file_has_no_range(header: str) -> None:
    with pytest.raises(OutOfRange):
        asked_part(header, 0)


@pytest.mark.parametrize(
    "header",
    [
        "", "bytes", "bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=\u0663-",
        "bytes=-1-2", "bytes=" + "9" * 5000 + "-",
    ],
)  # fmt: skip
def test_what_is_no_single_range_is_as_if_it_were_not_there(header: str) -> None:
    assert asked_part(header, 10) is None


@given(
    header=st.one_of(st.text(max_size=30), st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True)),
    size=st.integers(0, 50_000),
)
def test_whatever_is_asked_a_part_lies_within_the_file_and_is_not_empty(header: str, size: int) -> None:
    try:
        part = asked_part(header, size)
    except OutOfRange:
        return
    assert part is None or 0 <= part.start < part.end <= part.size == size


@given(st.integers(1, 1000), st.data())
def test_a_part_says_which_bytes_it_is(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    part = asked_part(f"bytes={start}-{end - 1}", size)
    assert part is not None
    assert part.header == f"bytes {start}-{end - 1}/{size}"
