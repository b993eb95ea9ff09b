"""Laws of anchored equilibria: what leaves them as they are, what they are the same as."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coffee_fast as cf
from coffee_fast._reference import anchored
from coffee_fast.meta_solvers import GANE, LogitQRE
from coffee_fast.regularized import gamd, gane


@st.composite
def games(draw, max_players=3, max_size=4, min_weight=0.15):
    """Payoffs in [0, 1], one reference a player, and a weight."""
    shape = tuple(draw(st.lists(st.integers(1, max_size), min_size=2, max_size=max_players)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    payoffs = list(rng.random((len(shape), *shape)))
    reference = [rng.dirichlet(np.full(size, 2.0)) * 0.9 + 0.1 / size for size in shape]
    return payoffs, reference, draw(st.floats(min_weight, 2.0)), rng


def solve(payoffs, reference, kl_weight):
    found = gane(cf.PayoffTable.from_arrays(payoffs), kl_weight=kl_weight, reference=reference, tolerance=1e-15)
    assert found.status == "converged"
    return found


def same(first, second, atol=1e-6):
    for x, y in zip(first, second, strict=True):
        np.testing.assert_allclose(x, y, atol=atol)


@given(games())
def test_the_gap_is_the_gain_of_the_best_deviation(case):
    payoffs, reference, weight, rng = case
    mixtures = [rng.dirichlet(np.ones(len(ref))) for ref in reference]
    table = cf.PayoffTable.from_arrays(payoffs)
    logs = [np.log(x)[None] for x in mixtures]
    gap = anchored.regularized_gap(
        [p[None] for p in payoffs], [np.log(r)[None] for r in reference], np.full((1, len(payoffs)), weight), logs
    )[0]
    for player, (x, ref, q) in enumerate(zip(mixtures, reference, table.deviation_payoffs(mixtures), strict=True)):
        best = weight * np.log(ref @ np.exp(q / weight))
        np.testing.assert_allclose(gap[player], best - (x @ q - weight * x @ np.log(x / ref)), atol=1e-12)
        assert gap[player] >= 0.0


@given(games())
def test_an_equilibrium_is_its_own_best_response(case):
    payoffs, reference, weight, _ = case
    found = solve(payoffs, reference, weight)
    values = cf.PayoffTable.from_arrays(payoffs).deviation_payoffs(found.mixtures)
    for x, ref, q in zip(found.mixtures, reference, values, strict=True):
        scores = ref * np.exp(q / weight)
        np.testing.assert_allclose(x, scores / scores.sum(), atol=1e-6)


@given(games(), st.floats(0.01, 100.0))
def test_payoffs_may_be_shifted_for_each_profile_of_the_others_and_scaled_with_the_weight(case, scale):
    payoffs, reference, weight, rng = case
    found = solve(payoffs, reference, weight)
    moved = [
        scale * (p + rng.normal(size=[1 if axis == i else n for axis, n in enumerate(p.shape)]))
        for i, p in enumerate(payoffs)
    ]
    same(solve(moved, reference, weight * scale).mixtures, found.mixtures)


@given(games())
def test_players_may_change_places_and_actions_their_order(case):
    payoffs, reference, weight, rng = case
    found = solve(payoffs, reference, weight)
    players = rng.permutation(len(payoffs))
    swapped = solve([payoffs[i].transpose(players) for i in players], [reference[i] for i in players], weight)
    same([swapped.mixtures[i] for i in np.argsort(players)], found.mixtures)
    orders = [rng.permutation(len(ref)) for ref in reference]
    mixed = solve([p[np.ix_(*orders)] for p in payoffs], [r[o] for r, o in zip(reference, orders, strict=True)], weight)
    same(mixed.mixtures, [x[o] for x, o in zip(found.mixtures, orders, strict=True)])


@given(games(), st.floats(0.05, 0.95))
def test_an_action_given_twice_shares_its_mass_by_the_reference(case, share):
    payoffs, reference, weight, _ = case
    found = solve(payoffs, reference, weight)
    doubled = [np.concatenate([p[:1], p], axis=0) for p in payoffs]
    first = reference[0]
    anchors = [np.r_[share * first[0], (1 - share) * first[0], first[1:]], *reference[1:]]
    twice = solve(doubled, anchors, weight).mixtures
    same([np.r_[twice[0][0] + twice[0][1], twice[0][2:]], *twice[1:]], found.mixtures)
    np.testing.assert_allclose(twice[0][0], share * found.mixtures[0][0], atol=1e-6)


@given(games())
def test_an_anchored_game_is_the_logit_game_of_payoffs_with_the_reference_added(case):
    payoffs, reference, weight, _ = case
    offset = [
        p + weight * np.log(ref).reshape([-1 if axis == i else 1 for axis in range(p.ndim)])
        for i, (p, ref) in enumerate(zip(payoffs, reference, strict=True))
    ]
    uniform = [np.full(len(ref), 1 / len(ref)) for ref in reference]
    found, logit = solve(payoffs, reference, weight), solve(offset, uniform, weight)
    if found.is_unique or logit.is_unique:
        same(found.mixtures, logit.mixtures)
    assert logit.gap.max() <= 1e-12


@given(games())
def test_logit_quantal_response_is_gane_by_another_name(case):
    payoffs, _, weight, _ = case
    table = cf.PayoffTable.from_arrays(payoffs)
    same(LogitQRE(temperature=weight).solve(table).mixtures, GANE(kl_weight=weight).solve(table).mixtures, atol=0)


@given(games(max_players=2, min_weight=0.6))
def test_average_play_of_mirror_descent_comes_near_a_unique_equilibrium(case):
    payoffs, reference, weight, _ = case
    found = solve(payoffs, reference, weight)
    if found.is_unique:
        table = cf.PayoffTable.from_arrays(payoffs)
        average = gamd(table, kl_weight=weight, reference=reference, num_iterations=400)
        same(average.mixtures, found.mixtures, atol=0.02)


@given(games(max_players=3))
def test_the_bound_of_mirror_descent_holds(case):
    payoffs, reference, weight, _ = case
    found = gamd(cf.PayoffTable.from_arrays(payoffs), kl_weight=weight, reference=reference, num_iterations=40)
    bound = np.array([np.ptp(p) for p in payoffs]) ** 2 * (1 + np.log(40)) / (8 * weight * 40)
    assert (found.gap <= bound + 1e-12).all()
    assert found.joint.sum() == pytest.approx(1.0)
