"""A game of our own: two firms set prices at once, three rounds long, and are paid after each; costs are private."""

from __future__ import annotations

from typing import Any

import numpy as np

import coffee_fast as cf

PRICES = np.array([1.0, 1.5, 2.0])
COSTS = np.array([0.2, 0.8])  # as likely, of each firm for the whole episode
NUM_ROUNDS = 3
NUM_HISTORIES = len(COSTS) ** 2 * len(PRICES) ** (2 * NUM_ROUNDS)

SPEC = cf.GameSpec(
    name="repeated pricing",
    num_players=2,
    num_actions=len(PRICES),
    action_vectors=PRICES[:, None],
    observation_size=4,  # round and own cost; then, alike for both, the prices of the last round
    history_start=2,
    state_size=2 * 4 + 2 * 1,
    max_episode_length=2 * NUM_ROUNDS,
    moves="simultaneous",
    rewards="every_step",
)


class Prices:
    """Who is cheaper sells more; the more they charge together, the fewer buy at all."""

    def reset(self, random: Any) -> dict[str, Any]:
        costs = COSTS[np.stack([random.uniform() < 0.5, random.uniform() < 0.5], axis=1).astype(int)]
        return {"round": np.zeros(len(random)), "costs": costs, "last": np.zeros((len(random), 2))}

    def legal_actions(self, state: dict[str, Any]) -> Any:
        return np.ones((len(state["round"]), 2, len(PRICES)), dtype=bool)

    def observe(self, state: dict[str, Any]) -> Any:
        rounds = np.repeat(state["round"][:, None] / NUM_ROUNDS, 2, axis=1)
        last = np.repeat(state["last"][:, None], 2, axis=1)
        return np.concatenate([np.stack([rounds, state["costs"]], axis=2), last], axis=2)

    def step(self, state: dict[str, Any], actions: Any, random: Any) -> tuple[dict[str, Any], Any, Any]:
        prices = PRICES[actions]
        weights = np.exp(-2.0 * prices)
        sold = weights / (weights.sum(axis=1, keepdims=True) + np.exp(-5.0))
        after = {"round": state["round"] + 1, "costs": state["costs"], "last": prices}
        return after, sold * (prices - state["costs"]), after["round"] == NUM_ROUNDS


def game() -> Any:
    return cf.games.from_simulator(SPEC, Prices())


def tree() -> cf.GameTree:
    """The whole game as a tree: that of a log in which each history is there once, as costs are drawn evenly."""
    log = cf.generate_dataset(game(), num_trajectories=30 * NUM_HISTORIES, seed=0)
    first = log.trajectory_offsets[:-1]
    actions = log.action.reshape(log.num_trajectories, 2 * NUM_ROUNDS)
    _, chosen = np.unique(np.concatenate([log.state[first], actions], axis=1), axis=0, return_index=True)
    if len(chosen) != NUM_HISTORIES:
        raise RuntimeError(f"{len(chosen)} of {NUM_HISTORIES} histories were played")
    return cf.GameTree.from_dataset(log.select(chosen))
