"""Bring a log of your own: a data frame with one row an action becomes a dataset.

Two players split a cake. In turn, each accepts what the other leaves or asks for another share. Here random play is
the log; yours would come from a database or ``pandas.read_parquet``. Needs pandas.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import coffee_fast as cf

NUM_SHARES = 4  # ask for 1/4, 2/4, 3/4 or 4/4 of the cake
ACCEPT = NUM_SHARES
MAX_MOVES = 5

# Describe the game that was played: what the columns below mean, and how large they are.
SPEC = cf.GameSpec(
    name="cake",
    num_players=2,
    num_actions=NUM_SHARES + 1,
    action_vectors=np.array([[share / NUM_SHARES] for share in range(1, NUM_SHARES + 1)] + [[-1.0]]),
    state_size=5,  # moves made, last share asked for, what the cake is worth to each player, player on move
    observation_size=3,  # moves made, what the cake is worth to me, last share asked for
    history_start=2,  # from here on an observation shows the last move
    max_episode_length=MAX_MOVES,
    is_symmetric=True,
    state_swap=(0, 1, 3, 2, 4),  # the same state with the players exchanged ...
    state_flip=(4,),  # ... where the other one is on move
)


def play(rng: np.random.Generator, game: int) -> list[dict[str, object]]:
    """Return one logged episode: what was there before each action, the action, and what it paid."""
    worth = rng.uniform(1, 2, size=2)
    asked, mover, rows = 0.0, int(rng.integers(2)), []
    for move in range(MAX_MOVES):
        legal = np.ones(NUM_SHARES + 1, dtype=int)
        legal[ACCEPT] = move > 0
        action = int(rng.choice(np.flatnonzero(legal)))
        reward = [0.0, 0.0]
        if action == ACCEPT:
            reward[mover], reward[1 - mover] = worth[mover] * (1 - asked), worth[1 - mover] * asked
        rows.append(
            {
                "trajectory": f"game-{game}",
                "state": [move, asked, *worth, mover],
                "observation": [[move, worth[player], asked] for player in range(2)],
                "action": action,
                "acting_player": mover,
                "legal_mask": legal,
                "reward": reward,
            }
        )
        if action == ACCEPT:
            break
        asked, mover = (action + 1) / NUM_SHARES, 1 - mover
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="new folder for the dataset")
    parser.add_argument("--num-games", type=int, default=200)
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    log = pd.DataFrame([row for game in range(options.num_games) for row in play(rng, game)])
    print(log.head(3).to_string())

    dataset = cf.TrajectoryDataset.from_transitions(SPEC, log, behavior="people at the table")
    dataset.save(options.folder)
    print(cf.TrajectoryDataset.load(options.folder).describe())
    print(dataset.check())  # what would lead a model of this log astray

    # Every fault in a log is named by trajectory and step before anything is learned from it.
    broken = log.assign(acting_player=log["acting_player"].where(log.index != 7, 2))
    try:
        cf.TrajectoryDataset.from_transitions(SPEC, broken)
    except cf.DatasetError as error:
        print(f"with a player 2 in row 7: {error}")


if __name__ == "__main__":
    main()
