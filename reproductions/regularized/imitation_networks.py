"""Is imitation by soft values, with networks, a better clone or anchor than cloning? Logs of 1000 games of bargaining.

Two kinds of logs: of uniform random play, and of a mixture of imperfect players, who in each game play as self-play did
at some time of a short training in the true game, or uniformly at random. The mean log-probability a move of 1000
further games; and from the mixture's logs the true regret, summed over players, of the clones themselves, of self-play
in a model that is anchored to each or to uniform play, and of the latter mixed at each decision with either (0.4 of the
clone, as OEF-BC does). Run it again to go on where it was interrupted:

    python reproductions/regularized/imitation_networks.py
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from _parts import HERE, resumed

import coffee_fast as cf
from coffee_fast.plotting import _style

SETTINGS = {
    "logs": [0, 1, 2],
    "games": 1000,
    "held_out": 1000,
    "methods": {
        "KL, 0.2": {"divergence": "kl", "temperature": 0.2},
        "KL, 1": {"divergence": "kl", "temperature": 1.0},
        "KL, 0.2, by step": {"divergence": "kl", "temperature": 0.2, "discount": 0.0},
    },
    "anchor": "KL, 0.2",
    "players": {"num_updates": 40, "num_episodes": 500, "num_snapshots": 4},
    "self_play": {"num_updates": 40, "num_episodes": 500, "num_snapshots": 4},
    "judge": {"num_updates": 60},
    "num_simulations": 5000,
    "mixed": 0.4,
}
GAME = cf.load_game("generalized_bargaining")
Strategy = Any


def players_of(kind: str) -> list[Strategy]:
    """Who plays in the log, one of them in each game."""
    if kind == "uniform":
        return ["uniform_random"]
    trained = cf.self_play_snapshots(GAME, cf.SelfPlayConfig(**SETTINGS["players"]), seed=0)
    return [*trained.by_role[0], "uniform_random"]


def likelihood(policy: cf.NetworkPolicy | None, log: cf.TrajectoryDataset) -> float:
    """Return the mean log-probability a move; of uniform play where there is no policy."""
    legal = log.legal_masks()
    if policy is None:
        return float(-np.log(legal.sum(axis=1)).mean())
    play = policy.probabilities(log.information_states(), legal)
    return float(np.log(np.maximum(play[np.arange(len(legal)), log.action], 1e-30)).mean())


def imitated(kind: str, seed: int) -> dict[str, dict[str, float]]:
    players = players_of(kind)
    log, fresh = (
        cf.generate_dataset(GAME, behavior=players, num_trajectories=SETTINGS[size], seed=start + seed)
        for size, start in (("games", 0), ("held_out", 1000))
    )
    clones = {"cloning": cf.clone_behavior(log, seed=seed)}
    for name, options in SETTINGS["methods"].items():
        (clones[name],) = cf.imitate_behavior(log, cf.SoftImitationConfig(**options), seed=seed)
    found = {"likelihood": {name: likelihood(policy, fresh) for name, policy in clones.items()}}
    found["likelihood"]["uniform"] = likelihood(None, fresh)
    if kind == "mixture":
        kept = {"cloning": clones["cloning"], "soft values": clones[SETTINGS["anchor"]]}
        found["regret"] = {name: regret(strategy, seed) for name, strategy in searched(log, kept, seed).items()}
    return found


def searched(log: cf.TrajectoryDataset, clones: dict[str, cf.NetworkPolicy], seed: int) -> dict[str, Strategy]:
    """Return the clones, what self-play finds near each or near uniform play, and that mixed with each."""
    model = cf.DynamicsEnsemble.fit(log, cf.EnsembleConfig.preset("best"), seed=seed)
    judge = cf.PolicyGradient(**SETTINGS["judge"])
    config = cf.SelfPlayConfig(**SETTINGS["self_play"], judge=judge)
    near = cf.SelfPlayConfig(**SETTINGS["self_play"], judge=judge, reference="cloned")
    plain = cf.anchored_self_play(model, config, seed).policies[0]
    found = {"near uniform play": plain}
    share = SETTINGS["mixed"]
    for name, clone in clones.items():
        found[name] = clone
        found[f"near {name}"] = cf.anchored_self_play(model, near, seed, reference=clone).policies[0]
        found[f"mixed with {name}"] = cf.PerStepMixture((clone, plain), (share, 1.0 - share))
    return found


def regret(strategy: Strategy, seed: int) -> float:
    judge = cf.PolicyGradient(**SETTINGS["judge"])
    mixture = cf.Mixture((strategy,), [1.0])
    found = cf.true_regret(GAME, mixture, seed, response=judge, num_simulations=SETTINGS["num_simulations"])
    return float(found.debiased_sum_regret)


def mean_and_error(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def draw(rows: dict[str, list[dict]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
    for axes in (left, right):
        _style.clean(axes)
    for place, (kind, color) in enumerate(zip(rows, _style.COLORS, strict=False)):
        for at, name in enumerate(SETTINGS["methods"]):
            gains = [row["likelihood"][name] - row["likelihood"]["cloning"] for row in rows[kind]]
            mean, error = mean_and_error(gains)
            label = f"logs of {'uniform play' if kind == 'uniform' else 'the mixture'}" if at == 0 else None
            left.errorbar([mean], [at + 0.2 * place], xerr=[error], fmt="o", color=color, markersize=4, label=label)
    left.axvline(0.0, color=_style.INK, linewidth=0.6)
    left.set_yticks(np.arange(len(SETTINGS["methods"])) + 0.1, list(SETTINGS["methods"]))
    left.set(xlabel="held-out log-probability above cloning's")
    left.legend(frameon=False, fontsize="small")
    names = list(rows["mixture"][0]["regret"])
    for at, name in enumerate(names):
        mean, error = mean_and_error([row["regret"][name] for row in rows["mixture"]])
        right.errorbar([mean], [at], xerr=[error], fmt="o", color=_style.COLORS[2], markersize=4)
    right.set_yticks(range(len(names)), names)
    right.set(xlabel="true regret, from logs of the mixture")
    figure.savefig(HERE / "imitation_networks.png", dpi=130)


def main() -> None:
    warnings.simplefilter("ignore", cf.errors.ModelWarning)
    parts = {
        f"{kind} {seed}": lambda kind=kind, seed=seed: imitated(kind, seed)
        for seed in SETTINGS["logs"]
        for kind in ("mixture", "uniform")
    }
    results = resumed("imitation_networks", SETTINGS, parts)
    rows = {kind: [results[f"{kind} {seed}"] for seed in SETTINGS["logs"]] for kind in ("uniform", "mixture")}
    for kind, own in rows.items():
        for figure in own[0]:
            for name in own[0][figure]:
                mean, error = mean_and_error([row[figure][name] for row in own])
                apart, its_error = mean_and_error([row[figure][name] - row[figure]["cloning"] for row in own])
                print(f"{kind}, {figure}, {name}: {mean:.4f} ± {error:.4f};", end=" ")
                print(f"above cloning {apart:.4f} ± {its_error:.4f}")
    draw(rows)


if __name__ == "__main__":
    main()
