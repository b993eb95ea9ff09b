import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coffee_fast as cf
from coffee_fast.games import matrix

GAMES = [
    matrix.prisoners_dilemma(),
    matrix.matching_pennies(),
    matrix.rock_paper_scissors(),
    matrix.stag_hunt(),
    matrix.battle_of_the_sexes(),
    matrix.chicken(),
    matrix.three_player_majority(),
]


@st.composite
def tables_and_mixtures(draw, num_mixtures=1):
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = cf.PayoffTable.from_arrays([rng.normal(size=(draw(st.integers(1, 4)), *shape))] * len(shape))
    profiles = [[rng.dirichlet(np.full(size, 0.5)) for size in shape] for _ in range(num_mixtures)]
    return table, *profiles


@given(tables_and_mixtures())
def test_regret_is_not_negative_and_bounded_from_above(case):
    table, mixtures = case
    bound = table.pessimistic_regret(mixtures)
    assert (table.regret(mixtures) >= 0).all()
    assert (table.regret(mixtures) <= bound + 1e-12).all()
    for member in range(table.num_members):
        assert (table.member(member).regret(mixtures) <= bound + 1e-12).all()


@given(tables_and_mixtures())
def test_pessimistic_is_below_the_mean_and_that_below_optimistic(case):
    table, mixtures = case
    pessimistic, optimistic = table.pessimistic_payoffs(mixtures), table.optimistic_payoffs(mixtures)
    expected = table.expected_payoffs(mixtures)
    assert (pessimistic <= expected + 1e-12).all()
    assert (expected <= optimistic + 1e-12).all()
    for low, mean, high in zip(
        table.pessimistic_deviation_payoffs(mixtures),
        table.deviation_payoffs(mixtures),
        table.optimistic_deviation_payoffs(mixtures),
        strict=True,
    ):
        assert (low <= mean + 1e-12).all()
        assert (mean <= high + 1e-12).all()


@given(tables_and_mixtures(num_mixtures=2), st.floats(0, 1))
def test_deviation_payoffs_are_linear_in_each_opponents_mixture(case, weight):
    table, mixtures, others = case
    for opponent in range(table.num_players):
        other = [*mixtures[:opponent], others[opponent], *mixtures[opponent + 1 :]]
        blend = list(mixtures)
        blend[opponent] = weight * mixtures[opponent] + (1 - weight) * others[opponent]
        for player in set(range(table.num_players)) - {opponent}:
            expected = (
                weight * table.deviation_payoffs(mixtures)[player]
                + (1 - weight) * table.deviation_payoffs(other)[player]
            )
            np.testing.assert_allclose(table.deviation_payoffs(blend)[player], expected, atol=1e-12)


@given(tables_and_mixtures())
def test_the_expected_payoff_is_the_mean_deviation_payoff(case):
    table, mixtures = case
    deviations = table.deviation_payoffs(mixtures)
    np.testing.assert_allclose(
        table.expected_payoffs(mixtures), [x @ u for x, u in zip(mixtures, deviations, strict=True)], atol=1e-12
    )


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_regret_is_zero_at_known_equilibria_and_nowhere_near_them_else(game):
    table = cf.PayoffTable.from_arrays(game.payoffs)
    for profile in game.equilibria:
        assert table.regret(profile).max() <= 1e-15
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert table.regret([rng.dirichlet(np.ones(size)) for size in table.num_strategies]).max() > 1e-6
