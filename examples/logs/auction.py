"""Three bidders with private values bid at once; the highest pays its bid. One row a bidder. Needs pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

import coffee_fast as cf


def auctions(num_auctions: int = 400, seed: int = 0) -> pd.DataFrame:
    """One row a bid; the three bids of an auction are one step."""
    rng = np.random.default_rng(seed)
    value, bid = rng.integers(4, size=(num_auctions, 3)), rng.integers(4, size=(num_auctions, 3))
    winner = (bid + rng.uniform(0, 0.5, size=bid.shape)).argmax(axis=1)  # ties by lot
    gain = np.where(np.arange(3) == winner[:, None], value - bid, 0)
    row = np.repeat(np.arange(num_auctions), 3)
    bidder = np.tile(["Ann", "Bob", "Cy"], num_auctions)
    return pd.DataFrame(
        {"auction": row, "round": 0, "bidder": bidder, "value": value.ravel(), "bid": bid.ravel(), "gain": gain.ravel()}
    )


def main() -> None:
    log = auctions()
    print(log.head(4).to_string())
    names = {"episode": "auction", "step": "round", "player": "bidder", "action": "bid", "reward": "gain"}
    dataset = cf.TrajectoryDataset.from_transitions(
        None, log, columns={**names, "observation": "value"}, name="auction", is_symmetric=True
    )
    print(dataset.spec.describe())
    print(dataset.check())


if __name__ == "__main__":
    main()
