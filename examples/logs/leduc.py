"""Leduc poker: cards are dealt by chance, in the middle too, and a round begins with player 0 again. Needs pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

import coffee_fast as cf

CARDS = ("J1", "J2", "Q1", "Q2", "K1", "K2")


def winner(cards: list[int], folded: int | None) -> float:
    """Return 1 if player 0 wins, -1 if it loses, 0 for a tie: a pair with the public card, else the higher card."""
    if folded is not None:
        return -1.0 if folded == 0 else 1.0
    first, second, public = (card // 2 for card in cards)
    strength = [3 if rank == public else rank for rank in (first, second)]
    return float(np.sign(strength[0] - strength[1]))


def hands(num_hands: int = 400, seed: int = 0) -> pd.DataFrame:
    """One row a move; those of the dealer are called so, and show nobody anything before the card is seen."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for hand in range(num_hands):
        cards, chips, folded = rng.permutation(6)[:3].tolist(), [1, 1], None
        for player in range(2):
            rows.append({"hand": hand, "who": "dealer", "move": CARDS[cards[player]]})
        for betting in range(2):
            public = "none" if betting == 0 else CARDS[cards[2]]
            if betting == 1:
                rows.append({"hand": hand, "who": "dealer", "move": public})
            player, num_raises, num_calls = 0, 0, 0
            while num_calls < 2 and folded is None:
                is_behind = chips[player] < chips[1 - player]
                move = str(rng.choice(["call", *["raise"] * (num_raises < 2), *["fold"] * is_behind]))
                seen = {
                    "card": CARDS[cards[player]],
                    "public": public,
                    "own": chips[player],
                    "other": chips[1 - player],
                }
                rows.append({"hand": hand, "who": f"player {player}", "move": move, **seen})
                if move == "fold":
                    folded = player
                else:
                    chips[player] = max(chips) + (2 + 2 * betting) * (move == "raise")
                    num_raises += move == "raise"
                    num_calls = num_calls + 1 if move == "call" and (is_behind or num_calls or num_raises == 0) else 0
                    num_calls = 2 if move == "call" and is_behind else num_calls
                player = 1 - player
            if folded is not None:
                break
        won = winner(cards, folded) * min(chips)
        rows[-1] |= {"won_0": won, "won_1": -won}
    return pd.DataFrame(rows)


def main() -> None:
    log = hands()
    print(log.head(6).to_string())
    columns = {"episode": "hand", "player": "who", "action": "move", "reward": "won_"}
    columns |= {"observation": ["card", "public", "own", "other"]}
    dataset = cf.TrajectoryDataset.from_transitions(None, log, columns=columns, chance="dealer", name="leduc")
    print(dataset.spec.describe())
    print(dataset.check())


if __name__ == "__main__":
    main()
