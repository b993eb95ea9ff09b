"""Robust QMIX and value decomposition by networks: fixed points, factorization, and what is no team's log."""

import numpy as np
import pytest
import torch
from tests.unit.tabular.test_game import ultimatum_log

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import robust_qmix, robust_vdn
from coffee_fast.regularized.robust._torch_mixing import MonotoneMixer

QUICK = {"hidden_sizes": (16,), "num_steps": 80, "batch_size": 64, "learning_rate": 0.02, "tolerance": 0.02}


def one_state(num_rows=8):
    """Two who get 1 whatever they do, in one state that never ends."""
    action = np.stack([np.arange(num_rows) % 2, np.arange(num_rows) // 2 % 2], axis=1)
    log = {"observation": np.zeros((num_rows, 1)), "action": action, "reward": np.ones((num_rows, 2))}
    return log | {"terminal": np.zeros(num_rows), "trajectory": np.zeros(num_rows)}


@pytest.mark.parametrize(
    ("mixer", "distance", "radius"),
    [
        ("sum", "contamination", 0.2),
        ("monotone", "contamination", 0.2),
        ("bound", "contamination", 0.2),
        ("sum", "total_variation", 0.2),
    ],
)
def test_one_state_that_pays_1_is_worth_what_the_radius_leaves(mixer, distance, radius):
    found = robust_qmix(
        one_state(),
        **{"mixer": mixer, "distance": distance, "radius": radius, "has_fail_state": True, "discount": 0.75},
        **QUICK | {"num_iterations": 12, "num_steps": 40, "batch_size": 16},
    )
    assert found.value == pytest.approx(1.0 / (1.0 - 0.75 * (1.0 - radius)), rel=0.05)
    assert (found.mixer, found.distance, found.radius, found.weight) == (mixer, distance, radius, None)


@pytest.fixture(scope="module")
def team():
    """A log whose rewards add up over two players with 2 and 3 actions, and whose state nobody moves; its game."""
    rng = np.random.default_rng(1)
    T, moves = 600, np.array([[0.8, 0.2], [0.3, 0.7]])
    own, other = rng.uniform(size=(2, 2)), rng.uniform(size=(2, 3))
    action = np.stack([rng.integers(2, size=T), rng.integers(3, size=T)], axis=1)
    state = np.zeros(T, dtype=int)
    for t in range(T - 1):
        state[t + 1] = rng.choice(2, p=moves[state[t]])
    reward = own[state, action[:, 0]] + other[state, action[:, 1]]
    counts = np.zeros((2, 2))
    np.add.at(counts, (state[:-1], state[1:]), 1)
    kernel = np.broadcast_to((counts / counts.sum(axis=1, keepdims=True))[:, None, None], (2, 2, 3, 2))
    rewards = np.repeat((own[:, :, None] + other[:, None, :])[None, None], 2, axis=0)
    game = cf.TabularGame(rewards, kernel[None], np.array([1.0, 0.0]))
    log = {"observation": np.eye(2)[state], "action": action, "reward": np.repeat(reward[:, None], 2, axis=1)}
    return log | {"terminal": np.zeros(T), "trajectory": np.zeros(T)}, game


@pytest.mark.parametrize(("mixer", "radius"), [("sum", 0.0), ("sum", 0.3), ("monotone", 0.3), ("bound", 0.3)])
def test_on_one_hot_observations_of_an_additive_game_it_is_the_table(team, mixer, radius):
    """A radius of 0 is plain value decomposition; what is best for each is best for the team."""
    log, game = team
    found = robust_qmix(log, mixer=mixer, radius=radius, discount=0.5, **QUICK | {"num_iterations": 8})
    exact = robust_vdn(game, radius=radius, discount=0.5)
    assert found.value == pytest.approx(float(exact.team_values[0, 0]), abs=0.06)
    for policy, table, size in zip(found.policies, exact.policies, (2, 3), strict=True):
        np.testing.assert_array_equal(policy.probabilities(np.eye(2), np.ones((2, size))), table[0])
    joint = game.rewards[0, 0].reshape(2, -1).argmax(axis=1)
    ours = [
        policy.probabilities(np.eye(2), np.ones((2, size))).argmax(axis=1)
        for policy, size in zip(found.policies, (2, 3), strict=True)
    ]
    np.testing.assert_array_equal(3 * ours[0] + ours[1], joint)
    if mixer == "sum":
        shares = [policy.network.forward(np.eye(2, dtype=np.float32)).max(axis=1) for policy in found.policies]
        np.testing.assert_allclose(sum(shares), exact.team_values[0], atol=0.06)


@pytest.mark.parametrize(("mixer", "best"), [("sum", False), ("monotone", False), ("bound", True)])
def test_bounds_find_what_pays_only_if_all_do_it(mixer, best):
    """8 for the first actions, -12 where one alone takes it, else 0: the mean of a first action is the worst."""
    action = np.argwhere(np.ones((3, 3)))
    reward = np.where((action == 0).all(axis=1), 8.0, np.where((action == 0).any(axis=1), -12.0, 0.0))
    log = {"observation": np.zeros((9, 1)), "action": action, "reward": np.repeat(reward[:, None], 2, axis=1)}
    options = {**QUICK, "hidden_sizes": (16,), "num_iterations": 2, "num_steps": 300, "batch_size": 32}
    found = robust_qmix(log | {"trajectory": np.arange(9)}, mixer=mixer, radius=0.0, **options)
    plays = [policy.probabilities(np.zeros((1, 1)), np.ones((1, 3)))[0] for policy in found.policies]
    assert [bool(play[0] == 1.0) for play in plays] == [best, best]
    if best:
        assert found.value == pytest.approx(8.0, abs=0.1)
        assert found.residual < 0.5
    else:
        assert found.value < 1.0
        assert found.residual > 3.0


def test_a_wider_radius_is_worth_less(team):
    values = [
        robust_qmix(team[0], mixer="sum", radius=r, discount=0.5, **QUICK | {"num_iterations": 4}).value
        for r in (0.0, 0.5)
    ]
    assert values[1] < values[0] - 0.03


def test_the_mixer_grows_with_each_part():
    generator = torch.Generator().manual_seed(0)
    mixer = MonotoneMixer(3, 4, 8, generator)
    values = torch.randn(50, 3, generator=generator).requires_grad_()
    mixer(values, torch.randn(50, 4, generator=generator)).sum().backward()
    assert (values.grad > 0.0).all()


def test_same_seed_same_bits(team):
    few = {"hidden_sizes": (4,), "num_iterations": 2, "num_steps": 5}
    flat = []
    for seed in (1, 1, 2):
        policies = robust_qmix(team[0], seed=seed, **few).policies
        flat.append(np.concatenate([part.ravel() for policy in policies for layer in policy.layers for part in layer]))
    np.testing.assert_array_equal(flat[0], flat[1])
    assert (flat[0] != flat[2]).any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"log": ultimatum_log(5)}, InvalidGameError, "robust_qmix: players must act at once, got a log of turns"),
        ({"radius": 0.1, "weight": 1.0}, InvalidArgumentError, "at most one of radius and weight"),
        ({"distance": "kl", "radius": 0.1}, InvalidArgumentError, "must be one of contamination, total_variation"),
        ({"radius": 1.5}, InvalidArgumentError, "radius must be a finite number >= 0 and <= 1, got 1.5"),
        ({"mixer": "qtran"}, InvalidArgumentError, "mixer must be one of monotone, sum, bound"),
        (
            {"log": {"action": [[0, 0]], "reward": [[1.0, 2.0]], "observation": [[1.0]]}},
            InvalidGameError,
            r"all players must get the same reward, got \[1.0, 2.0\]",
        ),
    ],
)
def test_what_is_no_teams_log_is_refused(team, change, error, message):
    with pytest.raises(error, match=message):
        robust_qmix(**{"log": team[0]} | change)
