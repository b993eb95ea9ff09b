"""Risk-averse quantal equilibria of tables: published games, limits, uniqueness, certificates, refusals."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.risk_averse import RiskAverseGames
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gane, rqe

PAIRS = [(d, r) for d in ("kl", "reverse_kl") for r in ("log_barrier", "entropy")]
SC4 = [[7, 0], [5, 9]], [[4, 11], [6, 2]]
SC5 = [[7, 0], [4, 8]], [[2, 9], [5, 1]]
# Mazumdar, Panaganti and Shi 2025: payoffs, temperatures, risk aversions; first probability of row and column.
PUBLISHED = {
    "GHP4": (([[200, 160], [370, 10]], [[160, 10], [200, 370]]), (170, 110), (0.001, 0.06), (0.46802, 0.65420)),
    "SC1": (([[10, 0], [9, 10]], [[10, 18], [9, 8]]), (0.21, 0.555), (0.1, 100), (0.08105, 0.69201)),
    "SC2": (([[9, 0], [6, 8]], [[4, 13], [7, 5]]), (0.68, 10), (0.08, 2), (0.21423, 0.52451)),
    "SC3": (([[8, 0], [7, 10]], [[6, 14], [7, 4]]), (0.216, 0.837), (0.1, 56), (0.16361, 0.79357)),
    "SC4": (SC4, (0.35, 1.64), (0.1, 30), (0.28806, 0.73661)),
    "SC5": (SC5, (0.38, 2.7), (0.1, 10), (0.32823, 0.66483)),
}
VOLUNTEER = [[0.6, 0.6], [1.0, 0.0]]  # one who helps is enough, and pays 0.4


def table(*arrays):
    return cf.PayoffTable.from_arrays(arrays)


def random_table(seed, shape=(3, 4)):
    rng = np.random.default_rng(seed)
    return table(*(rng.normal(size=shape) for _ in shape))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_games(name):
    payoffs, temperature, risk_aversion, expected = PUBLISHED[name]
    found = rqe(table(*payoffs), temperature=temperature, risk_aversion=risk_aversion)
    assert found.status == "converged"
    np.testing.assert_allclose([x[0] for x in found.mixtures], expected, atol=6e-6)
    assert found.residual.max() < 1e-10
    product = np.prod(temperature) * np.prod(risk_aversion)
    assert found.tractability == pytest.approx(product)
    assert found.is_tractable == (product >= 1)
    assert found.is_unique == (16 * product > 1)


@pytest.mark.parametrize(
    ("payoffs", "temperature", "risk_aversion", "row", "column"),
    [(SC4, (0.4, 2.9), (0.4, 2.2), 0.28997, 0.26898), (SC5, (0.3, 3.5), (0.5, 2), 0.32500, 0.33665)],
)
def test_published_games_with_reverse_kl(payoffs, temperature, risk_aversion, row, column):
    found = rqe(
        table(*payoffs),
        temperature=temperature,
        risk_aversion=risk_aversion,
        divergence="reverse_kl",
        regularizer="entropy",
    )
    np.testing.assert_allclose([found.mixtures[0][0], found.mixtures[1][1]], [row, column], atol=6e-6)


@pytest.mark.parametrize(
    ("risk_aversion", "initial", "expected"),
    [
        (0.0, (0.9, 0.2), (0.883280, 0.195226)),
        (0.0, (0.5, 0.5), (0.555454, 0.555454)),
        (0.5, (0.9, 0.2), (0.842525, 0.280175)),
        (0.5, (0.2, 0.9), (0.280175, 0.842525)),
        (1.0, (0.9, 0.2), (0.608230, 0.608230)),
        (10.0, (0.9, 0.2), (0.794154, 0.794154)),
    ],
)
def test_volunteers_have_several_equilibria_until_risk_aversion_leaves_one(risk_aversion, initial, expected):
    found = rqe(
        table(VOLUNTEER, np.transpose(VOLUNTEER)),
        temperature=0.2,
        risk_aversion=risk_aversion,
        regularizer="entropy",
        initial=[[p, 1 - p] for p in initial],
    )
    assert found.status == "converged"
    assert not found.is_unique
    np.testing.assert_allclose([x[0] for x in found.mixtures], expected, atol=1e-6)


@pytest.mark.parametrize(("risk_aversion", "expected"), [(0.5, 0.583696), (2.0, 0.648553), (5.0, 0.726801)])
def test_symmetric_tables_keep_to_one_mixture(risk_aversion, expected):
    game = cf.PayoffTable.symmetric(VOLUNTEER)
    found = rqe(game, temperature=0.2, risk_aversion=risk_aversion, regularizer="entropy")
    np.testing.assert_allclose(found.mixtures[0][0], expected, atol=1e-6)
    np.testing.assert_array_equal(*found.mixtures)


@pytest.mark.parametrize("divergence", ["kl", "reverse_kl"])
def test_without_risk_aversion_it_is_the_logit_equilibrium(divergence):
    game = random_table(0)
    logit = gane(game, kl_weight=0.4)
    for risk_aversion in (0.0, 1e-9):
        found = rqe(game, temperature=0.4, risk_aversion=risk_aversion, divergence=divergence, regularizer="entropy")
        for x, y in zip(found.mixtures, logit.mixtures, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-7)
    assert rqe(game, temperature=10.0, risk_aversion=0.0, regularizer="entropy").is_unique


@pytest.mark.parametrize(("divergence", "regularizer"), PAIRS)
def test_much_risk_aversion_at_low_temperature_is_secure_play(divergence, regularizer):
    row, column = [[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [0.0, 3.0]]
    found = rqe(
        table(row, column), temperature=0.001, risk_aversion=1000.0, divergence=divergence, regularizer=regularizer
    )
    assert found.status == "converged"
    secure = cf.meta_solvers.Nash()
    for player, own in enumerate((np.array(row), np.array(column).T)):
        maximin = secure.solve(table(own, -own))
        np.testing.assert_allclose(found.mixtures[player], maximin.mixtures[0], atol=0.01)


@pytest.mark.parametrize(("divergence", "regularizer"), PAIRS)
def test_games_are_solved_at_low_temperature(divergence, regularizer):
    for seed in range(3):
        game = random_table(seed, (3, 4))
        found = rqe(game, temperature=0.01, risk_aversion=100.0, divergence=divergence, regularizer=regularizer)
        assert found.status == "converged"
        assert found.residual.max() < 1e-7
        for p in found.adversaries:
            assert p.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("divergence", "regularizer"), PAIRS)
def test_constant_payoffs_are_played_uniformly(divergence, regularizer):
    found = rqe(table(np.full((2, 3), 5.0), np.zeros((2, 3))), divergence=divergence, regularizer=regularizer)
    np.testing.assert_allclose(found.mixtures[0], [1 / 2] * 2, atol=1e-12)
    np.testing.assert_allclose(found.mixtures[1], [1 / 3] * 3, atol=1e-12)


@pytest.mark.parametrize(("divergence", "regularizer"), [p for p in PAIRS if p != ("kl", "entropy")])
def test_the_unique_equilibrium_is_found_from_everywhere(divergence, regularizer):
    game, rng = random_table(1), np.random.default_rng(2)
    options = {"temperature": (0.3, 0.5), "risk_aversion": (1.0, 0.7), "divergence": divergence}
    options["regularizer"] = regularizer
    found = rqe(game, **options)
    assert found.is_unique
    for _ in range(20):
        initial = [rng.dirichlet(np.ones(size)) for size in game.num_strategies]
        other = rqe(game, initial=initial, **options)
        assert other.status == "converged"
        for x, y in zip(found.mixtures, other.mixtures, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-8)
    moved = table(*(game.payoffs(i)[0] + 1e-4 * rng.uniform(-1, 1, size=(3, 4)) for i in range(2)))
    near = rqe(moved, **options)
    assert max(np.abs(x - y).max() for x, y in zip(found.mixtures, near.mixtures, strict=True)) < 1e-3


@pytest.mark.parametrize(("divergence", "regularizer"), PAIRS)
def test_no_mixture_is_better_against_the_worst_view_of_the_others(divergence, regularizer):
    """By brute force: all mixtures of two strategies, all adversaries of two strategies."""
    payoffs, temperature, tau = np.array(SC4[0], dtype=float), 0.5, 2.0
    found = rqe(table(*SC4), temperature=0.5, risk_aversion=tau, divergence=divergence, regularizer=regularizer)
    q, p = found.mixtures[1], np.linspace(1e-7, 1 - 1e-7, 20_001)
    worst = np.stack([p, 1 - p])
    first, second = (worst, q[:, None]) if divergence == "kl" else (q[:, None], worst)
    price = (first * np.log(first / second)).sum(axis=0) / tau

    def objective(x):
        nu = -np.log(x).sum() if regularizer == "log_barrier" else (x * np.log(x)).sum()
        return (x @ payoffs @ worst + price).min() - temperature * nu

    grid = [objective(np.array([x, 1 - x])) for x in np.linspace(0.001, 0.999, 999)]
    assert max(grid) <= objective(found.mixtures[0]) + 1e-9
    assert found.value[0] == pytest.approx(objective(found.mixtures[0]), abs=1e-6)
    least = p[(found.mixtures[0] @ payoffs @ worst + price).argmin()]
    assert found.adversaries[0][0] == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize(("divergence", "regularizer"), PAIRS)
def test_three_players_guard_against_joint_play(divergence, regularizer):
    game = random_table(3, (2, 3, 4))
    options = {"temperature": (0.3, 0.4, 0.5), "risk_aversion": (2.0, 1.0, 0.5), "divergence": divergence}
    found = rqe(game, regularizer=regularizer, **options)
    assert found.status == "converged"
    assert found.residual.max() < 1e-9
    assert [p.shape for p in found.adversaries] == [(3, 4), (2, 4), (2, 3)]
    assert found.tractability == pytest.approx(0.5 * 0.5 * 0.4 * 1.0)
    assert not found.is_tractable
    # Players and strategies by other names play alike.
    order = [2, 0, 1]
    renamed = table(*(game.payoffs(i)[0].transpose(order)[::-1] for i in order))
    options = {k: [v[i] for i in order] if isinstance(v, tuple) else v for k, v in options.items()}
    other = rqe(renamed, regularizer=regularizer, **options)
    np.testing.assert_allclose(other.mixtures[0][::-1], found.mixtures[2], atol=1e-9)
    np.testing.assert_allclose(other.mixtures[1], found.mixtures[0], atol=1e-9)
    np.testing.assert_allclose(other.value, found.value[order], atol=1e-9)


def test_many_risk_averse_players_have_one_equilibrium():
    game, rng = random_table(4, (2, 2, 2)), np.random.default_rng(5)
    found = rqe(game, temperature=1.0, risk_aversion=1.1)
    assert found.is_unique
    for _ in range(5):
        other = rqe(game, temperature=1.0, risk_aversion=1.1, initial=rng.dirichlet(np.ones(2), size=3))
        np.testing.assert_allclose(other.mixtures, found.mixtures, atol=1e-8)
    assert not rqe(game, temperature=1.0, risk_aversion=0.9).is_unique


def test_units_and_offsets_of_payoffs_do_not_matter():
    game = random_table(6)
    found = rqe(game, temperature=0.3, risk_aversion=2.0)
    other = rqe(table(*(100 * game.payoffs(i)[0] + 1e4 for i in range(2))), temperature=30, risk_aversion=0.02)
    for x, y in zip(found.mixtures, other.mixtures, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-9)
    np.testing.assert_allclose(other.gap, 100 * found.gap, atol=1e-9)


def test_members_count_with_their_certainty_equivalent():
    low, high = np.array([[1.0, 0.0], [0.4, 0.4]]), np.array([[1.0, 0.8], [0.4, 0.4]])
    members = cf.PayoffTable.from_arrays([[low, high], [low.T, high.T]])
    mean = table((low + high) / 2, (low + high).T / 2)
    np.testing.assert_array_equal(rqe(members).mixtures[0], rqe(mean).mixtures[0])
    wary = rqe(members, temperature=0.1, risk_aversion=1.0, environment_risk_aversion=1e4)
    least = rqe(table(low, low.T), temperature=0.1, risk_aversion=1.0)
    np.testing.assert_allclose(wary.mixtures[0], least.mixtures[0], atol=1e-3)


def test_hard_games_end_with_a_status_and_a_gap():
    game = random_table(0, (2, 3))
    found = rqe(game, temperature=1e-4, risk_aversion=1e5, max_iterations=3)
    assert found.status == "max_iterations"
    assert np.isfinite(found.gap).all()
    assert found.gap.max() > 0
    for x in found.mixtures:
        assert x.sum() == pytest.approx(1.0)


def test_one_player_and_one_strategy():
    assert rqe(table([1.0, 2.0]), temperature=1.0, regularizer="entropy").is_unique
    found = rqe(table([1.0, 2.0]), temperature=1.0, regularizer="entropy")
    np.testing.assert_allclose(found.mixtures[0], np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum())
    assert rqe(table(np.ones((1, 1)), np.ones((1, 1)))).status == "converged"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "rqe: temperature must be a finite number > 0"),
        ({"temperature": (1.0, 2.0, 3.0)}, "one for each of 2 players"),
        ({"risk_aversion": -1.0}, "risk_aversion must be >= 0"),
        ({"risk_aversion": float("inf")}, "rqe: risk_aversion must be a finite number"),
        ({"divergence": "tv"}, "divergence must be one of kl, reverse_kl, got 'tv'"),
        ({"regularizer": "l2"}, "regularizer must be one of log_barrier, entropy"),
        ({"initial": [[0.5, 0.5]]}, "one array a player, 2 in all"),
        ({"initial": [[0.5, 0.6], [0.5, 0.5]]}, "initial of player 0 must hold probabilities"),
        ({"discount": 0.9}, "discount is for tabular games"),
        ({"tolerance": 0.0}, "rqe: tolerance"),
        ({"max_iterations": 0}, "rqe: max_iterations"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        rqe(table(*SC4), **options)


def test_unknown_payoffs_are_refused():
    with pytest.raises(InvalidGameError, match=r"rqe: the payoff of player 0 at profile \(0, 0\) is not known"):
        rqe(table([[np.nan, 1], [0, 0]], np.zeros((2, 2))))
    with pytest.raises(InvalidArgumentError, match="rqe: game must be a PayoffTable"):
        rqe([[1, 2]])


def test_any_adversary_bounds_what_a_player_could_gain():
    """By brute force over the player's mixtures; the worst adversary's own loss is part of the bound."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        payoffs = [np.tile(rng.normal(size=(1, 2, 2)), (999, 1, 1)) for _ in range(2)]
        uniform = [np.full((999, 2), np.log(0.5))] * 2
        games = RiskAverseGames.of(payoffs, np.full((999, 2), 3.0), uniform, "reverse_kl", "entropy")
        x, q, *p = (np.tile(np.log(rng.dirichlet(np.ones(2))), (999, 1)) for _ in range(4))
        grid = np.linspace(0.001, 0.999, 999)
        others = games.value([np.log(np.stack([grid, 1 - grid], axis=1)), q])
        gain = others[:, 0].max() - games.value([x, q])[0, 0]
        assert games.saddle_gap([x, q], p)[0, 0] >= gain - 1e-12
        assert games.gap([x, q])[0, 0] >= gain - 1e-12
        exact = [np.log(games.adversary(i, [x, q]).p) for i in range(2)]
        np.testing.assert_allclose(games.saddle_gap([x, q], exact), games.gap([x, q]), atol=1e-9)


def test_payoffs_that_dwarf_the_temperature_are_answered_alike_in_all_units():
    """Adversaries may choose what is played with no probability that a number can hold: it is legal all the same."""
    payoffs = np.stack([np.random.default_rng(seed).normal(size=(4, 5)) for seed in (0, 1)])
    options = {"temperature": 0.5, "risk_aversion": 1.0, "divergence": "reverse_kl", "regularizer": "entropy"}
    near, far = (rqe(table(*(unit * payoffs)), **options) for unit in (1e20, 1e100))
    for one, other in zip(near.mixtures, far.mixtures, strict=True):
        assert one.max() < 0.9
        np.testing.assert_allclose(other, one, atol=1e-6)


@pytest.mark.parametrize("seed", [957, 1181])
def test_what_newton_steps_leave_without_any_probability_is_legal_all_the_same(seed):
    """Their logarithms fall to -1e270 here, far below the mark of what is not legal."""
    rng = np.random.default_rng(seed)
    payoffs = [rng.normal(size=(2, 10)) * 10.0 ** rng.integers(0, 8, size=(2, 10)) for _ in range(2)]
    found = rqe(table(*payoffs), temperature=0.5, risk_aversion=1.0, divergence="reverse_kl", regularizer="entropy")
    legal = [np.full((1, size), -np.log(size)) for size in (2, 10)]
    games = RiskAverseGames.of([2.0 * u[None] for u in payoffs], np.full((1, 2), 0.5), legal, "reverse_kl", "entropy")
    with np.errstate(divide="ignore"):
        mixtures, adversaries = (
            [np.maximum(np.log(x.ravel()), -700.0)[None] for x in parts]
            for parts in (found.mixtures, found.adversaries)
        )
    gap = np.minimum(games.gap(mixtures), games.saddle_gap(mixtures, adversaries))
    assert found.status == "converged"
    assert (0.5 * gap < 1e-6).all()
