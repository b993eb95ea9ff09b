"""Environments of PettingZoo play here as they do there, and games here pass PettingZoo's own test."""

import warnings

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.environments import from_pettingzoo, to_pettingzoo
from coffee_fast.errors import InvalidArgumentError, InvalidGameError

pettingzoo = pytest.importorskip("pettingzoo")
gymnasium = pytest.importorskip("gymnasium")
HEADS, TAILS = 0, 1


class Pennies(pettingzoo.ParallelEnv):
    """Three rounds; who matches wins."""

    metadata = {"name": "pennies"}  # noqa: RUF012
    possible_agents = ["even", "odd"]  # noqa: RUF012

    def observation_space(self, agent):
        return gymnasium.spaces.Box(0, 3, (1 + (agent == "odd"),), np.float32)

    def action_space(self, agent):
        return gymnasium.spaces.Discrete(2, start=1)

    def reset(self, seed=None, options=None):
        self.agents, self.round = list(self.possible_agents), 0
        return self.seen(), {agent: {} for agent in self.agents}

    def seen(self):
        return {"even": np.array([self.round], np.float32), "odd": np.array([self.round, 1], np.float32)}

    def step(self, actions):
        assert set(actions.values()) <= {1, 2}
        self.round += 1
        won = 1.0 if actions["even"] == actions["odd"] else -1.0
        is_over = self.round == 3
        flags = dict.fromkeys(self.agents, is_over)
        infos = {agent: {} for agent in self.agents}
        if is_over:
            self.agents = []
        return self.seen(), {"even": won, "odd": -won}, flags, flags, infos


class Guess(pettingzoo.AECEnv):
    """The first hides a number, the second guesses once; a mask forbids the number 2 to the second."""

    metadata = {"name": "guess"}  # noqa: RUF012
    possible_agents = ["hider", "seeker"]  # noqa: RUF012

    def observation_space(self, agent):
        space = gymnasium.spaces.Discrete(2)
        mask = gymnasium.spaces.Box(0, 1, (3,), np.int8)
        return gymnasium.spaces.Dict({"turn": space, "action_mask": mask})

    def action_space(self, agent):
        return gymnasium.spaces.Discrete(3)

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict(self.rewards)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self.agent_selection = "hider"

    def observe(self, agent):
        turn = self.possible_agents.index(self.agent_selection)
        return {"turn": turn, "action_mask": np.array([1, 1, agent == "hider"], np.int8)}

    def step(self, action):
        if self.terminations[self.agent_selection]:
            return self._was_dead_step(action)
        self._clear_rewards()
        if self.agent_selection == "hider":
            self.hidden, self.agent_selection = action, "seeker"
            return None
        won = 1.0 if action == self.hidden else -1.0
        self.rewards = {"hider": -won, "seeker": won}
        self.terminations = dict.fromkeys(self.agents, True)
        self.agent_selection = "hider"
        return None


def test_an_environment_of_moves_at_once_is_a_game():
    game = from_pettingzoo(Pennies, name="pennies", max_episode_length=6)
    assert (game.spec.moves, game.spec.num_players, game.spec.observation_size) == ("simultaneous", 2, 2)
    played = cf.simulate(game, ["uniform_random"] * 2, num_episodes=200, seed=0)
    assert set(np.unique(played.returns)) == {-3.0, -1.0, 1.0, 3.0}
    np.testing.assert_array_equal(played.returns.sum(axis=1), 0.0)
    again = cf.simulate(game, ["uniform_random"] * 2, num_episodes=200, seed=0)
    np.testing.assert_array_equal(again.returns, played.returns)


def test_an_environment_in_turns_is_a_game_with_its_masks():
    game = from_pettingzoo(Guess, name="guess", max_episode_length=2)
    assert game.spec.player_names == ("hider", "seeker")
    played = cf.simulate(game, ["uniform_random"] * 2, num_episodes=3000, seed=0, record=True)
    assert played.returns[:, 0].mean() == pytest.approx(1 / 3, abs=0.06)  # 1 - 2 * 1/3
    log = played.trajectories
    seeker = log["acting_player"] == 1
    assert (log["legal_mask"][seeker] == 0b011).all()  # packed
    assert set(log["action"][~seeker]) == {0, 1, 2}
    oracle = cf.DDQN(hidden_sizes=(16,), num_steps=2000, replay_capacity=2000, min_replay=200)
    found = cf.true_regret(game, "uniform_random", seed=0, response=oracle, num_simulations=1000)
    assert found.regret[0] == pytest.approx(2 / 3, abs=0.15)  # by hiding 2, which is never guessed


@pytest.mark.parametrize("name", ["generalized_bargaining", "openspiel:leduc_poker", "openspiel:kuhn_poker(players=3)"])
def test_games_pass_the_test_of_pettingzoo(name):
    from pettingzoo.test import api_test, seed_test

    game = cf.load_game(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(to_pettingzoo(game), num_cycles=60)
        seed_test(lambda: to_pettingzoo(game), num_cycles=20)


def test_a_game_there_and_back_is_the_game():
    kuhn = cf.load_game("openspiel:kuhn_poker")
    back = from_pettingzoo(lambda: to_pettingzoo(kuhn), name="kuhn", max_episode_length=3)
    assert back.spec.observation_size == kuhn.spec.information_state_size
    here, there = (
        cf.simulate(game, ["uniform_random"] * 2, num_episodes=4000, seed=0).returns.mean(axis=0)
        for game in (kuhn, back)
    )
    np.testing.assert_allclose(here, there, atol=0.1)


def test_rewards_and_ends_are_those_of_the_episode():
    environment = to_pettingzoo(cf.load_game("openspiel:kuhn_poker"))
    environment.reset(seed=4)
    total = dict.fromkeys(environment.possible_agents, 0.0)
    for agent in environment.agent_iter():
        seen, reward, is_over, _, _ = environment.last()
        total[agent] += reward
        environment.step(None if is_over else int(seen["action_mask"].argmax()))
    assert sorted(total.values()) == [-1.0, 1.0]
    with pytest.raises(InvalidArgumentError, match="call reset first"):
        environment.step(0)
    environment.reset()
    with pytest.raises(InvalidArgumentError, match="action must be a number of an action, got 'bet'"):
        environment.step("bet")


def test_what_is_no_environment_is_refused():
    with pytest.raises(InvalidArgumentError, match="must make an AECEnv or a ParallelEnv"):
        from_pettingzoo(dict, name="x", max_episode_length=3)
    with pytest.raises(InvalidArgumentError, match="make must be a function"):
        from_pettingzoo(3, name="x", max_episode_length=3)

    class Continuous(Pennies):
        def action_space(self, agent):
            return gymnasium.spaces.Box(0, 1, (1,))

    with pytest.raises(InvalidGameError, match="actions must be Discrete.*into levels"):
        from_pettingzoo(Continuous, name="x", max_episode_length=3)

    class Texts(Pennies):
        def observation_space(self, agent):
            return gymnasium.spaces.Sequence(gymnasium.spaces.Discrete(2))

    with pytest.raises(InvalidGameError, match="observations must be numbers of a fixed size"):
        from_pettingzoo(Texts, name="x", max_episode_length=3)
