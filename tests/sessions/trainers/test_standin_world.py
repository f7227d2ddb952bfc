"""The problem that both practice partners pose: balls on tilting platforms."""

from __future__ import annotations

import numpy as np

from sessions.trainers.standin.unity_standin import BallWorld, parse

STILL = np.zeros((4, 2))


def balance(world: BallWorld) -> np.ndarray:
    """Tilt against the ball's position and velocity: a controller by hand."""
    wanted = -0.15 * world.position - 0.2 * world.velocity
    return (wanted - world.tilt) / world.TURN


def test_the_same_seed_tells_the_same_story() -> None:
    first, second, other = BallWorld(4, 100, 7), BallWorld(4, 100, 7), BallWorld(4, 100, 8)
    for _ in range(50):
        np.testing.assert_array_equal(first.step(STILL).rewards, second.step(STILL).rewards)
        other.step(STILL)
    assert not np.allclose(first.observe(), other.observe())


def test_a_balanced_ball_earns_more_the_nearer_to_the_middle_it_is() -> None:
    world = BallWorld(4, 1000, 1)
    for _ in range(100):
        outcome = world.step(balance(world))
    assert not outcome.ended.any()
    near = np.argsort(np.linalg.norm(outcome.last_observations[:, 2:4], axis=1))
    assert (np.diff(outcome.rewards[near]) <= 0).all()
    assert ((outcome.rewards > 0.05) & (outcome.rewards <= 0.1)).all()


def test_a_ball_that_is_let_go_falls_and_a_new_episode_begins() -> None:
    world = BallWorld(4, 1000, 1)
    fallen = np.zeros(4, dtype=int)
    for _ in range(100):
        outcome = world.step(np.ones((4, 2)))
        assert (outcome.rewards[outcome.fallen] == -1.0).all()
        assert (world.age[outcome.ended] == 0).all()
        fallen += outcome.fallen
    assert (fallen >= 2).all()


def test_an_episode_ends_at_its_length() -> None:
    world = BallWorld(4, 20, 1)
    outcomes = [world.step(balance(world)) for _ in range(20)]
    assert [bool(outcome.ended.any()) for outcome in outcomes] == [False] * 19 + [True]
    assert outcomes[-1].out_of_time.all()


def test_observations_are_eight_numbers_per_agent() -> None:
    seen = BallWorld(5, 20, 1).observe()
    assert (seen.shape, seen.dtype) == ((5, 8), np.dtype("float32"))


def test_unitys_own_arguments_are_ignored() -> None:
    given = "-nographics -batchmode --mlagents-port 5017 -logFile /x/Player-0.log --width 84 --behaviors Ball,Ball2"
    options = parse(given.split())
    assert (options.port, options.log_file, options.behaviors) == (5017, "/x/Player-0.log", ["Ball", "Ball2"])
    assert parse(["--editor"]).port == 5004
