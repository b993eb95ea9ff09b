"""A game of your own: two firms set prices at once, round after round; arrays with a row a market in, arrays out."""

from __future__ import annotations

import sys

import numpy as np

import coffee_fast as cf

PRICES = np.array([1.0, 1.5, 2.0, 2.5])
NUM_ROUNDS = 4

SPEC = cf.GameSpec(
    name="prices",
    num_players=2,
    num_actions=len(PRICES),
    action_vectors=PRICES[:, None],
    observation_size=4,  # round, demand, and both prices of the last round, the own one first
    history_start=4,
    state_size=2 * 4 + 2 * 1,  # what both see, and the prices of this round that are not shown yet
    max_episode_length=2 * NUM_ROUNDS,  # moves of both
    roles=(2,),
    moves="simultaneous",
    rewards="every_step",
)


class Prices:
    """Demand goes up and down; who is cheaper sells more, at a cost of 1 a piece."""

    def reset(self, random):
        count = len(random)
        return {"round": np.zeros(count), "demand": 1 + random.uniform(), "last": np.zeros((count, 2))}

    def legal_actions(self, state):
        return np.ones((len(state["round"]), 2, len(PRICES)), dtype=bool)

    def observe(self, state):
        own_first = np.stack([state["last"], state["last"][:, ::-1]], axis=1)
        common = np.stack([state["round"] / NUM_ROUNDS, state["demand"]], axis=1)
        return np.concatenate([np.repeat(common[:, None], 2, axis=1), own_first], axis=2)

    def step(self, state, actions, random):
        prices = PRICES[actions]
        weights = np.exp(-3 * prices)
        sold = state["demand"][:, None] * weights / (weights.sum(axis=1, keepdims=True) + np.exp(-6))
        demand = np.clip(state["demand"] + random.uniform() - 0.5, 0.5, 2.5)
        after = {"round": state["round"] + 1, "demand": demand, "last": prices}
        return after, sold * (prices - 1), after["round"] == NUM_ROUNDS


if __name__ == "__main__":
    game = cf.games.from_simulator(SPEC, Prices())
    profits = cf.simulate(game, ["uniform_random"] * 2, num_episodes=2000, seed=0).returns
    print(f"mean profits of random prices: {profits.mean(axis=0).round(3).tolist()}")
    log = cf.generate_dataset(game, num_trajectories=200, seed=1)
    log.save(sys.argv[1])  # a new folder
    print(log.describe())
