"""Against the parser of the installed mlagents: what it refuses never passes, and mistakes are found where they are."""

from __future__ import annotations

from collections import Counter

import pytest

from sessions.domain.configuration.validation import validate
from tests.sessions.domain.configuration.examples import CURRENT
from tests.sessions.domain.configuration.mutations import KINDS, mutants
from tests.sessions.domain.configuration.real_parser import refusals
from tests.sessions.domain.configuration.strict_cases import strict_cases

pytestmark = pytest.mark.mlagents
# At least this part of the mistakes is told in the line in which it was made.
FOUND_PART = 0.95
# Taken by the parser, and fatal later: no behavior could ever be named, or no lesson be begun.
FATAL_LATER = ("has no behaviors", "A curriculum needs a lesson")


def test_mlagents_takes_the_examples() -> None:
    assert [told for told in refusals(list(CURRENT.values())) if told] == []


def test_what_mlagents_refuses_is_refused_and_what_it_takes_is_taken() -> None:
    texts = list(strict_cases())
    for text, told in zip(texts, refusals(texts), strict=True):
        validation = validate(text.encode())
        if told is not None:
            assert not validation.valid, (text, told)
        elif not validation.valid:
            assert any(words in one.message for one in validation.errors for words in FATAL_LATER), (text, validation)


@pytest.mark.slow
def test_mistakes_are_found_in_their_line_and_none_that_mlagents_refuses_passes() -> None:
    made = [(name, mutant) for name, text in CURRENT.items() for mutant in mutants(text, seed=11)]
    tried, missed = Counter[str](), Counter[str]()
    before = {
        name: {(one.line, one.message) for one in validate(text.encode()).findings} for name, text in CURRENT.items()
    }
    for (name, mutant), told in zip(made, refusals([mutant.text for _, mutant in made]), strict=True):
        validation = validate(mutant.text.encode())
        assert not (told and validation.valid), (name, mutant, told)
        tried[mutant.kind] += 1
        lines = {one.line for one in validation.findings if (one.line, one.message) not in before[name]}
        missed[mutant.kind] += mutant.line not in lines
    assert set(tried) == set(KINDS)
    assert tried.total() > 1000
    for kind in KINDS:
        assert missed[kind] <= (1 - FOUND_PART) * tried[kind], (kind, missed[kind], tried[kind])
