"""Kernels under the solvers: certainty equivalents, certificates, concentrability, robustness, traced branches."""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from coffee_fast._reference import anchored, robust_expectation
from coffee_fast._reference.anchored import LOG_ZERO
from coffee_fast._reference.anchored_solver import iterate_responses, solve_anchored
from coffee_fast._reference.certainty_equivalent import entropic_certainty_equivalent
from coffee_fast._reference.concentrability import concentrability

VALUES, NOMINAL = np.array([0.2, 1.0, -0.5, 0.7]), np.array([0.4, 0.3, 0.1, 0.2])


def uniform(*shape):
    return np.full(shape, -np.log(shape[-1]))


@pytest.mark.parametrize(
    ("name", "amount", "expected"),
    [
        ("contamination", 0.25, 0.2275),
        ("total_variation_ball", 0.25, 0.095),
        ("total_variation_penalized", 0.3, -0.23),
        ("kl_ball", 0.25, 0.1261891),
        ("kl_penalized", 0.3, 0.0803982),
        ("chi_squared_penalized", 0.3, 0.28825),
        ("chi_squared_penalized", 2.0, 0.4427375),
    ],
)
def test_robust_expectations_have_their_known_values(name, amount, expected):
    np.testing.assert_allclose(getattr(robust_expectation, name)(VALUES, NOMINAL, amount), expected, atol=5e-8)


def test_the_total_variation_ball_is_its_linear_program(rng):
    for radius in (0.0, 0.1, 0.5, 1.0):
        values, nominal = rng.normal(size=5), rng.dirichlet(np.ones(5))
        moved = np.r_[np.zeros(5), np.ones(5)]  # p, and |p - nominal|
        program = linprog(
            np.r_[values, np.zeros(5)],
            A_ub=np.block([[np.eye(5), -np.eye(5)], [-np.eye(5), -np.eye(5)], [moved[None]]]),
            b_ub=np.r_[nominal, -nominal, 2 * radius],
            A_eq=np.r_[np.ones(5), np.zeros(5)][None],
            b_eq=[1.0],
        )
        found = robust_expectation.total_variation_ball(values, nominal, radius)
        np.testing.assert_allclose(found, program.fun, atol=1e-9)


def test_penalized_forms_are_their_minima(rng):
    values, nominal, weight = rng.normal(size=4), rng.dirichlet(np.full(4, 3.0)), 0.2
    distances = {
        "kl_penalized": lambda p: (p * np.log(np.maximum(p, 1e-300) / nominal)).sum(),
        "chi_squared_penalized": lambda p: ((p / nominal - 1) ** 2 * nominal).sum(),
    }
    for name, distance in distances.items():
        primal = minimize(
            lambda p, distance=distance: p @ values + weight * distance(p),
            nominal,
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
            method="SLSQP",
        )
        found = getattr(robust_expectation, name)(values, nominal, weight)
        np.testing.assert_allclose(found, primal.fun, atol=1e-6, err_msg=name)


def test_the_kl_ball_is_below_every_distribution_in_it_and_touched_by_one(rng):
    values, nominal, radius = rng.normal(size=4), rng.dirichlet(np.full(4, 3.0)), 0.3
    found = robust_expectation.kl_ball(values, nominal, radius)
    inside = rng.dirichlet(np.full(4, 2.0), size=4000)
    inside = inside[(inside * np.log(inside / nominal)).sum(axis=1) <= radius]
    assert len(inside) > 100
    assert (inside @ values >= found - 1e-12).all()
    tilts = np.exp(-values / np.linspace(0.05, 5, 20_000)[:, None]) * nominal
    tilts /= tilts.sum(axis=1, keepdims=True)
    tilts = tilts[(tilts * np.log(tilts / nominal)).sum(axis=1) <= radius]
    np.testing.assert_allclose((tilts @ values).min(), found, atol=1e-3)


@pytest.mark.parametrize("name", ["contamination", "total_variation_ball", "kl_ball"])
def test_more_doubt_is_worth_less_down_to_the_least_value(name, rng):
    values, nominal = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(4), size=6)
    kernel = getattr(robust_expectation, name)
    worth = np.array([kernel(values, nominal, radius) for radius in (0.0, 1e-9, 0.01, 0.1, 0.5, 1.0)])
    np.testing.assert_allclose(worth[0], (nominal * values).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(worth[1], worth[0], atol=1e-3)
    assert (np.diff(worth, axis=0) <= 1e-9).all()
    if name != "kl_ball":
        np.testing.assert_allclose(worth[-1], values.min(axis=1), atol=1e-12)
    np.testing.assert_allclose(robust_expectation.kl_ball(values, nominal, 50.0), values.min(axis=1), atol=1e-6)
    constant = np.full((1, 4), 3.0)
    np.testing.assert_allclose(kernel(constant, nominal[:1], 0.3), 3.0, atol=1e-12)


@pytest.mark.parametrize("name", ["kl_penalized", "chi_squared_penalized", "total_variation_penalized"])
def test_dear_moves_leave_the_mean_and_cheap_ones_the_least_value(name, rng):
    values, nominal = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(4), size=6)
    kernel = getattr(robust_expectation, name)
    np.testing.assert_allclose(kernel(values, nominal, 1e7), (nominal * values).sum(axis=1), atol=1e-6)
    np.testing.assert_allclose(kernel(values, nominal, 1e-9), values.min(axis=1), atol=1e-6)


def test_states_of_no_probability_matter_only_where_they_can_be_reached():
    values, nominal = np.array([1.0, 2.0, -9.0]), np.array([0.5, 0.5, 0.0])
    assert robust_expectation.kl_penalized(values, nominal, 0.1) > 1.0
    assert robust_expectation.kl_ball(values, nominal, 5.0) >= 1.0
    np.testing.assert_allclose(robust_expectation.total_variation_ball(values, nominal, 0.5), 0.5 * 1 - 0.5 * 9)


def test_the_certainty_equivalent_runs_from_the_mean_to_the_least_value(rng):
    values, weights = rng.normal(size=(5, 6)), rng.dirichlet(np.ones(6))
    mean = values @ weights
    worth = np.array([entropic_certainty_equivalent(values, weights, tau) for tau in (0.0, 1e-9, 0.1, 1.0, 10.0, 1e6)])
    np.testing.assert_allclose(worth[0], mean, atol=1e-15)
    assert (np.diff(worth, axis=0) <= 1e-12).all()
    np.testing.assert_allclose(worth[3], -np.log(np.exp(-values) @ weights), atol=1e-12)
    np.testing.assert_allclose(worth[-1], values.min(axis=1), atol=1e-5)
    np.testing.assert_allclose(
        entropic_certainty_equivalent(-values, weights, -0.7), -entropic_certainty_equivalent(values, weights, 0.7)
    )


def test_the_certainty_equivalent_keeps_its_digits_at_small_risk_aversion(rng):
    values, weights = 1e3 + rng.normal(size=6), np.full(6, 1 / 6)
    for tau in (1e-12, 1e-8, 1e-7, 3e-7, 1e-6, 1e-5):
        series = values.mean() - 0.5 * tau * values.var()
        np.testing.assert_allclose(entropic_certainty_equivalent(values, weights, tau), series, rtol=0, atol=2e-10)
    # Members that nothing is thought of do not count.
    np.testing.assert_allclose(
        entropic_certainty_equivalent(np.array([1.0, 2.0, -99.0]), np.array([0.5, 0.5, 0.0]), 1e6), 1.0, atol=1e-5
    )


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2)])
def test_the_certificate_bounds_how_far_responses_move(rng, shape):
    """In the sum norm, one player's responses move at most by the factor of the certificate."""
    games = 20
    payoffs = [rng.random((games, *shape)) for _ in shape]
    reference = [np.log(rng.dirichlet(np.ones(size), size=games)) for size in shape]
    first, second = ([np.log(rng.dirichlet(np.ones(size), size=games)) for size in shape] for _ in range(2))
    scaled = [p / 0.7 for p in payoffs]
    images = [iterate_responses(scaled, reference, x, np.ones(games)) for x in (first, second)]

    def distances(a, b):
        return np.stack([np.abs(np.exp(x) - np.exp(y)).sum(axis=1) for x, y in zip(a, b, strict=True)])

    before, after = distances(first, second), distances(*images)
    for player, p in enumerate(anchored.centered(payoffs)):
        others = tuple(axis for axis in range(1, p.ndim) if axis != player + 1)
        factor = np.ptp(p, axis=others).max(axis=1) / 1.4
        assert (after[player] <= factor * np.delete(before, player, axis=0).sum(axis=0) + 1e-12).all()
        assert (factor <= np.ptp(payoffs[player].reshape(games, -1), axis=1) / 1.4 + 1e-12).all()


@pytest.mark.parametrize("kl_weight", [1.0, 0.51, 0.49, 0.2])
def test_the_certificate_is_tight_where_two_want_the_same(kl_weight):
    """Two actions, 1 if both agree: the uniform profile is the only equilibrium down to a weight of 1/2, no further."""
    payoffs, weights, reference = [np.eye(2)[None]] * 2, np.full((1, 2), kl_weight), [uniform(1, 2)] * 2
    np.testing.assert_allclose(anchored.contraction(payoffs, weights), (0.5 / kl_weight) ** 2)
    near = [np.log([[0.51, 0.49]])] * 2
    for _ in range(2000):
        near = iterate_responses([p / kl_weight for p in payoffs], reference, near, np.ones(1))
    assert (abs(near[0][0, 0] - near[0][0, 1]) < 1e-6) == (kl_weight > 0.5)
    assert solve_anchored(payoffs, reference, weights).method[0] == (0 if kl_weight > 0.5 else 2)


def test_the_certificate_of_three_is_twice_their_largest_factor():
    parity = np.indices((1, 2, 2, 2)).sum(axis=0) % 2
    payoffs = [scale * parity for scale in (1.0, 2.0, 3.0)]
    np.testing.assert_allclose(anchored.contraction(payoffs, np.array([[1.0, 1.0, 4.0]])), [2 * 2.0 / 2.0])


def test_the_equilibrium_is_the_one_that_continues_the_reference():
    """The better place to meet, but a reference nearer the worse one: the branch ends there."""
    payoffs, reference = [np.diag([1.3, 1.0])[None]] * 2, [np.log([[0.2, 0.8]])] * 2
    followed = list(reference)
    for weight in np.geomspace(10, 0.1, 400):
        scaled = [p / weight for p in payoffs]
        for _ in range(50):
            followed = iterate_responses(scaled, reference, followed, np.full(1, 0.5))
    found = solve_anchored(payoffs, reference, np.full((1, 2), 0.1))
    np.testing.assert_allclose(np.exp(found.mixtures[0]), np.exp(followed[0]), atol=1e-5)
    assert np.exp(found.mixtures[0][0, 1]) > 0.99


def test_newton_steps_at_the_end_of_the_branch_take_the_gap_to_rounding():
    payoffs = [np.array([[[2.0, 0.0], [0.0, 1.0]]]), np.array([[[1.0, 0.0], [0.0, 2.0]]])]
    found = solve_anchored(payoffs, [uniform(1, 2)] * 2, np.full((1, 2), 0.06), tolerance=1e-26)
    assert found.converged.all()


def test_concentrability_is_the_largest_ratio():
    reference = [np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])]
    found = concentrability(reference, np.array([[[0.6, 0.2], [0.1, 0.1]]]))
    np.testing.assert_allclose(found.joint, [0.375 / 0.1])
    np.testing.assert_allclose(found.unilateral, [[7.5, 5.0]])
    empty = concentrability(reference, np.array([[[0.6, 0.2], [0.0, 0.2]]]))
    assert np.isinf(empty.joint).all()
    masked = concentrability([np.array([[0.0, LOG_ZERO]]), reference[1]], np.array([[[0.6, 0.4], [0.0, 0.0]]]))
    np.testing.assert_allclose(masked.joint, [0.75 / 0.4])


def test_methods_agree_where_the_equilibrium_is_unique(rng):
    payoffs = [rng.random((30, 3, 4))]
    payoffs.append(-payoffs[0])
    reference, weights = [uniform(30, 3), uniform(30, 4)], np.full((30, 2), 0.2)
    found = [
        solve_anchored(payoffs, reference, weights, method=method, tolerance=1e-15, max_iterations=3000)
        for method in ("mirror_descent", "homotopy", "auto")
    ]
    assert all(f.converged.all() for f in found)
    for other in found[1:]:
        for x, y in zip(found[0].mixtures, other.mixtures, strict=True):
            np.testing.assert_allclose(np.exp(x), np.exp(y), atol=1e-6)


def test_games_of_a_batch_are_games_one_by_one(rng):
    scale = np.array([1.0, 0.1, 30.0, 3.0, 5.0])
    payoffs = [rng.random((5, 3, 3)) * scale[:, None, None] for _ in range(2)]
    payoffs[1][2:4] = -payoffs[0][2:4]
    reference, weights = [uniform(5, 3)] * 2, np.full((5, 2), 0.3)
    together = solve_anchored(payoffs, reference, weights)
    assert together.converged.all()
    for game in range(5):
        rows = slice(game, game + 1)
        alone = solve_anchored([p[rows] for p in payoffs], [x[rows] for x in reference], weights[rows])
        assert (alone.method[0], alone.num_iterations[0]) == (together.method[game], together.num_iterations[game])
        for x, y in zip(together.mixtures, alone.mixtures, strict=True):
            np.testing.assert_allclose(np.exp(x[rows]), np.exp(y), atol=1e-9)


def test_the_branch_is_followed_through_turns(rng):
    """Coordination on many actions at small weights: folds and bifurcations; every game ends in an equilibrium."""
    games = 60
    payoffs = [
        np.eye(4) * rng.uniform(1, 3, size=(games, 4))[:, None] + 0.1 * rng.random((games, 4, 4)) for _ in range(2)
    ]
    found = solve_anchored(payoffs, [uniform(games, 4)] * 2, np.full((games, 2), 0.05))
    assert found.converged.all()
    assert (found.contraction > 1.0).all()
    tied = solve_anchored([np.eye(4)[None], np.eye(4)[None]], [uniform(1, 4)] * 2, np.full((1, 2), 0.05))
    assert tied.converged.all()  # the uniform profile stays one


def test_best_response_flow_comes_down_exponentially(rng):
    """x' = response - x in a zero-sum game: the gap, summed, is at most its first value times e^-t."""
    row = rng.normal(size=(1, 4, 5))
    payoffs, reference, weights = [row, -row], [uniform(1, 4), uniform(1, 5)], np.full((1, 2), 0.2)
    logs, step = list(reference), 0.005
    start = anchored.regularized_gap(payoffs, reference, weights, logs).sum()
    for count in range(1, int(4 / step) + 1):
        values = anchored.deviation_payoffs_of_logs(payoffs, logs)
        response = [
            anchored.anchored_best_response(q, r, weights[:, i])[0]
            for i, (q, r) in enumerate(zip(values, reference, strict=True))
        ]
        logs = [np.log((1 - step) * np.exp(x) + step * np.exp(r)) for x, r in zip(logs, response, strict=True)]
        if count * step in (1.0, 2.0, 4.0):
            gap = anchored.regularized_gap(payoffs, reference, weights, logs).sum()
            assert gap <= 1.02 * start * np.exp(-count * step)
    equilibrium = solve_anchored(payoffs, reference, weights).mixtures
    np.testing.assert_allclose(np.exp(logs[0]), np.exp(equilibrium[0]), atol=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_steps_do_not_jump_to_other_branches(seed):
    """Coordination with nearly equal prizes: the branch bends sharply where equal prizes would make it fork."""
    rng = np.random.default_rng(seed)
    payoffs = [np.eye(2)[None] * rng.uniform(0.9, 1.1, size=(50, 1, 2)) for _ in range(2)]
    reference, followed = [uniform(50, 2)] * 2, [uniform(50, 2)] * 2
    for weight in np.geomspace(2, 0.1, 300):
        scaled = [p / weight for p in payoffs]
        for _ in range(40):
            followed = iterate_responses(scaled, reference, followed, np.full(50, 0.5))
    found = solve_anchored(payoffs, reference, np.full((50, 2), 0.1))
    assert found.converged.all()
    same = np.abs(np.exp(found.mixtures[0]) - np.exp(followed[0])).max(axis=1) < 1e-3
    assert same.mean() >= 0.96  # following by iteration may itself pass a fork


def test_large_zero_sum_games_are_left_to_mirror_descent(rng):
    row = rng.random((1, 120, 120))
    found = solve_anchored([row, -row], [uniform(1, 120)] * 2, np.full((1, 2), 0.2))
    assert (found.method[0], found.converged[0]) == (1, True)
    small = solve_anchored([row[:, :9, :9], -row[:, :9, :9]], [uniform(1, 9)] * 2, np.full((1, 2), 0.2))
    assert (small.method[0], small.converged[0]) == (2, True)
