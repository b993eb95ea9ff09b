"""Robust Markov games: what they are without fear, with all of it, for one player, and about kernels of the set."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, NumericalError
from coffee_fast.meta_solvers import Nash
from coffee_fast.regularized import robust_expectation, robust_nash, robust_q_ftrl
from coffee_fast.regularized.robust.environment import Environment, judged
from coffee_fast.regularized.robust.expectation import Uncertainty

SOLVERS = [robust_nash, lambda game, **options: robust_q_ftrl(game, num_iterations=200, **options)]
NAMES = ["nash", "q_ftrl"]
SETS = [
    ("total_variation", {"radius": 0.2}),
    ("kl", {"radius": 0.1}),
    ("contamination", {"radius": 0.2}),
    ("chi_squared", {"weight": 0.5}),
    ("kl", {"weight": 0.5}),
]


def random_game(sizes, horizon=3, num_states=3, seed=0):
    rng = np.random.default_rng(seed)
    cells = (horizon, num_states, *sizes)
    moves = rng.dirichlet(np.ones(num_states), size=cells)
    return cf.TabularGame(rng.normal(size=(len(sizes), *cells)), moves, np.ones(num_states) / num_states)


def zero_sum(seed=0):
    game = random_game((3, 2), seed=seed)
    return cf.TabularGame(np.stack([game.rewards[0], -game.rewards[0]]), game.transitions, game.initial)


def play_values(game, policies, moves):
    """Return what policies are worth to each player, ``[N]``, if the kernel is ``moves``."""
    following = np.zeros((game.num_players, game.num_states))
    for step in reversed(range(game.horizon)):
        joint = policies[0][step]
        for policy in policies[1:]:
            joint = joint[..., None] * policy[step].reshape(len(joint), *[1] * (joint.ndim - 1), -1)
        q = game.rewards[:, step]
        if step + 1 < game.horizon:
            q = q + np.stack([moves[step] @ values for values in following])
        following = (joint * q).reshape(game.num_players, game.num_states, -1).sum(axis=2)
    return following @ game.initial


def robust_decisions(game, **options):
    """Return the value of the robust decision problem of one player, by induction over its definition."""
    following = np.zeros(game.num_states)
    for step in reversed(range(game.horizon)):
        q = game.rewards[0, step]
        if step + 1 < game.horizon:
            q = q + robust_expectation(following, game.transitions[step], **options)
        following = q.max(axis=1)
    return following @ game.initial


def test_without_fear_it_is_nash_value_iteration():
    game = zero_sum()
    found, values = robust_nash(game, radius=0.0), np.zeros(3)
    for step in reversed(range(game.horizon)):
        q = game.rewards[0, step] + (game.transitions[step] @ values if step + 1 < game.horizon else 0.0)
        mixtures = [Nash().solve(cf.PayoffTable.from_arrays([payoffs, -payoffs])).mixtures for payoffs in q]
        values = np.array([x @ payoffs @ y for (x, y), payoffs in zip(mixtures, q, strict=True)])
        np.testing.assert_allclose(found.values[0, step], values, atol=1e-9)
    assert found.status == "converged"
    np.testing.assert_allclose(found.value, found.nominal_value)
    learned = robust_q_ftrl(game, radius=0.0, num_iterations=500)
    np.testing.assert_allclose(learned.value, found.value, atol=0.15)
    np.testing.assert_allclose(learned.value, learned.nominal_value)


@pytest.mark.parametrize("solve", SOLVERS, ids=NAMES)
def test_who_fears_everything_gets_the_worst_state(solve):
    game = random_game((2, 3))
    found = solve(game, radius=1.0)
    first = found.values[:, 0]
    joint = np.stack([np.einsum("sa,sb->sab", *(p[0] for p in found.policies))] * 2)
    if hasattr(found, "joint"):
        joint = np.stack([found.joint[0]] * 2)
    earned = (joint * game.rewards[:, 0]).sum(axis=(2, 3))
    np.testing.assert_allclose(first, earned + found.values[:, 1].min(axis=1, keepdims=True), atol=1e-10)


@pytest.mark.parametrize(("distance", "strength"), SETS)
def test_one_player_faces_a_robust_decision_problem(distance, strength):
    game = random_game((4,))
    expected = robust_decisions(game, distance=distance, **strength)
    exact = robust_nash(game, distance=distance, **strength)
    assert exact.value[0] == pytest.approx(expected, abs=1e-10)
    learned = robust_q_ftrl(game, distance=distance, num_iterations=300, **strength)
    assert expected - 0.1 <= learned.value[0] <= expected + 1e-9
    # What it lacks is its gap, which thus is exact.
    assert learned.value[0] + learned.gap[0] == pytest.approx(expected, abs=1e-9)


def test_more_fear_is_worth_less():
    game = random_game((4,))
    values = [robust_nash(game, radius=radius).value[0] for radius in (0.0, 0.1, 0.3, 0.6, 1.0)]
    assert np.all(np.diff(values) < 0)
    prices = [robust_nash(game, distance="chi_squared", weight=weight).value[0] for weight in (0.1, 1.0, 10.0, 1e6)]
    assert np.all(np.diff(prices) > 0)
    assert prices[-1] == pytest.approx(values[0], abs=1e-5)


def test_no_kernel_of_the_set_makes_play_worth_less():
    game = random_game((3, 2), horizon=4)
    found, rng = robust_nash(game, radius=0.2), np.random.default_rng(1)
    for _ in range(50):
        other = rng.dirichlet(np.full(3, 0.2), size=game.transitions.shape[:-1])
        moved = 0.5 * np.abs(other - game.transitions).sum(axis=-1, keepdims=True)
        share = np.minimum(0.2 / moved, 1.0)
        moves = game.transitions + share * (other - game.transitions)
        assert (play_values(game, found.policies, moves) >= found.value - 1e-10).all()
    np.testing.assert_allclose(play_values(game, found.policies, game.transitions), found.nominal_value)


def test_the_gap_of_any_play_is_what_the_best_response_gains():
    game = random_game((4,))
    environment = Environment(game, Uncertainty.of("test", "kl", 0.1, None, 1), np.zeros(1))
    figures = judged(environment, [np.full((3, 3, 4), 0.25)])
    assert figures.value[0] + figures.gap[0] == pytest.approx(robust_decisions(game, distance="kl", radius=0.1))
    assert figures.gap[0] > 1.0


@pytest.mark.parametrize("sizes", [(3, 3), (2, 2, 2)])
def test_gaps_of_equilibria_are_rounding_and_those_of_rounds_fall(sizes):
    game = random_game(sizes)
    exact = robust_nash(game, radius=(0.1, 0.3, 0.2)[: len(sizes)])
    assert exact.status == "converged"
    assert exact.gap.max() < 1e-12
    short, long = (robust_q_ftrl(game, radius=0.2, num_iterations=k) for k in (40, 400))
    assert long.gap.max() < 0.5 * short.gap.max()
    assert short.status == "max_iterations"


def test_the_gap_of_rounds_is_what_a_deviation_gains():
    """The best single policy against the rounds, found by enumeration in a game of two steps."""
    game = random_game((2, 2), horizon=2, num_states=2)
    found = robust_q_ftrl(game, radius=0.2, num_iterations=20)
    weights = found.round_weights
    assert weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(np.tensordot(weights, found.rounds[1], axes=1), found.policies[1])

    def worth(player, values, choose):
        """Return values of the first states if ``player`` acts by ``choose(step, k) [S, A]``."""
        for step in (1, 0):
            total = np.zeros(2)
            for k, share in enumerate(weights):
                other = found.rounds[1 - player][k, step]
                order = "sab,sb->sa" if player == 0 else "sab,sa->sb"
                q = np.einsum(order, game.rewards[player, step], other)
                if step == 0:
                    met = np.stack([np.einsum(order, game.transitions[0][..., t], other) for t in range(2)], axis=-1)
                    q = q + robust_expectation(values, met, "total_variation", radius=0.2)
                total += share * (choose(step, k) * q).sum(axis=1)
            values = total
        return values @ game.initial

    for player in range(2):
        own = worth(player, None, lambda step, k, i=player: found.rounds[i][k, step])
        assert own == pytest.approx(found.value[player], abs=1e-12)
        plans = np.eye(2)[np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T].reshape(-1, 2, 2, 2)
        best = max(worth(player, None, lambda step, k, plan=plan: plan[step]) for plan in plans)
        assert found.gap[player] == pytest.approx(best - own, abs=1e-12)


@pytest.mark.parametrize("solve", SOLVERS, ids=NAMES)
def test_logs_with_holes_ask_what_a_hole_is_worth_and_ends_are_feared(solve):
    log = {
        "state": [0, 1, 0, 2, 0],
        "action": [[0, 0], [0, 0], [1, 0], [0, 0], [0, 1]],
        "reward": [[0, 0], [1, 2], [0, 0], [2, 1], [0.5, 0.5]],
        "trajectory": [0, 0, 1, 1, 2],
    }
    with pytest.raises(InvalidGameError, match="7 cells are empty"):
        solve(log)
    found = solve(log, unseen_value=-1.0, radius=0.25)
    # A quarter of what follows the first step may be the end instead, as the episode can end there: 0.75 * 2 and so on.
    np.testing.assert_allclose(found.value, [1.5, 0.75], atol=1e-9 if solve is robust_nash else 0.2)
    np.testing.assert_allclose(found.values[:, 1, 1:], [[1, 2], [2, 1]], atol=1e-9 if solve is robust_nash else 0.2)
    assert "table of 5 logged steps" in found.about


@pytest.mark.parametrize("solve", SOLVERS, ids=NAMES)
def test_what_is_not_legal_is_not_played(solve):
    legal = (np.ones((2, 2, 2), dtype=bool), np.array([[[True, False, True], [True, True, True]]] * 2))
    base = random_game((2, 3), horizon=2, num_states=2)
    rewards, moves = base.rewards.copy(), base.transitions.copy()
    rewards[:, :, 0, :, 1], moves[:, 0, :, 1] = 1e6, 0.0
    found = solve(cf.TabularGame(rewards, moves, base.initial, legal), radius=0.2)
    assert (found.policies[1][:, 0, 1] == 0.0).all()
    other = moves.copy()
    other[:, 0, :, 1] = 0.5
    again = solve(cf.TabularGame(np.where(rewards == 1e6, -7.0, rewards), other, base.initial, legal), radius=0.2)
    np.testing.assert_allclose(again.value, found.value, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"radius": -0.1}, InvalidArgumentError, "radius must be at least 0, got -0.1"),
        ({"radius": 1.5, "distance": "contamination"}, InvalidArgumentError, "radius must be between 0 and 1"),
        ({"radius": 0.1, "weight": 1.0}, InvalidArgumentError, "exactly one of radius and weight"),
        ({"distance": "chi_squared"}, InvalidArgumentError, r"distance \(with a radius\) must be one of"),
        ({"weight": 0.0}, InvalidArgumentError, "weight must be a finite number > 0"),
        ({"radius": [0.1, 0.2, 0.3]}, InvalidArgumentError, "one for each of 2 players"),
        ({"game": [[1.0, 2.0], [3.0, 4.0]]}, InvalidArgumentError, "a payoff table has no transitions to fear"),
        ({"game": cf.TabularGame(np.full((1, 1, 1, 2), 1e305))}, NumericalError, "leave the finite numbers"),
    ],
)
@pytest.mark.parametrize("solve", SOLVERS, ids=NAMES)
def test_bad_arguments_are_refused_with_a_sentence(solve, options, error, message):
    with pytest.raises(error, match=message):
        solve(**{"game": random_game((2, 2)), **options})


def test_too_many_rounds_are_refused():
    with pytest.raises(InvalidArgumentError, match="lower num_iterations"):
        robust_q_ftrl(random_game((2, 2)), num_iterations=10**8)


@pytest.mark.parametrize("solve", SOLVERS, ids=NAMES)
@pytest.mark.parametrize("scale", [1e-200, 1e150])
def test_units_of_payoff_change_nothing(solve, scale):
    game = random_game((2, 3))
    scaled = cf.TabularGame(game.rewards * scale, game.transitions, game.initial)
    found, other = solve(game, radius=0.2), solve(scaled, radius=0.2)
    np.testing.assert_allclose(other.value / scale, found.value, rtol=1e-6)
    assert found.status == other.status
