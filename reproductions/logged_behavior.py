"""How far from equilibrium is what the logs of a sweep show, and what a clone of it would do?

    python reproductions/logged_behavior.py SWEEP_DIR reproductions/reduced

trains best responses in the true game against the equilibrium profiles that acted in the logs, against their mixture (a
player draws a profile, then a strategy), and against policies cloned from the logs of OEF-BC's runs: OEF-BC at weight
1. Writes ``logged_behavior.csv``: true regrets, summed over players, with the budget of the sweep's evaluation.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

import coffee_fast as cf
from coffee_fast.pipeline import RunConfig

NUM_CLONES = 3  # of each kind of log


def mixture_of(profiles: list[cf.Solution]) -> cf.Mixture:
    """Return what one player does on average: a profile, then a strategy of it."""
    policies = [policy for profile in profiles for policy in profile.policies]
    weights = np.concatenate([profile.probabilities for profile in profiles]) / len(profiles)
    return cf.Mixture(tuple(policies), weights)


def main(sweep: Path, out: Path) -> None:
    plan = json.loads((sweep / "plan.json").read_text())
    keys = {
        behavior: [run["key"] for run in plan["runs"] if run["cell"]["dataset.behavior"] == behavior]
        for behavior in ("equilibrium_mixture", "uniform_random")
    }
    folder = sweep / "runs"
    about = json.loads((folder / keys["equilibrium_mixture"][0] / "config.json").read_text())
    config = RunConfig.from_json(about["config"])
    game = cf.load_game(config.dataset.game)
    wanted = config.dataset
    profiles = list(cf.equilibrium_profiles(game, wanted.equilibrium, wanted.equilibrium_seed, folder / "cache"))
    judged = {f"equilibrium profile {place}": profile for place, profile in enumerate(profiles)}
    judged["mixture of the equilibrium profiles"] = mixture_of(profiles)
    judged["uniform random play"] = cf.Mixture((cf.UniformRandom(),), [1.0])
    for behavior, own in keys.items():
        for place, key in enumerate(own[:NUM_CLONES]):
            dataset = cf.TrajectoryDataset.load(folder / key / "dataset")
            cloned = cf.clone_behavior(dataset, config.behavior_cloning, seed=place)
            judged[f"clone of {behavior} log {place}"] = cf.Mixture((cloned,), [1.0])
    rows = []
    for name, mixture in judged.items():
        found = cf.evaluation.true_regret(
            game, mixture, 1, response=config.evaluation.response, num_simulations=config.evaluation.num_simulations
        )
        rows.append({"behavior": name, "regret": found.sum_regret, "standard_error": found.sum_regret_standard_error})
        rows[-1] |= {"debiased_regret": found.debiased_sum_regret, "sum_payoff": float(found.payoff.sum())}
        print(rows[-1], flush=True)
        pd.DataFrame(rows).to_csv(out / "logged_behavior.csv", index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="folder of the sweep")
    parser.add_argument("out", type=Path, help="folder to write into")
    arguments = parser.parse_args()
    main(arguments.sweep, arguments.out)
