"""Kuhn poker in reduced normal form: its logit equilibrium is known to six digits."""

import itertools

import numpy as np
import pytest

import coffee_fast as cf

BET, CHECK_FOLD, CHECK_CALL = range(3)  # what the first player does with a card
CARDS = range(3)
# Probabilities of its sequences at temperature 0.1, as OpenSpiel tests its magnetic mirror descent in dilated entropy:
# check, check-fold, check-call, bet, for each card.
KNOWN = np.array(
    [
        [0.75364232, 0.64695966, 0.10668266, 0.24635768],
        [0.70309809, 0.25609184, 0.44700625, 0.29690191],
        [0.47546799, 0.01290797, 0.46256001, 0.52453201],
    ]
)


def payoff(own_card, other_card, move, bets_after_check, calls_bet):
    """Of the first player."""
    sign = 1 if own_card > other_card else -1
    if move == BET:
        return 2 * sign if calls_bet else 1
    if not bets_after_check:
        return sign
    return 2 * sign if move == CHECK_CALL else -1


FIRST = list(itertools.product((BET, CHECK_FOLD, CHECK_CALL), repeat=3))  # by card
SECOND = list(itertools.product(itertools.product((False, True), repeat=2), repeat=3))


@pytest.fixture(scope="module")
def table():
    deals = list(itertools.permutations(CARDS, 2))
    payoffs = [[np.mean([payoff(i, j, x[i], *y[j]) for i, j in deals]) for y in SECOND] for x in FIRST]
    return cf.PayoffTable.from_arrays([np.array(payoffs), -np.array(payoffs)])


@pytest.mark.parametrize("method", ["auto", "homotopy", "mirror_descent"])
def test_kuhn_poker_has_the_known_logit_equilibrium(table, method):
    found = cf.regularized.gane(table, kl_weight=0.1, method=method, tolerance=1e-15, max_iterations=20_000)

    moves = np.array(FIRST)
    bet, fold, call = (found.mixtures[0] @ (moves == move) for move in (BET, CHECK_FOLD, CHECK_CALL))
    assert found.status == "converged"
    np.testing.assert_allclose(np.stack([1 - bet, fold, call, bet], axis=1), KNOWN, rtol=0, atol=3e-7)


def test_a_small_weight_earns_the_value_of_kuhn_poker(table):
    found = cf.regularized.gane(table, kl_weight=1e-3)

    assert table.expected_payoffs(found.mixtures)[0] == pytest.approx(-1 / 18, abs=1e-3 * np.log(len(SECOND)))
