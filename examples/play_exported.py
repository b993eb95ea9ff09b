"""Play a solution that ``solution.export(folder)`` wrote, with NumPy and nothing else: copy what is between the lines.

Run as it stands, it exports a small solution first, which needs coffee_fast, and then plays it without.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

# ---------------------------------------------------------------------------------------------------------------------


class ExportedPlayer:
    def __init__(self, folder, seed=0):
        self.folder, self.rng = Path(folder), np.random.default_rng(seed)
        self.about = json.loads((self.folder / "solution.json").read_text())
        self.reset()

    def reset(self):
        """Begin an episode: draw the strategy that is played to its end."""
        self.drawn = int(self.rng.choice(len(self.about["strategies"]), p=self.about["probabilities"]))
        self.weights = np.load(self.folder / f"strategy-{self.drawn}.npz", allow_pickle=False)

    def act(self, information_state, legal_actions):
        """Return an action for float32 [I] and a list of action numbers."""
        legal = np.sort(np.asarray(legal_actions))
        p = self.probabilities(self.about["strategies"][self.drawn], np.asarray(information_state, np.float32), legal)
        return int(self.rng.choice(legal, p=p))

    def probabilities(self, strategy, information_state, legal, prefix=""):
        if strategy["policy"] == "uniform_random":
            return np.full(len(legal), 1 / len(legal))
        if strategy["policy"] == "per_step_mixture":
            parts = enumerate(zip(strategy["weights"], strategy["components"], strict=True))
            return sum(w * self.probabilities(c, information_state, legal, f"component{i}.") for i, (w, c) in parts)
        values, last = information_state, strategy["num_layers"] - 1
        for layer in range(last + 1):
            weight, bias = (self.weights[f"{prefix}layer{layer}.{name}"] for name in ("weight", "bias"))
            values = weight @ values + bias
            values = np.maximum(values, 0) if layer < last else values[legal].astype(float)
        if strategy["kind"] == "greedy":
            return np.eye(len(legal))[values.argmax()]
        odds = np.exp((values - values.max()) / strategy["temperature"])
        return odds / odds.sum()


# ---------------------------------------------------------------------------------------------------------------------


def export_small_solution(folder: Path):
    """Export what one short search in the true game finds, and return the game."""
    import coffee_fast as cf

    game = cf.load_game("generalized_bargaining")
    response = cf.DDQN(hidden_sizes=(16,), num_steps=500, min_replay=100)
    config = cf.PSROConfig(num_iterations=2, num_simulations=50, response=response)
    cf.online_psro(game, config, seed=1).solve(cf.meta_solvers.Uniform()).export(folder)
    return game


def main() -> None:
    folder = Path(sys.argv[1])
    game = export_small_solution(folder)
    players = [ExportedPlayer(folder, seed) for seed in (0, 1)]
    returns = []
    for episode in range(100):
        state = game.new_state(seed=episode)
        for player in players:
            player.reset()
        while not state.is_terminal():
            seat = state.current_player()
            state.apply_action(players[seat].act(state.information_state(seat), state.legal_actions()))
        returns.append(state.returns())
    print("100 episodes, mean returns:", np.mean(returns, axis=0).round(2))


if __name__ == "__main__":
    main()
