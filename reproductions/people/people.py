"""Strategies from logs of people in 30 repeated prisoner's dilemmas: made from half of them, judged by the rest.

    pip install rdata
    python reproductions/people/people.py NV_games.rda            # people.jsonl: goes on where it was stopped
    python reproductions/people/page.py                           # people.md, people.png

NV_games.rda lies in the folder data of the R package datafsm (CRAN, or github.com/jonathan-g/datafsm). Every line is
one variant and one halving; payoffs are a round's, 0 if both always defect and 1 if both always cooperate.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from experiments import Games, Variant, cloned, log_loss, read, replayed
from methods import METHODS, rows_of
from repeated import FAMOUS, RepeatedGame

import coffee_fast
from coffee_fast.errors import CoffeeError

HERE = Path(__file__).parent
STARTS = (0.0, 0.1, 0.2, 0.3, 0.4)
SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
LEARNING = (
    "people as they are",
    "best reply, memory 1",
    "best reply, memory 2",
    "the fittest famous strategy",
    "table of the log",
)
JUDGES = (2, 3)  # memories of the people who judge
REPLAYED_ROUNDS = 4  # at most; fewer where fewer games than
REPLAYED_GAMES = 50  # are that long


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="NV_games.rda")
    parser.add_argument("--variants", nargs="+", type=int)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "people.jsonl")
    options = parser.parse_args()
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {tuple(json.loads(line)[name] for name in ("variant", "start", "second")) for line in lines}
    for variant in read(options.file):
        if options.variants and variant.number not in options.variants:
            continue
        for start in STARTS:
            for is_second in (False, True):
                if (variant.number, start, is_second) not in done:
                    line = {"variant": variant.number, "start": start, "second": is_second}
                    line |= judged(variant, start, is_second)
                    with options.output.open("a") as file:
                        file.write(json.dumps(line) + "\n")
        print(f"variant {variant.number}, {variant.source}", flush=True)


def judged(variant: Variant, start: float, is_second: bool) -> dict[str, Any]:
    """All strategies made from one half of the people, against those of the other half."""
    begin, game = time.perf_counter(), variant.game
    others = variant.half(start, not is_second)
    judges = {memory: cloned(others, memory, rows_of(game, memory)) for memory in JUDGES}

    def against(strategy: Any) -> list[float]:
        return [round(game.share(game.value(strategy, judge)), 4) for judge in judges.values()]

    found: dict[str, Any] = {}
    for share in SHARES:
        half = variant.half(start, is_second, share)
        for name in METHODS if share == 1.0 else LEARNING:
            try:
                strategy = METHODS[name](game, half)
            except CoffeeError as error:  # too little log for an answer
                found.setdefault(name, {})[str(share)] = str(error)[:60]
                continue
            found.setdefault(name, {})[str(share)] = against(strategy)
            if share == 1.0:
                found[name]["regret"] = round(game.share(game.regret(strategy) + game.payoff[0, 0]), 4)
    half = variant.half(start, is_second)
    line = {
        "source": variant.source,
        "rules": rules(game),
        "games": len(half),
        "people": [round(game.share(game.value(judge, judge)), 4) for judge in judges.values()],
        "best": [round(game.share(game.best_response(judge)[1]), 4) for judge in judges.values()],
        "found": found,
        "famous": {name: against(strategy) for name, strategy in FAMOUS.items()},
        "bits": [round(log_loss(others, cloned(half, memory, rows_of(game, memory))), 4) for memory in range(4)],
        "replay": replay(variant, half, others),
    }
    return line | {"seconds": round(time.perf_counter() - begin, 2), "version": coffee_fast.__version__}


def rules(game: RepeatedGame) -> str:
    """In words, with the payoffs of defecting alone and of cooperating alone."""
    ending = f"goes on with {game.continuation:g}" if game.num_rounds is None else f"{game.num_rounds} rounds"
    errors = f", errors {game.error:.3g}" if game.error else ""
    return f"{ending}{errors}; T {game.share(game.payoff[0, 1]):.2f}, S {game.share(game.payoff[1, 0]):.2f}"


def replay(variant: Variant, half: Games, others: Games) -> dict[str, Any]:
    """The best reply in the first rounds, by the other half's games as they were and by their model; and people."""
    game = variant.game
    known = others.own[:, :REPLAYED_ROUNDS] >= 0
    num_rounds = max(1, int((known.sum(axis=0) >= REPLAYED_GAMES).sum()))
    people = cloned(others, 2, rows_of(game, 2))
    strategy = METHODS["best reply, memory 2"](game, half)
    payoffs, worth = replayed(game, others, strategy, num_rounds)
    earned = game.payoff[others.own[:, :num_rounds], others.other[:, :num_rounds]]
    figures = {
        "replayed": payoffs.mean(),
        "model": game.by_round(strategy, people, num_rounds).mean(),
        "people": np.mean([earned[known[:, t], t].mean() for t in range(num_rounds)]),
        "people, model": game.by_round(people, people, num_rounds).mean(),
    }
    shares = {name: round(game.share(value), 4) for name, value in figures.items()}
    return shares | {"rounds": num_rounds, "worth": round(worth.min(), 1)}


if __name__ == "__main__":
    main()
