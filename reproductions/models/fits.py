"""Fits models of ten logs in every variant and measures them on games that none has seen; what is done is kept.

    python reproductions/models/fits.py                  # logs of 1000 uniform games: about 50 minutes on one core
    python reproductions/models/fits.py --sizes 500 2000 --behaviors uniform_random equilibrium_mixture
    python reproductions/models/page.py

Each fit is a line of fits.jsonl, known by variant, log and seed; the script goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import coffee_fast as cf
from coffee_fast.models.figures_of_moves import figures_by_moves
from coffee_fast.models.following import Followed
from coffee_fast.models.leak_probe import leaks
from coffee_fast.psro import EquilibriumConfig, equilibrium_profiles

HERE = Path(__file__).parent
BEST, PAPER = cf.EnsembleConfig.preset("best"), cf.EnsembleConfig(holdout_fraction=0.0)
# What each variant changes of preset "best", or of the paper's model.
VARIANTS: dict[str, cf.EnsembleConfig] = {
    "best": BEST,
    "paper": PAPER,
    "paper, short": dataclasses.replace(PAPER, num_steps=3000, num_reward_steps=3000, learning_rate=2e-3),
    "paper, ends apart": dataclasses.replace(PAPER, ends="probability"),
} | {
    words: dataclasses.replace(BEST, **changes)
    for words, changes in {
        "relu networks": {"network": "relu", "learning_rate": 1e-3},
        "product networks": {"network": "product"},
        "one normalizer": {"normalization": "scalar"},
        "no decay": {"weight_decay": 0.0},
        "decay .3": {"weight_decay": 0.3},
        "no early stopping": {"early_stopping": False},
        "bootstrap": {"bootstrap": True},
        "the same batches": {"same_batches": True},
        "8 members": {"num_members": 8},
        "32 members": {"num_members": 32},
        "payments not apart": {"payments": "always"},
        "all entries predicted": {"entries": "predicted"},
    }.items()
}
NUM_TESTED = 8000  # games, mirror images among them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000])
    parser.add_argument("--behaviors", nargs="+", default=["uniform_random"])
    parser.add_argument("--logs", type=int, default=10)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "fits.jsonl")
    options = parser.parse_args()
    warnings.simplefilter("ignore", cf.errors.ModelWarning)
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {tuple(json.loads(line)[name] for name in ("variant", "behavior", "size", "log")) for line in lines}
    game = cf.load_game("generalized_bargaining")
    unseen = cf.generate_dataset(game, num_trajectories=NUM_TESTED, seed=10**6)
    for log, behavior, size, variant in itertools.product(
        range(options.logs), options.behaviors, options.sizes, options.variants
    ):
        if (variant, behavior, size, log) in done:
            continue
        dataset = play(game, behavior, size, log)
        begin = time.process_time()
        model = cf.DynamicsEnsemble.fit(dataset, VARIANTS[variant], seed=log)
        seconds = time.process_time() - begin
        line = {"variant": variant, "behavior": behavior, "size": size, "log": log, "version": cf.__version__}
        figures = line | {"isa": cf.build_info()["isa"], "seconds": round(seconds, 2), **dict(measure(model, unseen))}
        with options.output.open("a") as file:
            file.write(json.dumps(figures) + "\n")
        print(
            f"{variant}, {behavior}, {size}, log {log}: payoffs {figures['payoff_error']:.2f}, {seconds:.0f} s",
            flush=True,
        )


def play(game: Any, behavior: str, size: int, log: int) -> cf.TrajectoryDataset:
    """The log of these coordinates."""
    players: Any = behavior
    if behavior == "equilibrium_mixture":
        players = list(equilibrium_profiles(game, EquilibriumConfig(num_iterations=16), 0, HERE / "cache"))
    return cf.generate_dataset(game, behavior=players, num_trajectories=size, seed=log)


def measure(model: cf.DynamicsEnsemble, unseen: cf.TrajectoryDataset) -> Iterator[tuple[str, Any]]:
    """Figures of a model on games that it has not seen."""
    deals = np.flatnonzero((unseen.reward != 0).any(axis=1))
    movers = unseen.acting_player.astype(np.int32)
    by_member, disagreement = model.core.rewards(unseen.state[deals], unseen.action[deals], movers[deals])
    errors = np.abs(by_member.mean(axis=2) - unseen.reward[deals]).mean(axis=1)
    within = (by_member.min(axis=2) <= unseen.reward[deals]) & (unseen.reward[deals] <= by_member.max(axis=2))
    yield "payoff_error", float(errors.mean())
    yield "member_error", float(np.abs(by_member - unseen.reward[deals][:, :, None]).mean())
    yield "disagreement", float(disagreement.mean())
    yield "correlation", float(np.corrcoef(errors, disagreement)[0, 1])
    yield "rank_correlation", float(np.corrcoef(*(np.argsort(np.argsort(one)) for one in (errors, disagreement)))[0, 1])
    yield "within_members", float(within.mean())
    observations = unseen.observation.reshape(len(movers), -1)
    masks = model.core.legal_masks(unseen.state, observations, movers)
    yield "mask_errors", float((masks != unseen.legal_masks()).sum(axis=1).mean())
    if model.draws_ends:
        ends, _ = model.core.outcomes(unseen.state, unseen.action, movers)
    else:
        following = model.core.next_states(unseen.state, unseen.action)
        distance = np.abs(following - model.spec.terminal_state_value).mean(axis=1)
        ends = (distance < model.config.terminal_threshold).astype(np.float64)
    yield "wrong_ends", float((np.abs(ends - unseen.terminal)).mean())
    followed = Followed.of(model, unseen)
    yield "by_moves", figures_by_moves(followed, unseen)
    yield "leaks", leaks(followed, unseen)
    made = followed.moves_made[deals]
    along = disagreement_along(model, unseen)[deals]
    yield "disagreement_by_moves", {int(k): float(along[made == k].mean()) for k in sorted({*made})}


def disagreement_along(model: cf.DynamicsEnsemble, unseen: cf.TrajectoryDataset) -> Any:
    """Of the members about each row's payoffs, following logged moves inside the model."""
    first = unseen.trajectory_offsets[:-1]
    found = model.core.follow(
        unseen.trajectory_offsets,
        unseen.state[first],
        unseen.observation[first].reshape(len(first), -1),
        unseen.legal_masks()[first],
        unseen.acting_player.astype(np.int32),
        unseen.action,
    )
    return found["disagreement"]


if __name__ == "__main__":
    main()
