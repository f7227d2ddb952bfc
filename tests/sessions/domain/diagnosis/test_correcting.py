"""A behavior's name put right in the text of a configuration."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.diagnosis.correcting import renamed

CONFIG = """\
# mine
behaviors:
  Wal:  # the first
    max_steps: 5
  'Other One':
    max_steps: 6
"""


def test_the_name_that_is_most_alike_is_corrected_and_all_else_stays() -> None:
    assert renamed(CONFIG.encode(), "Wall") == CONFIG.replace("Wal:", "Wall:").encode()
    assert renamed(CONFIG.encode(), "Other one") == CONFIG.replace("'Other One'", '"Other one"').encode()


def test_the_only_one_is_meant_however_it_is_called() -> None:
    assert renamed(b"behaviors:\n  A: {max_steps: 5}\n", "3DBall") == b'behaviors:\n  "3DBall": {max_steps: 5}\n'


@pytest.mark.parametrize(
    "config", [b"", b"behaviors: []", b"behaviors: {Ball: }", b"{", b"a: 1", "ä".encode("latin-1")]
)
def test_where_nothing_can_be_renamed_nothing_is(config: bytes) -> None:
    assert renamed(config, "Ball") is None


def test_one_that_unity_has_is_not_taken_from_it() -> None:
    assert renamed(CONFIG.encode(), "Nothing") is None
    assert renamed(CONFIG.encode(), "Wall", in_use=["Wal"]) is None


@given(st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable() and name != "Ball"))
def test_any_name_is_read_again_as_it_is(name: str) -> None:
    changed = renamed(b"behaviors:\n  Ball:\n    max_steps: 5\n", name)
    assert changed is not None
    assert yaml.safe_load(changed) == {"behaviors": {name: {"max_steps": 5}}}
