"""Best-response flow with particles: Gaussian fixed points of quadratic games, and the flow on the way there."""

import numpy as np
import pytest

from coffee_fast.errors import InvalidArgumentError, NumericalError
from coffee_fast.regularized import particle_best_response_flow

MANY = {"num_particles": 3000, "seed": 1}


def linear(player, own, particles):
    return np.broadcast_to([1.0, -2.0], own.shape)


def test_a_payoff_that_nobody_else_changes_takes_one_step():
    """Linear payoffs b x near N(m, s^2): the Gibbs measure N(m + s^2 b / sigma, s^2)."""
    found = particle_best_response_flow(
        linear, [[0.5, 0.0]], 0.6, temperature=0.9, rate=1.0, num_iterations=1, num_inner_steps=100, **MANY
    )
    (particles,) = found.particles
    np.testing.assert_allclose(particles.mean(axis=0), [0.5 + 0.4, -0.8], atol=0.04)
    np.testing.assert_allclose(particles.var(axis=0), 0.36 / (1.0 - 0.05 / 2.0), rtol=0.08)
    assert found.status == "converged"
    assert found.distance[0] < 0.1


def quadratic(pull, couple, shift):
    """Payoffs -q_i x_i^2 / 2 + c_i x_i x_j + b_i x_i of two players; their Gaussian fixed points near N(m, s^2)."""

    def gradient(player, own, particles):
        return couple[player] * particles[1 - player].mean(axis=0) + shift[player] - pull[player] * own

    def fixed_point(mean, deviation, temperature):
        precision = 1.0 / deviation**2 + np.array(pull) / temperature
        lean = np.array([[0.0, couple[0]], [couple[1], 0.0]]) / temperature[:, None] / precision[:, None]
        base = (mean / deviation**2 + np.array(shift) / temperature) / precision
        return lean, base, 1.0 / precision

    return gradient, fixed_point


@pytest.mark.parametrize("couple", [(1.0, -1.0), (0.8, 0.5)])
def test_quadratic_games_have_gaussian_fixed_points(couple):
    """Zero-sum and general-sum; on the way means follow m <- (1 - rate) m + rate Psi(m)."""
    gradient, fixed_point = quadratic((1.0, 0.5), couple, (1.0, -0.5))
    mean, deviation, temperature = np.array([0.3, 0.0]), np.array([1.0, 0.7]), np.array([0.8, 1.0])
    lean, base, variance = fixed_point(mean, deviation, temperature)
    found = particle_best_response_flow(
        gradient, mean[:, None], deviation, temperature=temperature, rate=0.25, num_iterations=30, **MANY
    )
    wanted = np.linalg.solve(np.eye(2) - lean, base)
    np.testing.assert_allclose([x.mean() for x in found.particles], wanted, atol=0.04)
    np.testing.assert_allclose([x.var() for x in found.particles], variance, rtol=0.12)
    assert found.status == "converged"
    now = found.means[0]
    for seen in found.means[1:]:
        now = 0.75 * now + 0.25 * (lean @ now + base)
        np.testing.assert_allclose(seen, now, atol=0.1)
    assert np.abs(found.means[0] - wanted).max() > 0.3


def test_the_first_iterations_have_not_converged():
    gradient, _ = quadratic((1.0, 0.5), (1.0, -1.0), (4.0, 0.0))
    found = particle_best_response_flow(gradient, [[0.0], [0.0]], num_iterations=2, num_particles=500)
    assert found.status == "max_iterations"
    assert found.distance.max() > 0.5
    assert found.means.shape == (3, 2)


def test_same_seed_same_bits():
    gradient, _ = quadratic((1.0, 0.5), (1.0, -1.0), (1.0, 0.0))
    few = {"num_iterations": 2, "num_particles": 20}
    found = [particle_best_response_flow(gradient, [[0.0], [0.0]], seed=seed, **few).particles for seed in (3, 3, 4)]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0][0] != found[2][0]).any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gradient": lambda *_: 0.0}, InvalidArgumentError, r"gradient of player 0 must have shape \[1000, 2\]"),
        ({"gradient": lambda player, own, _: 1e9 * own}, NumericalError, "left all bounds; lower inner_step"),
        ({"reference_mean": [[np.nan]]}, InvalidArgumentError, "reference_mean of player 0 must be finite numbers"),
        ({"rate": 1.5}, InvalidArgumentError, "rate must be a finite number > 0 and <= 1, got 1.5"),
        ({"temperature": 0.0}, InvalidArgumentError, "temperature must be"),
        ({"num_particles": 1}, InvalidArgumentError, "num_particles must be an integer >= 2 and <= 1000000, got 1"),
    ],
)
def test_impossible_arguments_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        particle_best_response_flow(**{"gradient": linear, "reference_mean": [[0.0, 0.0]]} | change)
