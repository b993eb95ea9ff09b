import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import anchored, anchored_solver
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.stage_games import kernels


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


def with_ties(sizes, num_games=30, seed=0):
    """Payoffs of -1, 0 and 1; in every third game of zero alone, in every other one the second's the first's less."""
    payoffs, reference, kl_weight = games(sizes, num_games, seed)
    payoffs = [np.sign(p) * (np.abs(p) > 0.7) for p in payoffs]
    for table in payoffs:
        table[::3] = 0.0
    payoffs[-1][1::2], kl_weight[1::4] = -payoffs[0][1::2], 0.5
    return payoffs, reference, kl_weight


KERNELS = ALL | {"ties of two": with_ties((3, 4)), "ties of three": with_ties((2, 3, 3))}


@pytest.fixture(params=KERNELS)
def stage_games(request):
    return KERNELS[request.param]


def mixtures_near(reference):
    """Other mixtures, in every fourth game the reference itself."""
    rng = np.random.default_rng(1)
    moved = [x + rng.normal(size=x.shape) * (np.arange(len(x)) % 4 > 0)[:, None] for x in reference]
    return [x - anchored.log_sum_exp(x) for x in moved]


def test_deviation_payoffs_of_logs_agree(stage_games):
    payoffs, reference, _ = stage_games
    mixtures = mixtures_near(reference)
    found = kernels.deviation_payoffs_of_logs(payoffs, mixtures)
    for q, other in zip(found, anchored.deviation_payoffs_of_logs(payoffs, mixtures), strict=True):
        np.testing.assert_allclose(q, other, rtol=1e-12, atol=1e-13 * np.abs(payoffs[0]).max())


def test_best_responses_and_their_values_agree(stage_games):
    payoffs, reference, kl_weight = stage_games
    for i, q in enumerate(anchored.deviation_payoffs_of_logs(payoffs, mixtures_near(reference))):
        for shrunk in (1.0, 1e-3):
            response, value = kernels.anchored_best_response(q, reference[i], shrunk * kl_weight[:, i])
            expected, best = anchored.anchored_best_response(q, reference[i], shrunk * kl_weight[:, i])
            np.testing.assert_allclose(response, expected, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(value, best, rtol=1e-12, atol=1e-14)
            unavailable = reference[i] < anchored.LOG_ZERO / 2
            assert (np.exp(response[unavailable]) == 0.0).all()


def test_kl_divergences_agree(stage_games):
    _, reference, _ = stage_games
    for x, ref in zip(mixtures_near(reference), reference, strict=True):
        expected = anchored.kl_divergence(x, ref)
        np.testing.assert_allclose(kernels.kl_divergence(x, ref), expected, rtol=1e-12, atol=1e-15)


def test_sums_of_exponentials_agree(stage_games):
    _, reference, _ = stage_games
    for x, ref in zip(mixtures_near(reference), reference, strict=True):
        expected = anchored.log_sum_exp(x + ref)
        np.testing.assert_allclose(kernels.log_sum_exp(x + ref), expected, rtol=1e-12, atol=1e-14)


def test_certificates_agree(stage_games):
    payoffs, _, kl_weight = stage_games
    np.testing.assert_allclose(
        kernels.contraction(payoffs, kl_weight), anchored.contraction(payoffs, kl_weight), rtol=1e-12
    )
    np.testing.assert_array_equal(
        kernels.is_zero_sum(payoffs, kl_weight), anchored_solver.is_zero_sum(payoffs, kl_weight)
    )


def test_zero_sum_asks_for_two_players_with_one_weight_and_opposite_payoffs():
    payoffs, _, kl_weight = KERNELS["ties of two"]
    found = kernels.is_zero_sum(payoffs, kl_weight)
    assert found[1::4].all()
    assert not found[2::4].any()
    antisymmetric = [np.array([[[0.0, 1.0], [-1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])]
    np.testing.assert_array_equal(kernels.is_zero_sum(antisymmetric, np.ones((2, 1))), [True, False])


def test_regularized_gaps_agree(stage_games):
    payoffs, reference, kl_weight = stage_games
    mixtures = mixtures_near(reference)
    gaps = kernels.regularized_gap(payoffs, reference, kl_weight, mixtures)
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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, r, w: _core.deviation_payoffs_of_logs(p, r[:1]), "mixtures must have 2 arrays, got 1"),
        (lambda p, r, w: _core.deviation_payoffs_of_logs(p, r[::-1]), r"mixtures\[0\] must have shape \[50, 3\]"),
        (lambda p, r, w: _core.contraction(p, w[:3].copy()), r"kl_weight must have shape \[50, 2\]"),
        (lambda p, r, w: _core.is_zero_sum(p, w[:, 0].copy()), r"kl_weight must have shape \[50, 2\]"),
        (
            lambda p, r, w: _core.anchored_best_response(r[0], r[1], w[:, 0].copy()),
            "values and reference must have one",
        ),
        (lambda p, r, w: _core.anchored_best_response(r[0], r[0], w), r"kl_weight must have shape \[50\]"),
        (lambda p, r, w: _core.log_kl_divergence(r[0], r[0][:9]), "mixture and other must have one shape"),
        (lambda p, r, w: _core.log_sum_exp(w[0]), r"values must have shape \[G, A\]"),
    ],
)
def test_kernels_refuse_arrays_that_do_not_fit(call, message):
    with pytest.raises(InvalidArgumentError, match=message):
        call(*ALL["two players"])


def test_no_games_are_no_work():
    payoffs, reference, weights = [np.ones((0, 2, 3))] * 2, [np.ones((0, 2)), np.ones((0, 3))], np.ones((0, 2))
    assert [q.shape for q in kernels.deviation_payoffs_of_logs(payoffs, reference)] == [(0, 2), (0, 3)]
    assert kernels.contraction(payoffs, weights).shape == kernels.is_zero_sum(payoffs, weights).shape == (0,)
    assert kernels.regularized_gap(payoffs, reference, weights, reference).shape == (0, 2)
