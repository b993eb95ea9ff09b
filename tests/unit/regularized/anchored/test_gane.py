"""Anchored equilibria of payoff tables: closed forms, values of gambit, limits, and what hard games end with."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gane

ASYMMETRIC_PENNIES = [[9, 0], [0, 1]], [[0, 1], [1, 0]]
BIASED_RPS = np.array([[0, -1, 3], [1, 0, -3], [-3, 3, 0]])
SEXES = [[2, 0], [0, 1]], [[1, 0], [0, 2]]
METHODS = ["auto", "fixed_point", "mirror_descent", "homotopy"]


def table(row, column):
    return cf.PayoffTable.from_arrays([row, column])


@pytest.mark.parametrize(
    ("kl_weight", "expected"),
    [(1.0, (0.5381015, 0.8030497)), (0.25, (0.9590151, 0.9879369)), (4.0, (0.3549621, 0.6582410))],
)
def test_a_dilemma_of_equal_temptations_has_a_closed_form(kl_weight, expected):
    """Where defecting gains c whatever the other does, it has probability ref_D e^(c / weight) / Z."""
    reference = [[0.7, 0.3], [0.4, 0.6]]
    dilemma = table([[3, 0], [4, 1]], [[3, 4], [0, 1]])
    found = gane(dilemma, kl_weight=kl_weight, reference=reference)
    for player in range(2):
        cooperate, defect = reference[player]
        closed_form = defect * np.exp(1 / kl_weight) / (defect * np.exp(1 / kl_weight) + cooperate)
        np.testing.assert_allclose(found.mixtures[player][1], closed_form, atol=1e-12)
        np.testing.assert_allclose(found.mixtures[player][1], expected[player], atol=5e-8)
    assert (found.status, found.method, found.contraction) == ("converged", "fixed_point", 0.0)


@pytest.mark.parametrize("method", ["auto", "homotopy"])
@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (0.1, (0.59751568, 0.49512437)),
        (0.5, (0.83067059, 0.41807747)),
        (1.0, (0.89357633, 0.31278037)),
        (2.0, (0.86075439, 0.19107849)),
    ],
)
def test_asymmetric_pennies_are_those_of_gambit(precision, expected, method):
    found = gane(table(*ASYMMETRIC_PENNIES), kl_weight=1 / precision, method=method, tolerance=1e-16)
    np.testing.assert_allclose([x[0] for x in found.mixtures], expected, atol=2e-8)
    assert found.status == "converged"


@pytest.mark.parametrize("method", ["auto", "mirror_descent", "homotopy"])
@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (0.5, (0.44489868, 0.28547887, 0.26962245)),
        (1.0, (0.4846087, 0.30759936, 0.20779194)),
        (2.0, (0.48254693, 0.35208029, 0.16537278)),
    ],
)
def test_biased_rock_paper_scissors_is_that_of_gambit(precision, expected, method):
    found = gane(
        table(BIASED_RPS, -BIASED_RPS), kl_weight=1 / precision, method=method, tolerance=1e-16, max_iterations=5000
    )
    for mixture in found.mixtures:
        np.testing.assert_allclose(mixture, expected, atol=2e-8)
    assert found.is_unique


@pytest.mark.parametrize("precision", [0.5, 1.0, 2.0, 16.7])
def test_a_game_that_bifurcates_ends_in_an_equilibrium(precision):
    found = gane(table(*SEXES), kl_weight=1 / precision, tolerance=1e-14)
    assert found.status == "converged"
    assert found.gap.max() <= 2e-14
    if precision <= 1:
        np.testing.assert_allclose(found.mixtures[0][0], {0.5: 0.54536357, 1.0: 0.57115075}[precision], atol=1e-6)
        np.testing.assert_allclose(found.mixtures[1][0], 1 - found.mixtures[0][0], atol=1e-6)
    assert found.is_unique == (found.contraction < 1.0)


def test_a_large_weight_leaves_the_reference_to_first_order(rng):
    payoffs, reference = rng.random((2, 3, 4)), [rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))]
    game, weight = table(*payoffs), 1e4
    found = gane(game, kl_weight=weight, reference=reference)
    for x, ref, q in zip(found.mixtures, reference, game.deviation_payoffs(reference), strict=True):
        np.testing.assert_allclose(x, ref * (1 + (q - ref @ q) / weight), atol=10 / weight**2)


@pytest.mark.parametrize("kl_weight", [0.3, 0.05, 0.01])
def test_regret_is_bounded_by_weight_times_log_of_the_reference(rng, kl_weight):
    game = table(*rng.random((2, 4, 4)))
    reference = [rng.dirichlet(np.ones(4)) for _ in range(2)]
    found = gane(game, kl_weight=kl_weight, reference=reference)
    bound = [kl_weight * np.log(1 / ref.min()) for ref in reference]
    assert (game.regret(found.mixtures) <= np.array(bound) + found.gap).all()


@pytest.mark.parametrize(
    ("kl_weight", "expected"),
    [
        (0.1, (0.05616, 0.49454, 0.44930)),
        (0.03, (0.05561, 0.49951, 0.44488)),
        (1e-4, (1 / 18, 1 / 2, 4 / 9)),
    ],
)
def test_small_weights_project_the_reference_on_the_equilibria_of_a_zero_sum_game(kl_weight, expected):
    row = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    found = gane(table(row, -row), kl_weight=kl_weight, reference=[[0.1, 0.1, 0.8], [0.5, 0.5]])
    np.testing.assert_allclose(found.mixtures[0], expected, atol=1e-5)
    assert found.status == "converged"


def test_the_gap_is_what_a_deviation_gains(rng):
    game = table(*rng.random((2, 3, 3)))
    rough = gane(game, kl_weight=0.2, method="fixed_point", max_iterations=2)
    assert rough.status == "max_iterations"
    values = game.deviation_payoffs(rough.mixtures)
    for player, (x, q) in enumerate(zip(rough.mixtures, values, strict=True)):
        best = 0.2 * np.log(np.mean(np.exp(q / 0.2)))
        value = x @ q - 0.2 * x @ np.log(3 * x)
        np.testing.assert_allclose(rough.gap[player], best - value, atol=1e-14)
        np.testing.assert_allclose(rough.value[player], value, atol=1e-14)


def test_weights_may_differ_between_players(rng):
    game = table(*rng.random((2, 3, 3)))
    found = gane(game, kl_weight=(0.05, 2.0))
    for player, weight in enumerate((0.05, 2.0)):
        scores = np.exp(game.deviation_payoffs(found.mixtures)[player] / weight)
        np.testing.assert_allclose(found.mixtures[player], scores / scores.sum(), atol=1e-4)


def test_three_players_and_one(rng):
    three = gane(cf.PayoffTable.from_arrays(rng.random((3, 2, 3, 4))), kl_weight=0.05)
    assert three.status == "converged"
    assert [len(x) for x in three.mixtures] == [2, 3, 4]
    one = gane(cf.PayoffTable.from_arrays([[1.0, 2.0, 4.0]]), kl_weight=0.5, reference=[[0.5, 0.3, 0.2]])
    scores = np.array([0.5, 0.3, 0.2]) * np.exp(np.array([1.0, 2.0, 4.0]) / 0.5)
    np.testing.assert_allclose(one.mixtures[0], scores / scores.sum(), atol=1e-12)
    assert one.is_unique


def test_a_symmetric_table_is_solved_as_any_other(rng):
    row = rng.random((5, 5))
    one, two = cf.PayoffTable.symmetric(row), table(row, row.T)
    found, general = gane(one, kl_weight=0.1), gane(two, kl_weight=0.1)
    np.testing.assert_allclose(found.mixtures, general.mixtures, atol=1e-5)
    assert found.mixtures[0] is found.mixtures[1]
    apart = gane(one, kl_weight=0.1, reference=[np.full(5, 0.2), [0.6, 0.1, 0.1, 0.1, 0.1]])
    assert not np.allclose(apart.mixtures[0], apart.mixtures[1])


def test_members_count_by_their_mean_or_their_certainty_equivalent(rng):
    payoffs = rng.random((2, 6, 3, 3))
    members = cf.PayoffTable.from_arrays(payoffs)
    plain = gane(table(*payoffs.mean(axis=1)), kl_weight=0.2)
    np.testing.assert_allclose(gane(members, kl_weight=0.2).mixtures, plain.mixtures, atol=1e-9)
    careful = -np.log(np.exp(-3.0 * payoffs).mean(axis=1)) / 3.0
    np.testing.assert_allclose(
        gane(members, kl_weight=0.2, risk_aversion=3.0).mixtures,
        gane(table(*careful), kl_weight=0.2).mixtures,
        atol=1e-9,
    )
    worst = gane(table(*payoffs.min(axis=1)), kl_weight=0.2)
    np.testing.assert_allclose(gane(members, kl_weight=0.2, risk_aversion=1e7).mixtures, worst.mixtures, atol=1e-5)


def test_the_default_weight_is_a_tenth_of_the_range():
    found = gane(table([[0, 5], [2, 1]], [[7, 7], [7, 7]]))
    assert found.kl_weight.tolist() == [0.5, 1.0]
    np.testing.assert_array_equal(found.mixtures[1], [0.5, 0.5])


@pytest.mark.parametrize("method", METHODS)
def test_a_game_out_of_reach_ends_with_its_gap_and_says_so(method):
    """A weight of 1e-150 of the range: indifference needs digits that doubles do not have."""
    row = 1e150 * np.array([[1.0, 0.3], [0.2, 0.9]])
    found = gane(table(row, -row + 1e149), kl_weight=0.5, method=method)
    assert found.status in ("converged", "max_iterations")
    assert np.isfinite(found.gap).all()
    assert (found.status == "converged") == bool((found.gap <= 1e-10 * 10 * 0.5).all())
    for mixture in found.mixtures:
        np.testing.assert_allclose(mixture.sum(), 1.0)


def test_iterations_that_do_not_suffice_are_not_called_converged():
    found = gane(table(*ASYMMETRIC_PENNIES), kl_weight=0.1, method="fixed_point", max_iterations=50)
    assert (found.status, found.num_iterations) == ("max_iterations", 50)
    assert found.gap.max() > 1e-3
    assert not found.is_unique


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kl_weight": 0.0}, "kl_weight must be a finite number > 0, or one for each of 2 players, got 0.0"),
        ({"kl_weight": -1.0}, "kl_weight must be a finite number > 0"),
        ({"kl_weight": np.nan}, "kl_weight must be a finite number > 0"),
        ({"kl_weight": [1.0, 2.0, 3.0]}, "kl_weight must be .* or one for each of 2 players"),
        ({"kl_weight": "much"}, "kl_weight must be a finite number > 0"),
        ({"kl_weight": 1e-305}, "kl_weight of player 0 must be at least 1e-300 of its payoff range"),
        ({"reference": [[0.5, 0.5]]}, "reference must be one array a player, 2 in all, got 1"),
        ({"reference": [[1.0, 0.0], [0.5, 0.5]]}, "reference of player 0 must be positive .* got 0 at"),
        ({"reference": [[0.5, 0.5], [0.5, 0.6]]}, "reference of player 1 must sum to 1, got a sum of 1.1"),
        ({"reference": [[0.5, 0.5], [1.5, -0.5]]}, "reference of player 1 must hold finite probabilities >= 0"),
        ({"reference": [[0.5, 0.5], [np.nan, 0.5]]}, "reference of player 1 must hold finite probabilities"),
        ({"reference": [[0.5, 0.5], [0.2, 0.3, 0.5]]}, r"reference of player 1 must have shape \[2\], got \[3\]"),
        ({"reference": "behavior"}, "reference must be one array a player"),
        (
            {"method": "guess"},
            "method must be one of auto, fixed_point, mirror_descent, homotopy, best_response_flow, got",
        ),
        ({"tolerance": 0.0}, "tolerance must be a finite number > 0"),
        ({"max_iterations": 0}, "max_iterations must be an integer >= 1"),
        ({"risk_aversion": -1.0}, "risk_aversion must be a finite number >= 0"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(InvalidArgumentError, match=f"gane: {message}"):
        gane(table(*ASYMMETRIC_PENNIES), **arguments)


def test_unknown_and_infinite_payoffs_are_refused():
    with pytest.raises(InvalidGameError, match=r"gane: the payoff of player 0 at profile \(0, 1\) is not known"):
        gane(table([[1, np.nan], [0, 1]], [[0, 1], [1, 0]]))
    with pytest.raises(InvalidGameError, match="must be finite"):
        table([[1, np.inf], [0, 1]], [[0, 1], [1, 0]])
    with pytest.raises(InvalidArgumentError, match="game must be a PayoffTable or what makes one, a TabularGame or"):
        gane("log.csv")
