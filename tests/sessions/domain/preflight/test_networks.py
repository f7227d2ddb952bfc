"""What the weights of a policy tell of its network."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.domain.preflight.checks import Level
from sessions.domain.preflight.networks import Network, changes_of_settings, changes_of_sizes, network_of
from sessions.domain.preflight.training import check_fit
from tests.sessions.domain.preflight.test_training import config, with_network

SAVED = Network(16, 2, 8, False, None, 2, (3,))
BODY = "network_body._body_endoder.seq_layers."
SETTINGS = {"hidden_units": 16, "num_layers": 2, "normalize": False, "memory_size": None}


def test_the_first_layer_and_the_heads_tell_the_sizes() -> None:
    shapes = {
        f"{BODY}0.weight": (16, 8),
        f"{BODY}0.bias": (16,),
        f"{BODY}2.weight": (16, 16),
        "action_model._continuous_distribution.mu.weight": (2, 16),
        "action_model._discrete_distribution.branches.0.weight": (3, 16),
    }
    assert network_of(shapes) == SAVED


def test_a_network_whose_body_is_unknown_tells_no_sizes() -> None:
    found = network_of({"something.weight": (4, 4)})
    assert (found.hidden_units, found.num_layers, found.inputs) == (None, None, None)
    assert list(changes_of_settings(found, SETTINGS)) == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"hidden_units": 32}, "hidden_units was 16 and is 32"),
        ({"num_layers": 1}, "num_layers was 2 and is 1"),
        ({"normalize": True}, "normalize was False and is True"),
        ({"memory_size": 128}, "memory_size was None and is 128"),
    ],
)
def test_each_setting_that_shapes_it_is_compared(changed: dict[str, Any], says: str) -> None:
    assert list(changes_of_settings(SAVED, SETTINGS)) == []
    assert list(changes_of_settings(SAVED, {**SETTINGS, **changed})) == [says]


def behavior(observations: list[list[int]], continuous: int = 2, discrete: tuple[int, ...] = (3,)) -> dict[str, Any]:
    return {"name": "Ball", "observations": observations, "continuous": continuous, "discrete": list(discrete)}


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (behavior([[5], [3]]), []),
        (behavior([[9]]), ["it observed 8 values and would observe 9"]),
        (behavior([[84, 84, 3]]), []),
        (behavior([[8]], continuous=1), ["it had 2 continuous actions and would have 1"]),
        (behavior([[8]], discrete=(3, 2)), ["its discrete branches were 3 and would be 3, 2"]),
        (behavior([[8]], discrete=()), ["its discrete branches were 3 and would be none"]),
    ],
)
def test_it_is_compared_with_what_the_environment_has(there: dict[str, Any], says: list[str]) -> None:
    assert list(changes_of_sizes(SAVED, there)) == says


def test_a_checkpoint_of_which_nothing_else_is_known_is_compared_by_its_weights() -> None:
    check = check_fit(None, with_network(hidden_units=64, num_layers=2), source="Old", saved={"Ball": SAVED})
    assert check.level is Level.WARNING
    assert "hidden_units was 16 and is 64 for Ball" in check.finding
    assert check_fit(None, with_network(hidden_units=16, num_layers=2), source="Old", saved={"Ball": SAVED}).level is (
        Level.OK
    )


def test_an_environment_that_changed_since_is_told_whatever_the_configuration_says() -> None:
    check = check_fit(config(), config(), source="ball-1", saved={"Ball": SAVED}, there=[behavior([[12]])])
    assert "Ball: it observed 8 values and would observe 12" in check.finding
