"""A log of a small game as a tree: solve it, and say how much the log leaves open. Needs OpenSpiel."""

from __future__ import annotations

import numpy as np

import coffee_fast as cf


def main() -> None:
    game = cf.load_game("openspiel:kuhn_poker")
    log = cf.generate_dataset(game, num_trajectories=300, seed=0)  # yours comes from TrajectoryDataset.from_transitions
    tree = cf.GameTree.from_dataset(log)
    print(tree)
    oracle = cf.DDQN(hidden_sizes=(16,), num_steps=4000, replay_capacity=4000, min_replay=200, batch_size=32)
    cautious = cf.ConservativeObjective(uncertainty_penalty=1.0)  # what was never seen is worth the least
    config = cf.PSROConfig(num_iterations=6, num_simulations=500, response=oracle, objective=cautious)
    solution = cf.coffee_psro(tree, config, seed=0).solve()
    print(cf.exact_regret(tree, solution).describe())
    by_luck = [cf.exact_regret(member, solution).nash_conv for member in tree.members(100, seed=0)]
    low, high = np.quantile(by_luck, [0.05, 0.95])
    print(f"If chance is as likely as it may well be, given {log.num_trajectories} games: {low:.3f} to {high:.3f}.")
    print(f"In the true game: {cf.exact_regret(game, solution).nash_conv:.3f}.")


if __name__ == "__main__":
    main()
