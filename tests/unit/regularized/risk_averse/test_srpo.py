"""Strategic risk aversion: volunteers, robots with Gaussian play, limits, stages, refusals."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gane, rqe, srpo

VOLUNTEER = [[0.6, 0.6], [1.0, 0.0]]  # one who helps is enough, and pays 0.4
APART = [[0.9, 0.1], [0.2, 0.8]]


def helped(found):
    return [float(policy[0, 0, 0]) for policy in found.policies]


def volunteers(risk_aversion, initial=APART, **options):
    table = cf.PayoffTable.symmetric(VOLUNTEER)
    return srpo(table, temperature=0.2, risk_aversion=risk_aversion, initial=initial, **options)


@pytest.mark.parametrize(
    ("risk_aversion", "expected"),
    [
        (0.0, (0.883280, 0.195226)),
        (0.5, (0.842525, 0.280175)),
        (1.0, (0.608230, 0.608230)),
        (2.0, (0.648553, 0.648553)),
        (5.0, (0.726801, 0.726801)),
        (10.0, (0.794154, 0.794154)),
    ],
)
def test_volunteers_who_are_wary_enough_share_the_work(risk_aversion, expected):
    found = volunteers(risk_aversion, tolerance=1e-14)
    assert found.status == "converged"
    np.testing.assert_allclose(helped(found), expected, atol=5e-6)


@pytest.mark.parametrize(("risk_aversion", "expected"), [(0.0, 0.555454), (0.5, 0.583696), (0.828789, 0.600206)])
def test_volunteers_who_start_alike_stay_alike(risk_aversion, expected):
    np.testing.assert_allclose(helped(volunteers(risk_aversion, initial=None)), expected, atol=2e-6)


def test_learning_leaves_the_equilibrium_of_equals_below_the_fork_and_finds_it_above():
    """The fork is at 0.828789; a little beside the equilibrium of equals is where learning begins."""
    beside = [[0.65, 0.35], [0.57, 0.43]]
    below, above = (volunteers(tau, initial=beside) for tau in (0.6, 1.2))
    assert below.status == above.status == "converged"
    assert abs(np.subtract(*helped(below))) > 0.4
    assert abs(np.subtract(*helped(above))) < 1e-4


@pytest.mark.parametrize(("risk_aversion", "temperature"), [(1.0, 1.0), (0.5, 1.0)])
def test_robots_that_share_a_load_play_gaussians(risk_aversion, temperature):
    """Costs (a + b - 1)^2 / 2 + a^2 / 2: the variance is half the temperature, the mean 1 / (3 - both / 2)."""
    grid = np.arange(-3.0, 4.0, 0.1)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    costs = (a + b - 1.0) ** 2 / 2 + a**2 / 2
    table = cf.PayoffTable.symmetric(-costs)
    found = srpo(table, temperature=temperature, risk_aversion=risk_aversion)
    assert found.status == "converged"
    x = found.policies[0][0, 0]
    assert x @ grid == pytest.approx(1.0 / (3.0 - risk_aversion * temperature / 2), abs=5e-4)
    assert x @ grid**2 - (x @ grid) ** 2 == pytest.approx(temperature / 2, abs=2e-3)


def test_without_risk_aversion_it_is_the_logit_equilibrium():
    rng = np.random.default_rng(1)
    table = cf.PayoffTable.from_arrays(list(rng.normal(size=(2, 3, 4))))
    found, logit = srpo(table, temperature=1.0, risk_aversion=0.0), gane(table, kl_weight=1.0)
    for policy, x in zip(found.policies, logit.mixtures, strict=True):
        np.testing.assert_allclose(policy[0, 0], x, atol=1e-5)


@pytest.mark.parametrize("discount", [None, 0.6])
def test_markov_games_end_in_an_equilibrium_of_rqe(discount):
    rng = np.random.default_rng(0)
    cells = (3 if discount is None else 1, 2, 2, 3)
    game = cf.TabularGame(
        rng.normal(size=(2, *cells)), transitions=rng.dirichlet(np.ones(2), size=cells), initial=[0.5, 0.5]
    )
    options = {"temperature": 1.0, "risk_aversion": 1.0, "discount": discount}
    found, exact = srpo(game, **options), rqe(game, regularizer="entropy", **options)
    assert found.status == "converged"
    for policy, other in zip(found.policies, exact.policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=1e-4)
    np.testing.assert_allclose(found.values, exact.values, atol=1e-4)


def test_what_is_not_legal_is_not_played_and_too_few_steps_are_no_equilibrium():
    legal = (np.ones((1, 2, 2), dtype=bool), np.array([[[True, False, True], [True, True, True]]]))
    payoffs = np.random.default_rng(0).normal(size=(2, 1, 2, 2, 3))
    found = srpo(cf.TabularGame(payoffs, legal=legal, initial=[0.5, 0.5]), temperature=0.5, risk_aversion=1.0)
    assert found.status == "converged"
    assert found.policies[1][0, 0, 1] == 0.0
    kept = srpo(cf.TabularGame(payoffs[:, :, :1][..., [0, 2]]), temperature=0.5, risk_aversion=1.0)
    np.testing.assert_allclose(found.policies[1][0, 0, [0, 2]], kept.policies[1][0, 0], atol=1e-5)
    short = volunteers(1.0, max_iterations=3)
    assert short.status == "max_iterations"
    assert short.num_iterations == 3
    assert short.gap.max() > 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"risk_aversion": -1.0}, "srpo: risk_aversion must be >= 0"),
        ({"step_size": 1.5}, "srpo: step_size must be a finite number > 0 and <= 1"),
        ({"initial": [[1.0, 0.0], [0.5, 0.5]]}, "srpo: initial of player 0 must be positive"),
        ({"initial": [[0.5, 0.5]]}, "srpo: initial must be one array a player, 2 in all, got 1"),
        ({"discount": 0.5}, "srpo: discount needs a game of one step with transitions"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        srpo(cf.PayoffTable.symmetric(VOLUNTEER), **options)
    with pytest.raises(InvalidGameError, match="srpo: 1 cells are empty"):
        srpo({"action": [[0, 0], [0, 1], [1, 0]], "reward": [[2, 1], [0, 0], [0.5, 0]]})
