"""Anchored self-play from logs of bargaining beside COffeE-PSRO and its kin: true regret, by the same judges.

    python reproductions/self_play/compare.py                # variants on three logs, the first on ten
    python reproductions/self_play/compare.py --sizes 500 2000 --methods "self-play" cloning --logs 3
    python reproductions/self_play/page.py

Every search is a line of compare.jsonl, known by method, behavior, size and log; the script goes on where it was
stopped. Models are kept in CACHE, by default a folder of the system's for temporary files.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coffee_fast as cf
from coffee_fast.psro import EquilibriumConfig, equilibrium_profiles

HERE = Path(__file__).parent
BEST, PAPER = cf.EnsembleConfig.preset("best"), cf.EnsembleConfig(holdout_fraction=0.0)
SELF_PLAY = cf.SelfPlayConfig()
QUICK, FULL = cf.RunConfig.preset("quick").psro, cf.RunConfig.preset("paper").psro
JUDGES = [cf.DDQN(), cf.PolicyGradient(num_updates=150)]  # 2e5 decisions each: the paper's, and the other family
NUM_SIMULATIONS = 10_000
GAME = cf.load_game("generalized_bargaining")

Search = Callable[["Log"], Any]


@dataclasses.dataclass(frozen=True)
class Log:
    """A log, its seed, and where models of it are kept."""

    dataset: cf.TrajectoryDataset
    seed: int
    cache: Path

    def model(self, config: cf.EnsembleConfig) -> cf.DynamicsEnsemble:
        """Fit a model, or read the one that was fitted before, with the processor time that it took."""
        folder = self.cache / f"{'paper' if config is PAPER else 'best'}-{self.dataset.fingerprint[:16]}"
        if not folder.exists():
            begin = time.process_time()
            cf.DynamicsEnsemble.fit(self.dataset, config, seed=self.seed).save(folder)
            folder.with_suffix(".seconds").write_text(str(time.process_time() - begin))
        return cf.DynamicsEnsemble.load(folder)

    def seconds(self, config: cf.EnsembleConfig) -> float:
        """Processor time of the fit."""
        self.model(config)
        folder = self.cache / f"{'paper' if config is PAPER else 'best'}-{self.dataset.fingerprint[:16]}"
        return float(folder.with_suffix(".seconds").read_text())


def self_play(model: cf.EnsembleConfig = BEST, **changes: Any) -> Search:
    """Self-play in a model of the log, with some of its configuration changed."""

    def search(log: Log) -> Any:
        reference = None
        if changes.get("reference") == "cloned":
            reference = cf.clone_behavior(log.dataset, seed=log.seed)
        config = dataclasses.replace(SELF_PLAY, **changes)
        return cf.anchored_self_play(log.model(model), config, log.seed, reference=reference)

    return search


def start_psro(log: Log) -> Any:
    """COffeE-PSRO whose first strategies are self-play's snapshots."""
    model = log.model(BEST)
    start = cf.self_play_snapshots(model, SELF_PLAY, log.seed).by_role
    config = dataclasses.replace(cf.RunConfig.preset("demo").psro, num_iterations=8)
    return cf.coffee_psro(model, config, log.seed, start=start).solve(cf.meta_solvers.GANE())


def full_psro(log: Log) -> Any:
    """COffeE-PSRO as the paper has it, going on where it was stopped: the seconds are those since then."""
    run = log.cache / f"psro-{log.dataset.fingerprint[:16]}"
    return cf.coffee_psro(log.model(PAPER), FULL, log.seed, run_dir=run, resume=run.exists()).solve()


# Of each method: how it searches, and which model's fit it needs.
METHODS: dict[str, tuple[Search, cf.EnsembleConfig | None]] = {
    "self-play": (self_play(), BEST),
    "self-play, the paper's model": (self_play(PAPER), PAPER),
    "self-play, no penalty": (self_play(uncertainty_penalty=0.0), BEST),
    "self-play, penalty 2": (self_play(uncertainty_penalty=2.0), BEST),
    "self-play, near the cloned policy": (self_play(reference="cloned"), BEST),
    "self-play, the last policy": (self_play(averaging=0.0, num_snapshots=1), BEST),
    "self-play, KL among the rewards": (self_play(kl_in_rewards=True), BEST),
    "self-play, mirror descent": (self_play(update="mirror_descent", step_size=2.0), BEST),
    "self-play, weight to .08": (self_play(kl_weight_end=0.08), BEST),
    "self-play, no penalty, weight to .08": (self_play(kl_weight_end=0.08, uncertainty_penalty=0.0), BEST),
    "self-play, the last policy, weight to .08": (self_play(kl_weight_end=0.08, averaging=0.0, num_snapshots=1), BEST),
    "self-play, the paper's model, weight to .08": (self_play(PAPER, kl_weight_end=0.08), PAPER),
    "self-play starts COffeE-PSRO": (start_psro, BEST),
    "COffeE-PSRO": (lambda log: cf.coffee_psro(log.model(BEST), QUICK, log.seed).solve(), BEST),
    "COffeE-PSRO, preset paper": (full_psro, PAPER),
    "OEF": (lambda log: cf.oef(log.model(BEST), QUICK, log.seed).solve(), BEST),
    "cloning": (lambda log: cf.clone_behavior(log.dataset, seed=log.seed), None),
    "self-play in the true game": (lambda log: cf.anchored_self_play(GAME, SELF_PLAY, log.seed), None),
    "self-play in the true game, weight to .08": (
        lambda log: cf.anchored_self_play(GAME, dataclasses.replace(SELF_PLAY, kl_weight_end=0.08), log.seed),
        None,
    ),
    "PSRO in the true game": (lambda log: cf.online_psro(GAME, QUICK, log.seed).solve(), None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000])
    parser.add_argument("--behaviors", nargs="+", default=["uniform_random"])
    parser.add_argument("--logs", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "coffee_fast_self_play")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "compare.jsonl")
    options = parser.parse_args()
    warnings.simplefilter("ignore", cf.errors.ModelWarning)
    options.cache.mkdir(parents=True, exist_ok=True)
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    coordinates = ("method", "behavior", "size", "log")
    done = {tuple(json.loads(line)[name] for name in coordinates) for line in lines}
    for number, behavior, size, method in itertools.product(
        range(options.logs), options.behaviors, options.sizes, options.methods
    ):
        if (method, behavior, size, number) in done:
            continue
        log = Log(play(behavior, size, number, options.cache), number, options.cache)
        line = dict(zip(coordinates, (method, behavior, size, number), strict=True)) | run(log, *METHODS[method])
        with options.output.open("a") as file:
            file.write(json.dumps(line) + "\n")
        found = f"regret {line['regret']:.2f}, {line['seconds']:.0f} s"
        print(f"{method}, {behavior}, {size}, log {number}: {found}", flush=True)


def play(behavior: str, size: int, seed: int, cache: Path) -> cf.TrajectoryDataset:
    """The log of these coordinates."""
    players: Any = behavior
    if behavior == "equilibrium_mixture":
        players = list(equilibrium_profiles(GAME, EquilibriumConfig(num_iterations=16), 0, cache / "equilibria"))
    return cf.generate_dataset(GAME, behavior=players, num_trajectories=size, seed=seed)


def run(log: Log, search: Search, model: cf.EnsembleConfig | None) -> dict[str, Any]:
    """Search, then judge what was found by the best deviation of each oracle."""
    fit = log.seconds(model) if model else 0.0
    begin = time.process_time()
    solution = search(log)
    seconds = fit + time.process_time() - begin
    found = cf.true_regret(GAME, solution, log.seed, response=JUDGES, num_simulations=NUM_SIMULATIONS)
    figures = {
        "regret": found.debiased_sum_regret,
        "standard_error": found.debiased_sum_standard_error,
        "payoff": float(found.payoff.sum()),
        "deviation": found.deviation,
        "gains": dict(zip(found.strategy_names[0], found.deviation_gains[0].tolist(), strict=True)),
    }
    if hasattr(solution, "model_regret"):
        bound = {
            "model_regret": solution.sum_model_regret,
            "pessimistic_regret": float(solution.pessimistic_regret.sum()),
        }
        figures |= bound
    build = {"version": cf.__version__, "isa": cf.build_info()["isa"]}
    return figures | {"seconds": round(seconds, 1)} | build


if __name__ == "__main__":
    main()
