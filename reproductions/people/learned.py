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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from experiments import Games, Variant, cloned, read
from methods import METHODS

import coffee_fast as cf

HERE = Path(__file__).parent
NAMES = np.array(["defect", "cooperate"])
COLUMNS = {"episode": "game", "step": "round", "player": "who", "action": "move", "reward": "paid"}
JUDGE = cf.PolicyGradient(hidden_sizes=(64, 64), num_updates=30, num_episodes=500)
SELF_PLAY = cf.SelfPlayConfig(hidden_sizes=(64, 64), num_updates=100, num_episodes=500, judge=JUDGE)
NEAR = dataclasses.replace(SELF_PLAY, reference="cloned", kl_weight=0.2, kl_weight_end=0.2)
RESPONSE = cf.DDQN(hidden_sizes=(64, 64), num_steps=40_000, min_replay=2_000, epsilon_decay_steps=20_000)


@dataclasses.dataclass(frozen=True)
class LastStrategy:
    """Puts everything on the newest strategy, so that the next response is to it alone."""

    kind = "last_strategy"

    def solve(self, table: Any) -> Any:
        mixtures = tuple(np.eye(count)[-1] for count in table.num_strategies)
        return dataclasses.replace(cf.meta_solvers.Replicator(max_iterations=1).solve(table), mixtures=mixtures)


PSRO = cf.PSROConfig(num_iterations=2, num_simulations=200, meta_solver=LastStrategy(), response=RESPONSE)
SEARCHES: dict[str, Callable[[cf.DynamicsEnsemble, Any], Any]] = {
    "cloned policy": lambda _, clone: clone,
    "response to it in the model": lambda model, clone: cf.coffee_psro(model, PSRO, 0, start=[clone]).strategies[0][-1],
    "self-play in the model": lambda model, _: cf.anchored_self_play(model, SELF_PLAY, 0).policies[0],
    "self-play near the clone": lambda model, clone: cf.anchored_self_play(model, NEAR, 0, reference=clone).policies[0],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="NV_games.rda")
    parser.add_argument("--variants", nargs="+", type=int, default=[24, 25])
    parser.add_argument("-o", "--output", type=Path, default=HERE / "learned.jsonl")
    options = parser.parse_args()
    warnings.simplefilter("ignore", cf.errors.ModelWarning)
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {tuple(json.loads(line)[name] for name in ("variant", "strategy")) for line in lines}
    for variant in read(options.file):
        if variant.number not in options.variants or {(variant.number, name) for name in SEARCHES} <= done:
            continue
        for line in judged(variant, [name for name in SEARCHES if (variant.number, name) not in done]):
            lines.append(json.dumps(line))
            options.output.write_text("\n".join(lines) + "\n")
            print(lines[-1], flush=True)
    options.output.with_suffix(".md").write_text(page([json.loads(line) for line in lines]))


def frame(variant: Variant, games: Games) -> Any:
    """One row a player and round, of the games whose two sides are both among these people."""
    import pandas as pd

    pairs = np.random.default_rng(0).permuted(games.pairs(), axis=1)  # the order of the file is nobody's seat
    rows = [
        (number, t, who, NAMES[games.meant[me, t]], variant.game.payoff[games.meant[me, t], games.meant[you, t]])
        for number, (one, other) in enumerate(pairs)
        for t in range(games.meant.shape[1])
        for who, me, you in (("one", one, other), ("other", other, one))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS.values()))


def judged(variant: Variant, names: list[str]) -> Iterator[dict[str, Any]]:
    """What each method earns against the other half, exactly, and how long it took."""
    game, half, others = variant.game, variant.half(0.0), variant.half(0.0, is_second=True)
    judge = cloned(others, 3, game.num_rounds or 0)
    dataset = cf.TrajectoryDataset.from_transitions(
        None, frame(variant, half), columns=COLUMNS, is_symmetric=True, name="dilemma"
    )
    begin = time.process_time()
    model = cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig.preset("best"), seed=0)
    fit, clone = time.process_time() - begin, cf.clone_behavior(dataset, seed=0)
    for name in names:
        begin = time.process_time()
        strategy = as_strategy(SEARCHES[name](model, clone), dataset.spec, game.num_rounds or 0)
        figures = {
            "earns": game.share(game.value(strategy, judge)),
            "regret": game.share(game.regret(strategy) + game.payoff[0, 0]),
            "people": game.share(game.value(judge, judge)),
            "best": game.share(game.best_response(judge)[1]),
            "exact": game.share(game.value(METHODS["best reply, memory 2"](game, half), judge)),
        }
        yield {
            **{"variant": variant.number, "strategy": name, "games": dataset.num_trajectories},
            **{what: round(value, 4) for what, value in figures.items()},
            **{"seconds": round(time.process_time() - begin, 1), "fit": round(fit, 1)},
            "verdict": str(model.fit_report.verdict).splitlines()[0].removeprefix("verdict: "),
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
    rows = [
        "| variant | strategy | earns against the other half | regret of itself | processor seconds |",
        "|---" * 5 + "|",
    ]
    models = []
    for number, of_variant in itertools.groupby(
        sorted(lines, key=lambda line: line["variant"]), lambda line: line["variant"]
    ):
        found = list(of_variant)
        first = found[0]
        models.append(f"variant {number}: {first['games']} games, {first['verdict']}, {first['fit']:.0f} seconds")
        rows.append(f"| {number} | people, against each other | {first['people']:.3f} |  |  |")
        for line in found:
            figures = f"{line['earns']:.3f} | {line['regret']:.3f} | {line['seconds']:.0f}"
            rows.append(f"| {number} | {line['strategy']} | {figures} |")
        rows.append(f"| {number} | best reply, memory 2 | {first['exact']:.3f} |  |  |")
        rows.append(f"| {number} | the best reply to the judges | {first['best']:.3f} |  |  |")
    return "# Through a learned model\n\nModels: " + "; ".join(models) + ".\n\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
