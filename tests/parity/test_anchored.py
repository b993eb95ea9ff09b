import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import anchored
from coffee_fast.errors import InvalidArgumentError


def games(sizes, num_games=50, seed=0, scale=1.0):
    """Payoffs, log-references and KL weights of random games, some of whose actions are not available."""
    rng = np.random.default_rng(seed)
    payoffs = [scale * rng.normal(size=(num_games, *sizes)) for _ in sizes]
    reference = []
    for size in sizes:
        probabilities = rng.dirichlet(np.ones(size), size=num_games)
        logs = np.log(probabilities)
        if size > 2:
            logs[::5, 1] = anchored.LOG_ZERO
        reference.append(logs - anchored.log_sum_exp(logs))
    return payoffs, reference, rng.uniform(0.1, 2.0, size=(num_games, len(sizes)))


def symmetric_games(size, num_games=20, seed=0):
    rng = np.random.default_rng(seed)
    reference = np.log(rng.dirichlet(np.ones(size), size=num_games))
    return [rng.normal(size=(num_games, size, size))], [reference], rng.uniform(0.05, 1.0, size=(num_games, 1))


ALL = {
    "two players": games((3, 4)),
    "three players": games((2, 3, 4)),
    "four players": games((2, 2, 3, 2)),
    "one player": games((5,)),
    "symmetric": symmetric_games(6),
    "large payoffs": games((3, 3), scale=100.0),
}


@pytest.fixture(params=ALL)
def stage_games(request):
    return ALL[request.param]


def test_regularized_gaps_agree(stage_games):
    payoffs, reference, kl_weight = stage_games
    rng = np.random.default_rng(1)
    mixtures = [x + rng.normal(size=x.shape) for x in reference]
    mixtures = [x - anchored.log_sum_exp(x) for x in mixtures]
    gaps = _core.regularized_gap(payoffs, reference, kl_weight, mixtures)
    expected = anchored.regularized_gap(payoffs, reference, kl_weight, mixtures)
    np.testing.assert_allclose(gaps, expected, rtol=1e-12, atol=1e-14)


def test_the_gap_of_a_best_response_is_nothing():
    payoffs, reference, kl_weight = ALL["one player"]
    response = [anchored.anchored_best_response(payoffs[0], reference[0], kl_weight[:, 0])[0]]
    assert _core.regularized_gap(payoffs, reference, kl_weight, response).max() < 1e-14


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, r, w: ([], r, w), r"payoffs must be one array \[G, A_1, ..., A_n\] or more"),
        (lambda p, r, w: ([p[0], p[1][:, :2]], r, w), "payoffs must be arrays of one shape"),
        (lambda p, r, w: (p[:1], r[:1], w[:, :1].copy()), "one payoff table a player, 2 in all"),
        (lambda p, r, w: (p, r[:1], w), "reference must have 2 arrays, got 1"),
        (lambda p, r, w: (p, r[::-1], w), r"reference\[0\] must have shape \[50, 3\]"),
        (lambda p, r, w: (p, r, w[:3].copy()), r"kl_weight must have shape \[50, 2\]"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    payoffs, reference, kl_weight = change(*ALL["two players"])
    with pytest.raises(InvalidArgumentError, match=message):
        _core.solve_anchored(payoffs, reference, kl_weight)
