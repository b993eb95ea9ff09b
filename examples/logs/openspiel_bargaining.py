"""OpenSpiel's bargaining: a log written by its own names, list-valued cells included. Needs pandas and OpenSpiel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyspiel

import coffee_fast as cf


def deals(num_deals: int = 200, seed: int = 0) -> pd.DataFrame:
    """One row a move of random play; chance draws pool and values before, which players see."""
    game, rng = pyspiel.load_game("bargaining"), np.random.default_rng(seed)
    rows = []
    for deal in range(num_deals):
        state = game.new_initial_state()
        state.apply_action(int(rng.choice([outcome for outcome, _ in state.chance_outcomes()])))
        while not state.is_terminal():
            player, instance = state.current_player(), state.instance()
            action = int(rng.choice(state.legal_actions()))
            if rng.random() < 0.3 and state.agree_action() in state.legal_actions():
                action = state.agree_action()
            row = {"deal": deal, "player": player, "action": action, "mask": state.legal_actions_mask(player)}
            row |= {"pool": list(instance.pool), "values": list(instance.values[player])}
            state.apply_action(action)
            rows.append(row | {f"return_{seat}": state.rewards()[seat] for seat in range(2)})
    return pd.DataFrame(rows)


def main() -> None:
    log = deals()
    print(log.drop(columns="mask").head(4).to_string())
    columns = {"episode": "deal", "observation": ["pool", "values"], "reward": "return_", "legal_mask": "mask"}
    dataset = cf.TrajectoryDataset.from_transitions(
        None, log, columns=columns, name="openspiel:bargaining", public_moves=True, behavior="uniform, agrees by a coin"
    )
    print(dataset.spec.describe())
    print(dataset.check())


if __name__ == "__main__":
    main()
