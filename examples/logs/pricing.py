"""Two firms set prices at once, week after week, and are paid every week; each knows its own cost. Needs pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

import coffee_fast as cf


def weeks(num_markets: int = 200, num_weeks: int = 6, seed: int = 0) -> pd.DataFrame:
    """One row a week, with a column for each firm."""
    rng = np.random.default_rng(seed)
    count = num_markets * num_weeks
    price = rng.choice([1.0, 1.5, 2.0], size=(count, 2))
    cost = np.repeat(rng.choice([0.2, 0.4, 0.6], size=(num_markets, 2)), num_weeks, axis=0)
    sold = 10 * np.where(price == price[:, ::-1], 0.5, price < price[:, ::-1])
    log = pd.DataFrame({"market": np.repeat(np.arange(num_markets), num_weeks)})
    for firm, name in enumerate(("north", "south")):
        log[f"price_{name}"], log[f"cost_{name}"] = price[:, firm], cost[:, firm]
        log[f"profit_{name}"] = (price[:, firm] - cost[:, firm]) * sold[:, firm]
    return log


def main() -> None:
    log = weeks()
    print(log.head(4).to_string())
    columns = {"episode": "market", "action": "price_", "reward": "profit_"}
    columns |= {"observation": {"north": "cost_north", "south": "cost_south"}}
    # Last week's prices are in the papers.
    dataset = cf.TrajectoryDataset.from_transitions(None, log, columns=columns, name="pricing", public_moves=True)
    print(dataset.spec.describe())
    print(dataset.check())


if __name__ == "__main__":
    main()
