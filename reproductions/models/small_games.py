"""Solves small games from logs of them, inside models and inside the tree that the log shows; exact regrets.

    python reproductions/models/small_games.py           # about 40 minutes on one core
    python reproductions/models/page.py

Each search is a line of small_games.jsonl; the script goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import coffee_fast as cf

HERE = Path(__file__).parent
GAMES = {
    "Kuhn poker": "openspiel:kuhn_poker",
    "Kuhn poker, 3 players": "openspiel:kuhn_poker(players=3)",
    "goofspiel, 4 cards": "openspiel:goofspiel(imp_info=True,num_cards=4,points_order=descending)",
    "Leduc poker": "openspiel:leduc_poker",
}
KINDS = ("model, chance averaged", "model", "tree")
BEST = cf.EnsembleConfig.preset("best")
SEARCH = cf.PSROConfig(
    num_iterations=12,
    num_simulations=500,
    objective=cf.ConservativeObjective(uncertainty_penalty=0.5, coverage_weight=0.1, anneal_iterations=6),
    response=cf.DDQN(
        hidden_sizes=(64, 64),
        num_steps=12_000,
        replay_capacity=12_000,
        min_replay=500,
        epsilon_decay_steps=6_000,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(GAMES), choices=list(GAMES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--behaviors", nargs="+", default=["uniform", "half trained"])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "small_games.jsonl")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    coordinates = ("game", "behavior", "size", "kind", "seed")
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {tuple(json.loads(line)[name] for name in coordinates) for line in lines}
    for seed, game, behavior, size, kind in itertools.product(
        range(options.seeds), options.games, options.behaviors, options.sizes, options.kinds
    ):
        place = (game, behavior, size, kind, seed)
        if place in done:
            continue
        line = dict(zip(coordinates, place, strict=True)) | {"version": cf.__version__} | solve(*place)
        with options.output.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print({name: value for name, value in line.items() if not isinstance(value, dict)}, flush=True)


def solve(name: str, behavior: str, size: int, kind: str, seed: int) -> dict[str, Any]:
    """Log play, search for strategies in what is learned from it, and take their exact regret in the true game."""
    game = cf.load_game(GAMES[name])
    log = cf.generate_dataset(game, behavior=players(game, behavior), num_trajectories=size, seed=seed)
    begin = time.process_time()
    inside, figures = learn(log, kind, seed, game)
    try:
        result = cf.coffee_psro(inside, SEARCH, seed)
    except cf.CoffeeError as error:
        return figures | {"failed": str(error)[:300]}
    solution = result.solve()
    exact = cf.exact_regret(game, solution.mixtures)  # a log without chance is of another game
    uniform = cf.exact_regret(game, "uniform_random")
    figures |= {"nash_conv": float(exact.nash_conv), "uniform_nash_conv": float(uniform.nash_conv)}
    if kind == "tree":
        found = cf.regret_from_log(inside, solution.mixtures, seed)
        figures |= {"bounds": list(found.nash_conv_bounds), "num_unseen": found.in_tree.num_unseen}
    return figures | {"seconds": round(time.process_time() - begin, 1)}


def players(game: Any, behavior: str) -> Any:
    """Uniform play, or a mixture of policies that have learned for a while."""
    if behavior == "uniform":
        return "uniform_random"
    brief = dataclasses.replace(SEARCH, num_iterations=3)
    return [cf.online_psro(game, brief, seed).solve() for seed in (11, 12)]


def learn(log: cf.TrajectoryDataset, kind: str, seed: int, game: Any) -> tuple[Any, dict[str, Any]]:
    """What to search in, and how exact it is."""
    if kind == "tree":
        return cf.GameTree.from_dataset(log), {}
    if kind == "model, chance averaged":
        log = without_chance(log)
    model = cf.DynamicsEnsemble.fit(log, BEST, seed)
    report = model.fit_report
    figures = {"reward_error": report.reward_error, "mask_errors": report.mask_errors, "drawn": dict(report.drawn)}
    return model, figures | {"verdict": report.verdict.level if report.verdict else None}


def without_chance(log: cf.TrajectoryDataset) -> cf.TrajectoryDataset:
    """The log with rows of chance taken out: its outcomes then come with the players' moves, as if by themselves."""
    kept = np.flatnonzero(log.acting_player >= 0)
    episode = np.searchsorted(log.trajectory_offsets, kept, side="right") - 1
    goes_on = np.append(episode[1:] == episode[:-1], False)
    following = np.append(kept[1:], 0)
    spec = dataclasses.replace(
        log.spec, num_chance_actions=0, chance_vectors=np.zeros((0, 0), np.float32), chance_names=()
    )
    arrays = {
        "trajectory_offsets": np.searchsorted(episode, np.arange(log.num_trajectories + 1)),
        "next_state": np.where(goes_on[:, None], log.state[following], log.next_state[kept]),
        "terminal": (~goes_on).astype(np.uint8),
    }
    names = ("state", "observation", "action", "acting_player", "legal_mask", "reward")
    return cf.TrajectoryDataset(spec, arrays | {name: getattr(log, name)[kept] for name in names})


if __name__ == "__main__":
    main()
