"""Anchored equilibria of tabular games by backward induction, and what a log's size says of them."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.anchored import regularized_gap
from coffee_fast._reference.anchored_solver import solve_anchored
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized import gamd, gane

A = np.array([[0.9, 0.1, 0.4], [0.3, 0.8, 0.2], [0.5, 0.6, 0.7]])
B = np.array([[0.2, 0.7, 0.5], [0.6, 0.1, 0.9], [0.4, 0.8, 0.3]])


def random_game(rng, num_players=2, horizon=3, num_states=4, sizes=(2, 3), **rest):
    sizes = sizes[:num_players]
    transitions = rng.dirichlet(np.ones(num_states), size=(horizon, num_states, *sizes))
    rewards = rng.random((num_players, horizon, num_states, *sizes))
    return cf.TabularGame(rewards, transitions, rng.dirichlet(np.ones(num_states)), **rest)


def soft_values(game, kl_weight, reference):
    """Values of a single player: V = weight log sum ref exp((r + P V) / weight)."""
    following, values = np.zeros(game.num_states), []
    for step in reversed(range(game.horizon)):
        q = game.rewards[0, step] + (game.transitions[step] @ following if step + 1 < game.horizon else 0.0)
        following = kl_weight * np.log((reference * np.exp(q / kl_weight)).sum(axis=-1))
        values.insert(0, following)
    return np.array(values)


def best_value(game, player, others, kl_weight, reference):
    """What a player can get in the whole game against fixed play ``others [H, S, A1, A2]``, by plain loops."""
    following = np.zeros(game.num_states)
    for step in reversed(range(game.horizon)):
        q = game.rewards[player, step] + (game.transitions[step] @ following if step + 1 < game.horizon else 0.0)
        expected = np.einsum("sab,sab->sa" if player == 0 else "sab,sab->sb", q, others[step])
        following = kl_weight * np.log((reference * np.exp(expected / kl_weight)).sum(axis=-1))
    return following @ game.initial


def test_one_player_gets_the_values_of_soft_value_iteration(rng):
    game, reference = random_game(rng, 1), rng.dirichlet(np.ones(2))
    found = gane(game, kl_weight=0.3, reference=[reference])
    np.testing.assert_allclose(found.values[0], soft_values(game, 0.3, reference), atol=1e-12)
    np.testing.assert_allclose(found.value, found.values[:, 0] @ game.initial)
    assert found.is_unique
    assert found.gap[0] < 1e-12
    idle = cf.TabularGame(
        np.stack([game.rewards[0], game.rewards[0]])[..., None], game.transitions[..., None, :], game.initial
    )
    np.testing.assert_allclose(gane(idle, kl_weight=0.3, reference=[reference, [1.0]]).values[0], found.values[0])


def test_one_step_of_one_state_is_the_payoff_table():
    table = gane(cf.PayoffTable.from_arrays([A, B]), kl_weight=0.2, tolerance=1e-14)
    game = gane(cf.TabularGame([A[None, None], B[None, None]]), kl_weight=0.2, tolerance=1e-14)
    for mixture, policy in zip(table.mixtures, game.policies, strict=True):
        np.testing.assert_allclose(policy[0, 0], mixture, atol=1e-12)
    np.testing.assert_allclose(game.value, table.value)
    np.testing.assert_allclose(game.stage_gap[:, 0, 0], table.gap, atol=1e-14)


def test_an_equilibrium_has_no_gap_in_the_whole_game_and_other_play_has_the_gap_that_loops_find(rng):
    game = random_game(rng)
    found = gane(game, kl_weight=0.2)
    assert found.status == "converged"
    assert found.gap.max() < 1e-8
    rough = gane(game, kl_weight=0.2, method="fixed_point", max_iterations=1)
    assert rough.status == "max_iterations"
    joint = rough.policies[0][..., :, None] * rough.policies[1][..., None, :]
    for player, size in enumerate((2, 3)):
        others = joint.sum(axis=2 + player, keepdims=True) * np.ones((2, 3))
        best = best_value(game, player, others, 0.2, np.full(size, 1 / size))
        np.testing.assert_allclose(rough.gap[player], best - rough.value[player], atol=1e-12)
    assert rough.gap.min() > 1e-6


def test_mirror_descent_on_a_game_of_steps(rng):
    game = random_game(rng, 3, sizes=(2, 3, 2))
    coarse, fine = (gamd(game, kl_weight=0.2, num_iterations=t) for t in (50, 500))
    assert (fine.stage_gap < coarse.stage_gap).all()
    assert fine.gap.sum() < 0.2 * coarse.gap.sum()
    np.testing.assert_allclose(fine.joint.sum(axis=(2, 3, 4)), 1.0)
    for player, policy in enumerate(fine.policies):
        others = tuple(axis for axis in (2, 3, 4) if axis != player + 2)
        np.testing.assert_allclose(fine.joint.sum(axis=others), policy, atol=1e-12)
    last = gamd(game, kl_weight=1.0, num_iterations=600, last_iterate=True, tolerance=1e-8)
    assert last.status == "converged"
    nash = gane(game, kl_weight=1.0)
    assert nash.is_unique
    for policy, other in zip(last.policies, nash.policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=1e-3)


def test_the_gap_of_correlated_play_is_what_loops_find(rng):
    game = random_game(rng)
    found = gamd(game, kl_weight=0.1, num_iterations=20)
    for player, size in enumerate((2, 3)):
        others = found.joint.sum(axis=2 + player, keepdims=True) * np.ones((2, 3))
        best = best_value(game, player, others, 0.1, np.full(size, 1 / size))
        np.testing.assert_allclose(found.gap[player], best - found.value[player], atol=1e-12)


def test_zero_sum_values_add_to_zero_and_differ_from_own_ones_over_steps(rng):
    reward = rng.random((3, 2, 2, 3))
    game = cf.TabularGame([reward, -reward], rng.dirichlet(np.ones(2), size=(3, 2, 2, 3)), [0.5, 0.5])
    shared, own = gane(game, kl_weight=0.3), gane(game, kl_weight=0.3, kl_value="own")
    np.testing.assert_allclose(shared.values.sum(axis=0), 0.0, atol=1e-12)
    assert np.abs(own.values.sum(axis=0)).max() > 1e-3
    x, y = (policy[-1] for policy in shared.policies)
    penalties = [0.3 * (p * np.log(len(p[0]) * p)).sum(axis=1) for p in (x, y)]
    expected = np.einsum("sa,sab,sb->s", x, reward[-1], y)
    np.testing.assert_allclose(shared.values[0, -1], expected - penalties[0] + penalties[1], atol=1e-12)
    np.testing.assert_allclose(shared.policies[0][-1], own.policies[0][-1], atol=1e-9)
    difference = max(np.abs(a[0] - b[0]).max() for a, b in zip(shared.policies, own.policies, strict=True))
    assert 1e-6 < difference < 1e-1
    assert max(shared.gap.max(), own.gap.max()) < 1e-8


def test_actions_that_are_not_legal_are_not_there(rng):
    full = random_game(rng, sizes=(3, 3))
    masks = [np.ones((3, 4, 3), dtype=bool), np.ones((3, 4, 3), dtype=bool)]
    masks[0][:2, :, 1] = False
    rewards = full.rewards.copy()
    rewards[:, :2, :, 1] = np.nan  # nobody needs to know what is not legal
    found = gane(cf.TabularGame(rewards, full.transitions, full.initial, legal=masks), kl_weight=0.3)
    assert (found.policies[0][:2, :, 1] == 0.0).all()
    assert found.status == "converged"
    assert found.gap.max() < 1e-8
    last = full.rewards[:, 2].copy()
    three = gane(cf.TabularGame(last[:, None], None, full.initial), kl_weight=0.3)
    np.testing.assert_allclose(found.policies[0][2], three.policies[0][0], atol=1e-9)
    # Without the action from the start, the game of its first two steps is the same.
    kept = [0, 2]
    following = full.transitions[1][:, kept] @ found.values[0, 2], full.transitions[1][:, kept] @ found.values[1, 2]
    small = gane(
        cf.TabularGame((full.rewards[:, 1][:, :, kept] + following)[:, None], None, full.initial), kl_weight=0.3
    )
    np.testing.assert_allclose(found.policies[0][1][:, kept], small.policies[0][0], atol=1e-6)


def test_concentrability_is_that_of_the_reference_by_the_log():
    log = {"action": [[0, 0]] * 6 + [[0, 1]] * 2 + [[1, 0]] + [[1, 1]], "reward": np.zeros((10, 2))}
    found = gane(log, reference=[[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(found.concentrability, 0.5 * 0.75 / 0.1)
    np.testing.assert_allclose(found.unilateral_concentrability[:, 0, 0], [0.75 / 0.1, 0.5 / 0.1])


def test_the_expected_gap_is_what_noise_makes_it(rng):
    """Known for this game at weight 0.5, noise of 0.5 and an even log: n times the sum of gaps is 1.01135."""
    n = 9000
    known = cf.TabularGame(
        [A[None, None], B[None, None]],
        counts=np.full((1, 1, 3, 3), n // 9),
        reward_variance=np.full((2, 1, 1, 3, 3), 0.25),
    )
    expected = gane(known, kl_weight=0.5, reference="uniform").expected_gap
    np.testing.assert_allclose(n * expected.sum(), 1.01135, atol=1e-5)
    truth, games = [A[None], B[None]], 300
    noisy = [u + rng.normal(scale=0.5 / np.sqrt(n / 9), size=(games, 3, 3)) for u in truth]
    reference, weights = [np.log(np.full((games, 3), 1 / 3))] * 2, np.full((games, 2), 0.5)
    estimated = solve_anchored(noisy, reference, weights).mixtures
    truth = [np.repeat(u, games, axis=0) for u in truth]
    gaps = regularized_gap(truth, reference, weights, estimated)
    np.testing.assert_allclose(n * gaps.sum(axis=1).mean(), 1.01135, rtol=0.15)


def test_impossible_arguments_of_solvers_are_refused(rng):
    game = random_game(rng)
    for arguments, message in (
        ({"kl_value": "both"}, "kl_value must be 'own', 'zero_sum' or None, got 'both'"),
        ({"reference": "behavior"}, "reference must be arrays, 'uniform', or 'behavior' for a game from a log"),
        ({"reference": [[0.5, 0.5], [1.0, 0.0, 0.0]]}, "reference of player 1 must be positive"),
        ({"reference": [np.ones((2, 2)) / 2, np.ones(3) / 3]}, r"player 0 must have shape \[3, 4, 2\], got \[2, 2\]"),
        ({"smoothing": 0.0}, "smoothing must be a finite number > 0"),
        ({"unseen_value": np.inf}, "unseen_value must be a finite number"),
        ({"kl_weight": -1.0}, "kl_weight must be a finite number > 0"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            gane(game, **arguments)
    with pytest.raises(InvalidArgumentError, match="'zero_sum' is for two players, got 1"):
        gane(random_game(rng, 1), kl_value="zero_sum")
    masked = cf.TabularGame([A[None, None], B[None, None]], legal=[np.ones((1, 1, 3))] * 2)
    assert gane(masked, kl_weight=1.0).status == "converged"
