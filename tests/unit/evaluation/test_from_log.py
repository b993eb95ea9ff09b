"""Regret as far as a log tells it: its bounds, what they are taken over, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

pytest.importorskip("pyspiel")
KUHN = "openspiel:kuhn_poker"


def logged(num_trajectories, seed, game=KUHN):
    return cf.generate_dataset(cf.load_game(game), num_trajectories=num_trajectories, seed=seed)


@pytest.fixture(scope="module")
def log():
    return logged(300, 0)


def policies(seed):
    """A policy a player, drawn at random over the information states of Kuhn poker."""
    rng, tree = np.random.default_rng(seed), cf.GameTree(KUHN)
    tables = rng.dirichlet(np.ones(2), tree.num_information_sets)
    return [cf.TablePolicy(tree.information_states, tables) for _ in range(2)]


@pytest.mark.parametrize("game", [KUHN, "openspiel:first_sealed_auction(max_value=4)"])
def test_bounds_hold_the_truth_in_nearly_all_logs(game):
    """Of the mean of twenty logs the sampling error is counted: a twentieth part of them may miss."""
    held = []
    for seed in range(20):
        found = cf.regret_from_log(logged(1000, seed, game), "uniform_random", seed)
        low, high = found.nash_conv_bounds
        held.append(low <= cf.exact_regret(game, "uniform_random").nash_conv <= high)
    assert sum(held) >= 18


def test_each_tree_is_judged_as_it_is_alone(log):
    tree, profile = cf.GameTree.from_dataset(log), policies(1)
    found = cf.regret_from_log(tree, profile, seed=5, num_members=3)
    alone = [cf.exact_regret(each, profile) for each in (tree, *tree.members(3, seed=5))]
    for one, other in zip((found.in_tree, *found.members), alone, strict=True):
        np.testing.assert_array_equal(one.regret, other.regret)
        np.testing.assert_array_equal([one.lower, one.upper], [other.lower, other.upper])
    low, high = zip(*(each.nash_conv_bounds for each in alone), strict=True)
    assert found.nash_conv_bounds == (min(low), max(high))
    assert found.nash_conv == alone[0].nash_conv


def test_it_is_the_same_from_a_log_and_its_tree_and_bounds_widen_with_members(log):
    bounds = [cf.regret_from_log(log, policies(2), 1, num).nash_conv_bounds for num in (1, 5, 20)]
    assert bounds[1] == cf.regret_from_log(cf.GameTree.from_dataset(log), policies(2), 1, 5).nash_conv_bounds
    assert bounds[0][0] >= bounds[1][0] >= bounds[2][0]
    assert bounds[0][1] <= bounds[1][1] <= bounds[2][1]


def test_mixtures_and_solutions_are_judged_as_the_behavior_they_come_to(log):
    tree = cf.GameTree.from_dataset(log)
    mixture = cf.Mixture((cf.UniformRandom(), policies(3)[0]), [0.4, 0.6])
    own = [tree.information_set_players == player for player in range(2)]
    tables = [cf.TablePolicy(tree.information_states[k], tree.behavior(i, mixture)[k]) for i, k in enumerate(own)]
    found = [cf.regret_from_log(tree, each, 1).nash_conv_bounds for each in ([mixture] * 2, tables)]
    np.testing.assert_allclose(*found, rtol=1e-12)
    solved = cf.mirror_descent(tree, num_iterations=50)
    low, high = cf.regret_from_log(log, solved, 1).nash_conv_bounds
    assert low <= cf.exact_regret(tree, solved).nash_conv <= high


def test_what_was_never_seen_is_said_and_bounded_by_nothing_where_all_was_paid_alike():
    log = logged(15, 0)
    found = cf.regret_from_log(log, "uniform_random", 0)
    assert found.in_tree.num_unseen > 0
    assert f"follows the {found.in_tree.num_unseen} moves that they do not show" in found.describe()
    alike = cf.TrajectoryDataset(log.spec, log.arrays | {"reward": np.zeros_like(log.reward)})
    with pytest.warns(cf.ModelWarning, match="payoff_range"):
        assert cf.regret_from_log(alike, "uniform_random", 0).nash_conv_bounds == (0.0, np.inf)


def test_what_is_no_log_or_has_no_tree_is_refused(log):
    with pytest.raises(cf.InvalidGameError, match="is not from a log"):
        cf.regret_from_log(cf.GameTree(KUHN), "uniform_random", 0)
    with pytest.raises(cf.DatasetError, match="were met more than once"):
        cf.regret_from_log(logged(30, 0, "generalized_bargaining"), "uniform_random", 0)
    with pytest.raises(cf.InvalidArgumentError, match="dataset must be a TrajectoryDataset"):
        cf.regret_from_log("log", "uniform_random", 0)
    with pytest.raises(cf.InvalidArgumentError, match="num_members"):
        cf.regret_from_log(log, "uniform_random", 0, 0)
    with pytest.raises(cf.InvalidArgumentError, match="policies must name one strategy a player"):
        cf.regret_from_log(log, ["uniform_random"] * 3, 0)
