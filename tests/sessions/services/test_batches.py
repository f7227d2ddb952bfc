"""Several sessions from one request: their names, all or nothing, side by side or one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from sessions.errors import InvalidStart
from sessions.models import TrainingSession
from sessions.services.batches import MOST_IN_A_BATCH, start_many, variations
from tests.factories import CONFIG, make_practice_trainer, make_request

pytestmark = pytest.mark.usefixtures("home")


def names(*, configs: list[str], seeds: list[int], run_id: str = "ball", path: str | None = None) -> list[str]:
    request = make_request(run_id=run_id, config=None if path else CONFIG, config_path=path)
    return [one.run_id for one in variations(request, configs=configs, seeds=seeds)]


@pytest.fixture
def trainer(ada: User) -> User:
    make_practice_trainer()
    return ada


def test_one_configuration_and_one_seed_are_one_session_with_its_own_name() -> None:
    assert names(configs=[], seeds=[]) == ["ball"]
    assert names(configs=[], seeds=[7]) == ["ball"]


def test_several_are_told_apart_by_file_and_seed() -> None:
    assert names(configs=[], seeds=[1, 2]) == ["ball-s1", "ball-s2"]
    assert names(configs=["/c/big.yaml"], seeds=[], path="/c/small.yaml") == ["ball-small", "ball-big"]
    assert names(configs=["C:\\c\\big.yaml"], seeds=[1, 2], path="/c/small.yaml") == [
        "ball-small-s1", "ball-small-s2", "ball-big-s1", "ball-big-s2",
    ]  # fmt: skip


def test_a_long_name_keeps_what_tells_it_apart() -> None:
    found = names(configs=[], seeds=[1, 2], run_id="b" * 64)
    assert [len(name) for name in found] == [64, 64]
    assert [name[-3:] for name in found] == ["-s1", "-s2"]


def test_each_variation_has_its_seed_and_its_configuration() -> None:
    found = variations(make_request(seed=9), configs=["/c/big.yaml"], seeds=[1])
    assert [(one.seed, one.config, one.config_path) for one in found] == [(1, CONFIG, None), (1, None, "/c/big.yaml")]


def test_all_are_queued_side_by_side(trainer: User) -> None:
    sessions = start_many(variations(make_request(run_id="ball"), configs=[], seeds=[1, 2, 3]), by=trainer)
    assert [(one.run_id, one.state, one.options["seed"]) for one in sessions] == [
        ("ball-s1", "queued", 1), ("ball-s2", "queued", 2), ("ball-s3", "queued", 3),
    ]  # fmt: skip
    assert [one.attempts.get().after for one in sessions] == [None, None, None]


def test_one_after_the_other_each_waits_for_the_one_before(trainer: User) -> None:
    first, second, third = start_many([make_request() for _ in range(3)], by=trainer, sequential=True)
    assert [one.attempts.get().after for one in (first, second, third)] == [None, first, second]


def test_one_that_is_wrong_keeps_all_from_being_queued(trainer: User, tmp_path: Path) -> None:
    requests = [make_request(run_id="good"), make_request(run_id="bad/one"), make_request(run_id="other", width=-1)]
    with pytest.raises(InvalidStart) as refused:
        start_many(requests, by=trainer)
    assert set(refused.value.errors) == {"bad/one", "other"}
    assert not TrainingSession.objects.exists()


def test_a_name_cannot_be_given_twice(trainer: User) -> None:
    with pytest.raises(InvalidStart, match="given twice"):
        start_many([make_request(run_id="ball"), make_request(run_id="Ball")], by=trainer)
    assert not TrainingSession.objects.exists()


def test_there_is_an_end_to_how_many(trainer: User) -> None:
    with pytest.raises(InvalidStart, match=f"At most {MOST_IN_A_BATCH}"):
        start_many([make_request() for _ in range(MOST_IN_A_BATCH + 1)], by=trainer)
