"""Standard errors, against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast.evaluation.sampling_error import deviation_weights, linear_standard_error


def test_deviation_weights_give_the_gain_of_a_strategy(rng):
    payoffs, mixture = rng.normal(size=(4, 4)), rng.dirichlet(np.ones(4))
    gains = payoffs @ mixture - mixture @ payoffs @ mixture
    for strategy in range(4):
        assert (deviation_weights(mixture, strategy) * payoffs).sum() == pytest.approx(gains[strategy])


@pytest.mark.parametrize("correlation", [-1.0, 0.0, 0.5, 1.0])
def test_the_standard_error_covers_any_correlation_of_the_players(rng, correlation):
    """Entries [a, b] and [b, a] share their episodes; all others are independent."""
    mixture, deviations = rng.dirichlet(np.ones(3)), rng.uniform(0.5, 2.0, size=(3, 3))
    weights = deviation_weights(mixture, 1)
    first = rng.normal(size=(50_000, 3, 3))
    noise = np.where(np.triu(np.ones((3, 3)), 0) > 0, first, 0.0)
    mirrored = correlation * noise.swapaxes(1, 2) + np.sqrt(1 - correlation**2) * first
    noise = np.where(np.tril(np.ones((3, 3)), -1) > 0, mirrored, noise) * deviations
    simulated = (noise * weights).sum(axis=(1, 2)).std()
    bound = linear_standard_error(weights, deviations)
    assert simulated <= bound * 1.01
    assert bound <= 1.5 * simulated or correlation < 0.5


def test_a_deviation_outside_the_support_has_independent_entries():
    weights = np.array([[0.0, 0.0], [0.5, 0.0]])
    assert linear_standard_error(weights, np.full((2, 2), 0.2)) == pytest.approx(0.1)
