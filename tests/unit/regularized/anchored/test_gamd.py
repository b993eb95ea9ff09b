"""Coarse correlated equilibria by anchored mirror descent: bounds, published figures, limits, last iterates."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.anchored import kl_divergence
from coffee_fast._reference.anchored_mirror_descent import anchored_mirror_descent
from coffee_fast._reference.potential import nearest_potential
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.regularized import gamd, gane

PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]])
REFERENCE = [[0.9, 0.1], [0.3, 0.7]]
EQUILIBRIUM = np.array([[0.48448998, 0.51551002], [0.44351789, 0.55648211]])


def pennies():
    return cf.PayoffTable.from_arrays([PENNIES, -PENNIES])


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4)])
@pytest.mark.parametrize("kl_weight", [0.05, 0.3])
def test_the_gap_is_below_its_bound_and_falls_like_one_over_the_rounds(rng, shape, kl_weight):
    payoffs = rng.random((len(shape), *shape))
    ranges = np.array([np.ptp(p) for p in payoffs])
    table = cf.PayoffTable.from_arrays(payoffs)
    gaps = []
    for num_iterations in (10, 100, 1000):
        gap = gamd(table, kl_weight=kl_weight, num_iterations=num_iterations).gap
        assert (gap <= ranges**2 * (1 + np.log(num_iterations)) / (8 * kl_weight * num_iterations)).all()
        gaps.append(gap.sum())
    slope = np.polyfit(np.log([10, 100, 1000]), np.log(gaps), 1)[0]
    assert -1.25 < slope < -0.75


@pytest.mark.parametrize(("num_iterations", "gap"), [(100, 0.0500), (1000, 0.00620), (10_000, 0.000621)])
def test_matching_pennies_have_the_known_gap(num_iterations, gap):
    found = gamd(pennies(), kl_weight=0.1, reference=REFERENCE, num_iterations=num_iterations)
    np.testing.assert_allclose(found.gap[0], gap, rtol=2e-3)


def test_mirror_descent_converges_linearly_in_its_last_iterate():
    reference = [np.log([ref]) for ref in REFERENCE]
    goal = [np.log([x]) for x in EQUILIBRIUM]
    start = sum(kl_divergence(z, x)[0] for z, x in zip(goal, reference, strict=True))
    np.testing.assert_allclose(start, 0.59110, atol=1e-5)
    for steps, expected in ((500, 2.842e-3), (1000, 1.832e-5), (2000, 7.6e-10)):
        found = anchored_mirror_descent(
            [PENNIES[None], -PENNIES[None]],
            reference,
            np.full((1, 2), 0.1),
            num_iterations=steps + 1,
            step_size=np.array([0.1]),
        )
        left = sum(kl_divergence(z, np.log(x))[0] for z, x in zip(goal, found.last, strict=True))
        np.testing.assert_allclose(left, expected, rtol=2e-2)
        assert left <= start * 1.01**-steps


def test_one_round_and_infinite_weights_stay_at_the_reference():
    one = gamd(pennies(), kl_weight=0.1, reference=REFERENCE, num_iterations=1)
    heavy = gamd(pennies(), kl_weight=1e9, reference=REFERENCE, num_iterations=20)
    for found in (one, heavy):
        np.testing.assert_allclose(found.mixtures, REFERENCE, atol=1e-8)
        np.testing.assert_allclose(found.joint, np.outer(*REFERENCE), atol=1e-8)


def test_a_single_player_comes_to_its_best_response():
    payoffs, ref = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.3, 0.2])
    best = ref * np.exp(payoffs / 2.0) / (ref * np.exp(payoffs / 2.0)).sum()
    table = cf.PayoffTable.from_arrays([payoffs])
    gaps = []
    for num_iterations in (100, 10_000):
        found = gamd(table, kl_weight=2.0, reference=[ref], num_iterations=num_iterations)
        gaps.append(found.gap[0])
        assert np.abs(found.mixtures[0] - best).max() < 5.0 / num_iterations
    assert 50 < gaps[0] / gaps[1] < 200


def test_dominated_actions_fade_like_reference_and_exponential():
    """The second action is worse by 1 whatever the other does."""
    row = np.array([[2.0, 1.0], [1.0, 0.0]])
    table = cf.PayoffTable.from_arrays([row, np.zeros((2, 2))])
    for kl_weight in (0.5, 0.2):
        found = gamd(table, kl_weight=kl_weight, reference=[[0.3, 0.7], [0.5, 0.5]], num_iterations=2000)
        limit = 0.7 * np.exp(-1 / kl_weight) / (0.3 + 0.7 * np.exp(-1 / kl_weight))
        np.testing.assert_allclose(found.mixtures[0][1], limit, atol=6e-3)


def test_average_play_comes_to_the_anchored_equilibrium_of_zero_sum_games():
    found = gamd(pennies(), kl_weight=0.1, reference=REFERENCE, num_iterations=5000)
    np.testing.assert_allclose(found.mixtures, EQUILIBRIUM, atol=2e-2)
    # Where payoffs add to zero, the gap of the average as a Nash equilibrium is at most the sum of these gaps.
    for player, (x, q) in enumerate(zip(found.mixtures, pennies().deviation_payoffs(found.mixtures), strict=True)):
        ref = np.array(REFERENCE[player])
        nash_gap = 0.1 * np.log(ref @ np.exp(q / 0.1)) - (x @ q - 0.1 * x @ np.log(x / ref))
        assert nash_gap <= found.gap.sum() + 1e-12


@pytest.mark.parametrize("game", ["zero-sum", "potential"])
def test_last_iterates_find_the_anchored_equilibrium(game, rng):
    row = rng.random((3, 3))
    table = cf.PayoffTable.from_arrays([row, -row if game == "zero-sum" else row])
    found = gamd(table, kl_weight=0.3, num_iterations=3000, last_iterate=True, tolerance=1e-12)
    assert found.status == "converged"
    np.testing.assert_allclose(found.mixtures, gane(table, kl_weight=0.3).mixtures, atol=1e-4)
    assert (found.potential_distance < 1e-12) == (game == "potential")


def test_the_potential_is_the_least_squares_one(rng):
    shape = (3, 2)
    payoffs = rng.random((2, *shape))
    cells = list(np.ndindex(shape))
    rows, changes = [], []
    for cell in cells:
        for player, size in enumerate(shape):
            for action in range(size):
                other = (action, cell[1]) if player == 0 else (cell[0], action)
                if other != cell:
                    rows.append([(c == other) - (c == cell) for c in cells])
                    changes.append(payoffs[player][other] - payoffs[player][cell])
    rows, changes = np.array(rows, dtype=float), np.array(changes)
    solution = np.linalg.lstsq(rows, changes, rcond=None)[0]
    found, distance = nearest_potential([p[None] for p in payoffs])
    np.testing.assert_allclose(found[0].ravel() - found.mean(), solution - solution.mean(), atol=1e-12)
    np.testing.assert_allclose(distance[0], np.abs(rows @ solution - changes).max(), atol=1e-12)


def test_a_tolerance_ends_the_rounds():
    found = gamd(pennies(), kl_weight=0.5, reference=REFERENCE, num_iterations=10_000, tolerance=0.01)
    assert found.status == "converged"
    assert found.num_iterations < 1000
    assert found.gap.max() <= 0.02
    again = gamd(pennies(), kl_weight=0.5, reference=REFERENCE, num_iterations=found.num_iterations)
    np.testing.assert_array_equal(again.joint, found.joint)
    assert again.status == "max_iterations"


def test_games_of_a_batch_are_games_one_by_one(rng):
    payoffs = list(rng.random((2, 5, 3, 2)) * np.array([1, 2, 0.5, 4, 1])[:, None, None])
    reference = [np.log(np.full((5, 3), 1 / 3)), np.log(np.full((5, 2), 1 / 2))]
    weight, options = np.full((5, 2), 0.4), {"num_iterations": 300, "tolerance": 0.004}
    together = anchored_mirror_descent(payoffs, reference, weight, **options)
    assert len(set(together.num_iterations)) > 1
    for game in range(5):
        rows = slice(game, game + 1)
        alone = anchored_mirror_descent(
            [p[rows] for p in payoffs], [r[rows] for r in reference], weight[rows], **options
        )
        np.testing.assert_allclose(together.joint[rows], alone.joint, atol=1e-14)
        assert together.num_iterations[game] == alone.num_iterations[0]


def test_impossible_arguments_are_refused():
    for arguments, message in (
        ({"num_iterations": 0}, "num_iterations must be an integer >= 1"),
        ({"last_iterate": 1}, "last_iterate must be True or False, got 1"),
        ({"tolerance": -1.0}, "tolerance must be a finite number >= 0"),
        ({"kl_weight": 0.0}, "kl_weight must be a finite number > 0"),
        ({"reference": [[1.0, 0.0], [0.5, 0.5]]}, "reference of player 0 must be positive"),
    ):
        with pytest.raises(InvalidArgumentError, match=f"gamd: {message}"):
            gamd(pennies(), **arguments)
