"""A seller names a price, a buyer names another or takes it: a log without states, in which roles know unlike things.

Your log would come from ``pandas.read_csv``; here random play is the log. Needs pandas.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import coffee_fast as cf

PRICES = (10, 20, 30, 40)


def negotiations(num_deals: int = 300, seed: int = 0) -> pd.DataFrame:
    """One row a move: what the mover saw, did, and gained by it."""
    rng = np.random.default_rng(seed)
    rows = []
    for deal in range(num_deals):
        limit = {
            "seller": rng.integers(5, 25),
            "buyer": rng.integers(25, 50),
        }  # a cost and a value, known to their owner
        price = 0
        for move in range(6):
            who = ("seller", "buyer")[move % 2]
            said = rng.choice([*map(str, PRICES), *["accept"] * (move > 0)])
            row = {"deal": f"deal {deal}", "who": who, "limit": limit[who], "price": price, "said": said}
            is_deal = said == "accept"
            gains = (price - limit["seller"], limit["buyer"] - price) if is_deal else (0, 0)
            rows.append(row | {"gain_seller": gains[0], "gain_buyer": gains[1]})
            if is_deal:
                break
            price = int(said)
    return pd.DataFrame(rows)


def main() -> None:
    log = negotiations()
    print(log.head(4).to_string())
    columns = {"episode": "deal", "player": "who", "action": "said", "reward": "gain_"}
    columns |= {"observation": ["limit", "price"]}
    dataset = cf.TrajectoryDataset.from_transitions(None, log, columns=columns, name="negotiation")
    print(dataset.spec.describe())
    print(dataset.check())


if __name__ == "__main__":
    main()
