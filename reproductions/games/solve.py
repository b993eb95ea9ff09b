"""Solves games from logs of good, bad and mixed players, by every method; NashConv in the true game, exact.

    python reproductions/games/solve.py --methods frequencies "tree of the log" --seeds 3
    python reproductions/games/solve.py --games "Leduc poker" --sizes 10000 --methods "self-play in the model"
    python reproductions/games/page.py

Every search is a line of results.jsonl, known by game, behavior, size, method and seed; the script goes on where it was
stopped. Solved games and models of logs are kept in CACHE, by default a folder of the system's for temporary files.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from _games import BEHAVIORS, LARGE, NAMES, Game
from _methods import CHEAP, METHODS, OF_MODEL, TRUE_GAME, Log

import coffee_fast as cf

HERE = Path(__file__).parent
COORDINATES = ("game", "behavior", "size", "method", "seed")
MOST_TRAJECTORIES = 10_000  # of a large game, and of methods that are not cheap


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(NAMES), choices=list(NAMES))
    parser.add_argument("--methods", nargs="+", default=list(CHEAP), choices=list(METHODS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--behaviors", nargs="+", default=list(BEHAVIORS), choices=list(BEHAVIORS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "coffee_fast_games")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results.jsonl")
    options = parser.parse_args()
    warnings.simplefilter("ignore", cf.errors.ModelWarning)
    options.cache.mkdir(parents=True, exist_ok=True)
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {tuple(json.loads(line)[name] for name in COORDINATES) for line in lines}
    for seed, name in itertools.product(range(options.seeds), options.games):
        game = Game(name, options.cache)
        if (name, "", 0, TRUE_GAME, 0) not in done:
            append(options.output, (name, "", 0, TRUE_GAME, 0), solved(game))
            done.add((name, "", 0, TRUE_GAME, 0))
        for size, behavior in itertools.product(options.sizes, options.behaviors):
            places = [(name, behavior, size, method, seed) for method in options.methods if is_run(name, size, method)]
            log = Log(game, behavior, size, seed)
            for place in places:
                if place not in done:
                    append(options.output, place, run(log, place[3]))


def is_run(game: str, size: int, method: str) -> bool:
    return size <= MOST_TRAJECTORIES or (game not in LARGE and method in CHEAP)


def append(output: Path, place: tuple[Any, ...], figures: dict[str, Any]) -> None:
    line = dict(zip(COORDINATES, place, strict=True)) | figures | {"version": cf.__version__}
    with output.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(*place, {name: figures.get(name) for name in ("nash_conv", "claimed", "failed", "seconds")}, flush=True)


def solved(game: Game) -> dict[str, Any]:
    """The true game's own size, what uniform play leaves to gain in it, and what its solver."""
    begin = time.process_time()
    found = game.solved
    seconds = time.process_time() - begin
    uniform = cf.exact_regret(game.tree, "uniform_random")
    sizes = {"num_nodes": game.tree.num_nodes, "num_information_sets": game.tree.num_information_sets}
    logged = {behavior: judged(game, game.logged(behavior)) for behavior in BEHAVIORS}
    own = {"uniform_nash_conv": float(uniform.nash_conv), "logged": logged, "reward_scale": game.tree.reward_scale}
    return judged(game, found.mixtures) | sizes | own | {"seconds": round(seconds, 1)}


def run(log: Log, method: str) -> dict[str, Any]:
    """Search, and judge what was found in the true game and in the tree of the log."""
    try:
        _ = log.dataset, method in OF_MODEL and log.model  # whose times are their own
        begin = time.process_time()
        mixtures, figures = METHODS[method](log)
    except cf.CoffeeError as error:
        return {"failed": str(error)[:300]}
    seconds = time.process_time() - begin
    return judged(log.game, mixtures) | figures | {"seconds": round(seconds, 1), "in_tree": in_tree(log, mixtures)}


def judged(game: Game, mixtures: Any) -> dict[str, Any]:
    found = cf.exact_regret(game.tree, list(mixtures))
    return {"nash_conv": float(found.nash_conv), "payoff": float(found.values.sum())}


def in_tree(log: Log, mixtures: Any) -> dict[str, Any]:
    """What the tree of the log says of a profile, whoever found it: NashConv, bounds, those over its members."""
    try:
        found = cf.regret_from_log(log.tree, list(mixtures), log.seed)
        cautious, uniform = (
            cf.exact_regret(log.cautious_tree, profile).nash_conv for profile in (list(mixtures), "uniform_random")
        )
    except cf.CoffeeError as error:
        return {"refused": str(error)[:300]}
    return {
        "nash_conv": float(found.nash_conv),
        "bounds": list(found.in_tree.nash_conv_bounds),
        "if_unseen_pays_least": float(cautious),
        "uniform_if_unseen_pays_least": float(uniform),
        "over_members": list(found.nash_conv_bounds),
        "num_nodes": found.in_tree.num_nodes,
        "num_unseen": found.in_tree.num_unseen,
    }


if __name__ == "__main__":
    main()
