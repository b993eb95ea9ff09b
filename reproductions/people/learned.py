"""The same halves as data frames of joint moves, through a learned model: a clone, a response to it, self-play.

    python reproductions/people/learned.py NV_games.rda         # learned.jsonl, learned.md: two variants of four rounds

In four rounds all histories can be listed, so that policies of networks are judged exactly, too: by people of memory 3,
which is all there is to remember.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from experiments import Games, Variant, cloned, read
from methods import METHODS

import coffee_fast as cf

HERE = Path(__file__).parent
NAMES = np.array(["defect", "cooperate"])
COLUMNS = {"episode": "game", "step": "round", "player": "who", "action": "move", "reward": "paid"}
SELF_PLAY = cf.SelfPlayConfig(num_updates=60)
RESPONSE = cf.DDQN(hidden_sizes=(64, 64), num_steps=40_000, min_replay=2_000, epsilon_decay_steps=20_000)


@dataclasses.dataclass(frozen=True)
class LastStrategy:
    """Puts everything on the newest strategy, so that the next response is to it alone."""

    kind = "last_strategy"

    def solve(self, table: Any) -> Any:
        mixtures = tuple(np.eye(count)[-1] for count in table.num_strategies)
        return dataclasses.replace(cf.meta_solvers.Replicator(max_iterations=1).solve(table), mixtures=mixtures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="NV_games.rda")
    parser.add_argument("--variants", nargs="+", type=int, default=[24, 25])
    parser.add_argument("-o", "--output", type=Path, default=HERE / "learned.jsonl")
    options = parser.parse_args()
    warnings.simplefilter("ignore", cf.errors.ModelWarning)
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {json.loads(line)["variant"] for line in lines}
    for variant in read(options.file):
        if variant.number in options.variants and variant.number not in done:
            lines.append(json.dumps({"variant": variant.number} | judged(variant)))
            options.output.write_text("\n".join(lines) + "\n")
            print(lines[-1], flush=True)
    options.output.with_suffix(".md").write_text(page([json.loads(line) for line in lines]))


def frame(variant: Variant, games: Games) -> Any:
    """One row a player and round, of the games whose two sides are both among these people."""
    import pandas as pd

    pairs = games.pairs()
    rows = [
        (number, t, who, NAMES[games.meant[me, t]], variant.game.payoff[games.meant[me, t], games.meant[you, t]])
        for number, (one, other) in enumerate(pairs)
        for t in range(games.meant.shape[1])
        for who, me, you in (("one", one, other), ("other", other, one))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS.values()))


def judged(variant: Variant) -> dict[str, Any]:
    """What each method earns against the other half, exactly, and how long it took."""
    game, half, others = variant.game, variant.half(0.0), variant.half(0.0, is_second=True)
    judge = cloned(others, 3, game.num_rounds or 0)
    log = frame(variant, half)
    dataset = cf.TrajectoryDataset.from_transitions(None, log, columns=COLUMNS, is_symmetric=True, name="dilemma")
    seconds, begin = {}, time.perf_counter()
    model = cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig.preset("best"), seed=0)
    seconds["model"] = time.perf_counter() - begin
    clone = cf.clone_behavior(dataset, seed=0)
    psro = cf.PSROConfig(num_iterations=2, num_simulations=200, meta_solver=LastStrategy(), response=RESPONSE)
    near = dataclasses.replace(SELF_PLAY, reference="cloned", kl_weight=0.2, kl_weight_end=0.2)
    searches: dict[str, Callable[[], Any]] = {
        "cloned policy": lambda: clone,
        "response to it in the model": lambda: cf.coffee_psro(model, psro, 0, start=[clone]).strategies[0][-1],
        "self-play in the model": lambda: cf.anchored_self_play(model, SELF_PLAY, 0).policies[0],
        "self-play near the clone": lambda: cf.anchored_self_play(model, near, 0, reference=clone).policies[0],
    }
    found: dict[str, Any] = {}
    for name, search in searches.items():
        begin = time.perf_counter()
        strategy = as_strategy(search(), dataset.spec, game.num_rounds or 0)
        seconds[name] = time.perf_counter() - begin
        print(f"variant {variant.number}, {name}: {seconds[name]:.0f} s", flush=True)
        found[name] = [game.share(game.value(strategy, judge)), game.share(game.regret(strategy) + game.payoff[0, 0])]
    exact = METHODS["best reply, memory 2"](game, half)
    found["best reply, memory 2"] = [
        game.share(game.value(exact, judge)),
        game.share(game.regret(exact) + game.payoff[0, 0]),
    ]
    return {
        "verdict": model.fit_report.verdict,
        "games": dataset.num_trajectories,
        "people": game.share(game.value(judge, judge)),
        "best": game.share(game.best_response(judge)[1]),
        "found": found,
        "seconds": seconds,
    }


def as_strategy(policy: Any, spec: cf.GameSpec, num_rounds: int) -> np.ndarray:
    """A policy's chances to cooperate after every history, which a log that lists them all asks it for."""
    import pandas as pd

    histories = list(itertools.product(itertools.product((0, 1), repeat=2), repeat=num_rounds))
    rows = [
        (number, t, who, NAMES[pair[seat]], 0.0)
        for number, history in enumerate(histories)
        for t, pair in enumerate(history)
        for seat, who in enumerate(("one", "other"))
    ]
    every = pd.DataFrame(rows, columns=list(COLUMNS.values()))
    listed = cf.TrajectoryDataset.from_transitions(spec, every, columns=COLUMNS)
    mine = np.flatnonzero(listed.acting_player == 0)
    chances = policy.probabilities(listed.information_states()[mine], listed.legal_masks()[mine])
    cooperates = chances[:, spec.action_names.index("cooperate")].reshape(len(histories), num_rounds)
    strategy = np.zeros((num_rounds, 4 ** (num_rounds - 1)))
    for history, chance in zip(histories, cooperates, strict=True):
        number = 0
        for t, (own, other) in enumerate(history):
            strategy[t, number] = chance[t]
            number = (4 * number + 2 * own + other) % strategy.shape[1]
    return strategy


def page(lines: list[dict[str, Any]]) -> str:
    rows = ["| variant | strategy | earns against the other half | regret of itself | seconds |", "|---" * 5 + "|"]
    for line in lines:
        head = f"| {line['variant']} |"
        rows.append(f"{head} people, against each other | {line['people']:.3f} |  |  |")
        for name, (earned, regret) in line["found"].items():
            spent = f"{line['seconds'][name]:.0f}" if name in line["seconds"] else ""
            rows.append(f"{head} {name} | {earned:.3f} | {regret:.3f} | {spent} |")
        rows.append(f"{head} the best reply to the judges | {line['best']:.3f} |  |  |")
    models = "; ".join(
        f"variant {line['variant']}: {line['games']} games, {line['verdict']}, {line['seconds']['model']:.0f} s"
        for line in lines
    )
    return "# Through a learned model\n\nModels: " + models + ".\n\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
