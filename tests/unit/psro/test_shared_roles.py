"""A leader and two followers that are alike: three players, two roles, of which one has two seats."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.empirical import simulate_missing
from coffee_fast.empirical.profiles import new_profiles, rotations

NUM_ACTIONS = 3


def worth(leader, first, second):
    """Followers earn by matching the leader, the more if alone in it; the leader by not being matched.

    The second follower's seat is worth 1 more, whoever sits in it.
    """
    matches = np.array([first == leader, second == leader], float)
    alone = matches * (1 - matches[::-1])
    return np.array([2.0 - matches.sum(), *(matches + 2 * alone + np.array([0.0, 1.0]))])


class Market:
    """All choose once, in turn, without sight of each other."""

    def reset(self, random):
        return {"turn": np.zeros(len(random), int), "chosen": np.zeros((len(random), 3), int)}

    def player(self, state):
        return state["turn"]

    def legal_actions(self, state):
        return np.ones((len(state["turn"]), NUM_ACTIONS), bool)

    def observe(self, state):
        return np.ones((len(state["turn"]), 3, 1))

    def state_vector(self, state):
        return np.c_[state["turn"], state["chosen"]].astype(float)

    def step(self, state, actions, random):
        lanes, chosen = np.arange(len(actions)), state["chosen"].copy()
        chosen[lanes, state["turn"]] = actions
        is_over = state["turn"] == 2
        paid = np.stack([worth(*row) for row in chosen]) * is_over[:, None]
        return {"turn": state["turn"] + 1, "chosen": chosen}, paid, is_over


@pytest.fixture(scope="module")
def market():
    spec = cf.GameSpec(
        name="market",
        num_players=3,
        num_actions=NUM_ACTIONS,
        action_vectors=np.eye(NUM_ACTIONS),
        observation_size=1,
        history_start=1,
        state_size=4,
        max_episode_length=3,
        roles=(1, 2),
        role_names=("leader", "follower"),
    )
    return cf.games.from_simulator(spec, Market())


def always(action):
    bias = np.eye(NUM_ACTIONS, dtype=np.float32)[action]
    return cf.NetworkPolicy([(np.zeros((NUM_ACTIONS, 1), np.float32), bias)])


FIXED = [always(action) for action in range(NUM_ACTIONS)]


def seated_by_lot(leader, first, second):
    """What the three earn, the followers taking turns in their seats."""
    one, other = worth(leader, first, second), worth(leader, second, first)
    return np.array([(one[0] + other[0]) / 2, (one[1] + other[2]) / 2, (one[2] + other[1]) / 2])


def test_the_table_is_what_brute_force_says(market):
    game = simulate_missing(cf.EmpiricalGame(1, (1, 2)), market, [FIXED, FIXED], 4, seed=1)
    assert len(game.profiles) == 3 * 6  # followers' pairs without order
    table = game.table()
    for profile in itertools.product(range(NUM_ACTIONS), repeat=3):
        expected = seated_by_lot(*profile)
        for player in range(3):
            assert table.payoffs(player)[0][profile] == pytest.approx(expected[player]), (profile, player)


def test_a_game_that_grows_is_the_game_that_was_large_at_once(market):
    whole = simulate_missing(cf.EmpiricalGame(1, (1, 2)), market, [[cf.UniformRandom(), *FIXED]] * 2, 30, seed=1)
    grown = cf.EmpiricalGame(1, (1, 2))
    for count in (1, 2, 4):
        grown = simulate_missing(grown, market, [[cf.UniformRandom(), *FIXED][:count]] * 2, 30, seed=1, num_threads=2)
    for player in range(3):
        np.testing.assert_array_equal(grown.table().payoffs(player), whole.table().payoffs(player))
    again = cf.EmpiricalGame.from_arrays(grown.to_arrays())
    np.testing.assert_array_equal(again.table().payoffs(1), whole.table().payoffs(1))
    assert again.roles == (1, 2)


def test_players_of_a_role_trade_places_in_the_table(market):
    game = simulate_missing(cf.EmpiricalGame(1, (1, 2)), market, [[cf.UniformRandom(), *FIXED]] * 2, 20, seed=3)
    first, second = (game.table().payoffs(player)[0] for player in (1, 2))
    np.testing.assert_array_equal(first, second.swapaxes(1, 2))


def test_followers_share_strategies_mixture_and_regret(market):
    oracle = cf.DDQN(hidden_sizes=(8,), num_steps=600, replay_capacity=600, min_replay=100, learning_rate=1e-2)
    config = cf.PSROConfig(2, 20, meta_solver=cf.meta_solvers.Replicator(), response=oracle)
    result = cf.online_psro(market, config, seed=1)
    assert [len(own) for own in result.strategies] == [3, 3]
    solution = result.solve()
    assert solution.mixtures[1] is solution.mixtures[2]
    assert "leader plays" in repr(solution)
    assert result.records[-1].model_regret.shape == (3,)
    report = cf.true_regret(market, solution, 1, response=oracle, num_simulations=60)
    assert report.regret[1] == report.regret[2]
    assert len(report.deviations) == 2


def test_a_solver_that_tells_players_of_a_role_apart_is_averaged_and_says_what_that_is_worth(market):
    """One follower alone with the leader is an equilibrium of seats, and none of a role."""

    class Apart:
        kind = "apart"

        def solve(self, table):
            pure = [np.eye(NUM_ACTIONS)[action] for action in (0, 0, 1)]
            regret = table.regret(pure)
            return cf.meta_solvers.MetaSolution(tuple(pure), regret, regret, "converged", 1, "apart")

        def to_config(self):
            return {"kind": "apart"}

    table = simulate_missing(cf.EmpiricalGame(1, (1, 2)), market, [FIXED, FIXED], 4, seed=1).table()
    solution = cf.Solution.extract([FIXED, FIXED], table, Apart(), market.spec)
    np.testing.assert_allclose(solution.by_role[1].probabilities, [0.5, 0.5, 0.0])
    mixtures = [solution.by_role[role].probabilities for role in (0, 1, 1)]
    np.testing.assert_allclose(solution.model_regret, table.regret(mixtures))
    assert solution.status == "not_converged"


def test_regret_by_deviations_is_that_of_the_full_table(market):
    uniform = cf.Mixture(tuple(FIXED), np.full(3, 1 / 3))
    leader = cf.Mixture((FIXED[0],), np.ones(1))
    oracle = cf.DDQN(hidden_sizes=(8,), num_steps=300, replay_capacity=300, min_replay=100)
    report = cf.true_regret(market, [[leader, uniform, uniform]], 1, response=oracle, num_simulations=4000)[0]
    table = simulate_missing(cf.EmpiricalGame(1, (1, 2)), market, [FIXED, FIXED], 4, seed=1).table()
    expected = table.regret([[1.0, 0.0, 0.0], [1 / 3] * 3, [1 / 3] * 3])
    np.testing.assert_allclose(report.regret, expected, atol=0.1)


def test_followers_that_play_unlike_mixtures_are_no_role(market):
    profile = [FIXED[0], FIXED[1], FIXED[2]]
    with pytest.raises(cf.InvalidArgumentError, match="players of one role must play the same mixture"):
        cf.true_regret(market, [profile], 1)


def test_new_profiles_are_appended_in_order():
    assert new_profiles((1, 2), (1, 1), 0).tolist() == [[1, 0, 0]]
    assert new_profiles((1, 2), (2, 1), 1).tolist() == [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize("roles", [(1,), (2,), (3,), (1, 2), (2, 3), (1, 1, 2)])
def test_every_strategy_sits_in_each_seat_of_its_role_equally_often(roles, rng):
    for _ in range(20):
        profile = rng.integers(0, 3, size=sum(roles)).tolist()
        turned = rotations(profile, roles)
        assert sum(turned.values()) == np.prod(roles)
        first = 0
        for size in roles:
            own = sorted(profile[first : first + size])
            for seat in range(first, first + size):
                sat = sorted(seated[seat] for seated, times in turned.items() for _ in range(times))
                assert sat == sorted(own * (int(np.prod(roles)) // size))
            first += size
