"""Mirror descent in a tree, against the twin, on random trees of three players with chance and luck."""

from __future__ import annotations

import numpy as np
import pytest
from tests.parity.test_game_tree import core_of, random_profiles, random_tree

import coffee_fast as cf
from coffee_fast._reference import game_tree as tree_twin
from coffee_fast._reference import tree_mirror_descent as twin

NOTHING = np.zeros(0)


@pytest.fixture(scope="module", params=[0, 1, 2, "luck"])
def pair(request):
    is_lucky = request.param == "luck"
    arrays = random_tree(4, luck_share=0.5, num_members=3) if is_lucky else random_tree(request.param)
    return core_of(arrays), tree_twin.GameTree(**arrays)


def logs(core, seed, count=2):
    return np.log(random_profiles(core, count, seed, pure_share=0.0))


@pytest.mark.parametrize("kl_in_rewards", [True, False])
@pytest.mark.parametrize("kl_weight", [0.03, 2.0])
def test_decision_values_equal_the_twins(pair, kl_weight, kl_in_rewards):
    core, tree = pair
    for seed in range(3):
        policy, reference = logs(core, seed)
        found = core.decision_values(policy, reference, kl_weight, kl_in_rewards)
        for array, expected in zip(
            found, twin.decision_values(tree, policy, reference, kl_weight, kl_in_rewards), strict=True
        ):
            np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kl_in_rewards", [True, False])
def test_steps_equal_the_twins(pair, kl_in_rewards):
    core, tree = pair
    policy, reference = logs(core, 5)
    weights, sizes = np.geomspace(1.0, 0.1, 6), np.linspace(0.5, 2.0, 6)
    steps, last, sums = core.mirror_descent(
        policy, reference, weights, sizes, kl_in_rewards, 0.0, np.zeros(core.num_sequences)
    )
    expected = twin.tree_mirror_descent(tree, policy, reference, weights, sizes, kl_in_rewards, 0.0)
    assert steps == expected[0] == 6
    np.testing.assert_allclose(last, expected[1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sums, expected[2], rtol=1e-9, atol=1e-12)


def test_it_ends_before_the_step_where_gaps_are_small_as_the_twin_does(pair):
    core, tree = pair
    policy, reference = logs(core, 6)
    weights, sizes = np.full(500, 20.0), np.full(500, 0.1)
    steps, last, _ = core.mirror_descent(policy, reference, weights, sizes, True, 1e-6, NOTHING)
    expected = twin.tree_mirror_descent(tree, policy, reference, weights, sizes, True, 1e-6)
    assert 0 < steps == expected[0] < 500
    assert core.decision_values(last, reference, 20.0, True)[1].max() <= 1e-6
    again, unmoved, _ = core.mirror_descent(last, reference, weights, sizes, True, 1e-6, NOTHING)
    assert again == 0
    np.testing.assert_array_equal(unmoved, last)


def test_sets_that_are_hardly_ever_reached_have_values_all_the_same(pair):
    """Where probabilities underflow, means given that a set is reached do not."""
    core, _ = pair
    policy, reference = logs(core, 7)
    likely = policy.copy()
    starts = core.sequence_starts()
    first = starts[:-1][np.diff(starts) > 1]
    likely[first] = -900.0  # e^-900 is no double
    values, gap, reach = core.decision_values(likely, reference, 1.0, False)
    assert (reach == 0.0).any()
    assert np.isfinite(values).all()
    assert np.isfinite(gap).all()


def test_what_does_not_fit_is_refused(pair):
    core, _ = pair
    policy, reference = logs(core, 8)
    one = np.ones(1)
    for call, message in (
        (lambda: core.decision_values(policy[:-1], reference, 1.0, True), "log_policy must have"),
        (
            lambda: core.decision_values(policy, np.where(reference < 0.0, -np.inf, 0.0), 1.0, True),
            "log_reference must be logarithms",
        ),
        (lambda: core.decision_values(policy, reference, 0.0, True), "kl_weight must be finite and above 0, got 0"),
        (lambda: core.mirror_descent(policy, reference, one, np.ones(2), True, 0.0, NOTHING), "step_sizes must have 1"),
        (lambda: core.mirror_descent(policy, reference, one, -one, True, 0.0, NOTHING), "step_sizes must be finite"),
        (lambda: core.mirror_descent(policy, reference, one, one, True, 0.0, one), "reach_sums must have"),
    ):
        with pytest.raises(cf.InvalidArgumentError, match=message):
            call()


def test_who_forgets_is_refused():
    cores = [core_of(random_tree(seed, forgets=True)) for seed in range(4)]
    core = next(core for core in cores if core.forgetful_set >= 0)
    policy, reference = logs(core, 0)
    with pytest.raises(cf.InvalidArgumentError, match=f"perfect recall, but .* information set {core.forgetful_set}"):
        core.decision_values(policy, reference, 1.0, True)
