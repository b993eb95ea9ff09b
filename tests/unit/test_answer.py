"""The best answer to others as they are: exact in trees, near it by learning, worth what simulations say."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.games import from_simulator

ORACLES = [
    cf.DDQN(hidden_sizes=(16,), num_steps=3000, replay_capacity=3000, min_replay=200, learning_rate=1e-3),
    cf.PolicyGradient(hidden_sizes=(16,), num_updates=25, num_episodes=200),
]


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker", "kuhn_poker(players=3)"])
def test_in_a_tree_it_is_exact(name):
    game = cf.load_game(f"openspiel:{name}")
    wanted = cf.exact_regret(game, "uniform_random")
    for seat in range(game.spec.num_players):
        found = cf.best_response(game, "uniform_random", seat, seed=0)
        assert found.payoff == pytest.approx(wanted.best_response_values[seat])
        assert found.payoff_before == pytest.approx(wanted.values[seat])
        assert found.gain == pytest.approx(wanted.regret[seat])
        seats = ["uniform_random"] * game.spec.num_players
        seats[seat] = found.policy
        assert cf.exact_regret(game, seats).values[seat] == pytest.approx(found.payoff)
        assert cf.exact_regret(game, seats).regret[seat] == pytest.approx(0.0, abs=1e-12)


def test_it_says_in_a_line_what_it_is():
    game = cf.load_game("openspiel:kuhn_poker")
    found = cf.best_response(game, "uniform_random", 0, seed=0)
    earns = f"{found.payoff:.4g} ± 0 in place of {found.payoff_before:.4g}"
    assert repr(found) == f"BestResponse('openspiel:kuhn_poker', seat 0: {earns}, found by exact)"
    assert repr(game.spec).startswith("GameSpec('openspiel:kuhn_poker', 2 players, ")


def test_a_mixture_is_answered_as_the_play_that_it_is():
    game = cf.load_game("openspiel:kuhn_poker")
    one = cf.best_response(game, "uniform_random", 0, seed=0).policy
    mixture = cf.Mixture((one, cf.UniformRandom()), np.array([0.5, 0.5]))
    found = cf.best_response(game, mixture, 1, seed=0)
    assert found.payoff == pytest.approx(cf.exact_regret(game, mixture).best_response_values[1])


class Pennies:
    """Who matches wins the other's penny, once."""

    def reset(self, random):
        return {"begun": np.ones(len(random))}

    def legal_actions(self, state):
        return np.ones((len(state["begun"]), 2, 2), bool)

    def observe(self, state):
        return np.repeat(state["begun"][:, None, None], 2, axis=1)

    def step(self, state, actions, random):
        won = np.where(actions[:, 0] == actions[:, 1], 1.0, -1.0)
        return state, np.stack([won, -won], axis=1), np.ones(len(won), bool)


def pennies():
    spec = cf.GameSpec(
        name="pennies", num_players=2, num_actions=2, action_vectors=np.eye(2), observation_size=1, history_start=1,
        state_size=2 * 1 + 2 * 2, max_episode_length=2, moves="simultaneous", player_names=("even", "odd"),
    )  # fmt: skip
    return from_simulator(spec, Pennies())


def test_elsewhere_oracles_find_it_and_the_best_of_them_counts():
    game = pennies()
    mostly_heads = cf.TablePolicy(np.ones((1, game.spec.information_state_size)), [[0.8, 0.2]])
    against = cf.Mixture((mostly_heads,), np.ones(1))
    found = cf.best_response(game, against, "odd", seed=0, response=ORACLES, num_simulations=3000)
    assert found.seat == 1
    assert found.payoff == pytest.approx(0.6, abs=5 * found.standard_error)  # by tails: 0.8 - 0.2
    assert found.payoff_before == pytest.approx(-0.36, abs=5 * found.standard_error_before)
    assert found.found_by in ("ddqn", "policy_gradient")
    again = cf.best_response(game, against, 1, seed=0, response=ORACLES, num_simulations=3000, num_threads=2)
    assert again.payoff == found.payoff


def test_it_is_played():
    found = cf.best_response(cf.load_game("openspiel:kuhn_poker"), "uniform_random", 1, seed=0)
    player = found.player(seed=3)
    player.reset()
    assert player.act(cf.load_game("openspiel:kuhn_poker").information_states[-1], [0, 1]) in (0, 1)


def test_what_does_not_fit_is_refused():
    game = cf.load_game("openspiel:kuhn_poker")
    with pytest.raises(InvalidArgumentError, match="best_response: player must be an integer >= 0 and <= 1, got 2"):
        cf.best_response(game, "uniform_random", 2, seed=0)
    with pytest.raises(InvalidArgumentError, match="one strategy a player, 2 in all, got 3"):
        cf.best_response(game, ["uniform_random"] * 3, 0, seed=0)
    with pytest.raises(InvalidArgumentError, match="must be a game or a DynamicsEnsemble"):
        cf.best_response("kuhn", "uniform_random", 0, seed=0)
