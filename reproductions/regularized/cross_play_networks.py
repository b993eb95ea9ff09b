"""What ``SelfPlayConfig.risk_aversion`` is for: networks of teammates trained apart meet in tiny Hanabi.

One player sees its card and acts, the other sees its own card and that action; who hints what is a convention, and
pairs that learn apart may settle on different ones. For every risk aversion eight pairs learn by self-play from seeds
of their own, all at once or beside adversaries. Then each plays with its own partner (self-play) and with all others'
partners (cross-play); all figures are exact. Run it again to go on where it was interrupted:

    python reproductions/regularized/cross_play_networks.py
"""

from __future__ import annotations

import itertools

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

import coffee_fast as cf
from coffee_fast.plotting import _style

SETTINGS = {
    "game": "openspiel:tiny_hanabi",
    "risk_aversions": [0.0, 0.1, 0.3, 1.0, 3.0, 10.0],
    "num_pairs": 8,
    "hidden_sizes": [32],
    "num_updates": 400,
    "num_episodes": 1000,
    "kl_weight": [0.3, 0.02],
}


def pair(tree: cf.GameTree, risk_aversion: float, seed: int) -> tuple[cf.NetworkPolicy, ...]:
    first, last = SETTINGS["kl_weight"]
    config = cf.SelfPlayConfig(
        hidden_sizes=tuple(SETTINGS["hidden_sizes"]),
        num_updates=SETTINGS["num_updates"],
        num_episodes=SETTINGS["num_episodes"],
        kl_weight=first,
        kl_weight_end=last,
        risk_aversion=risk_aversion,
        num_snapshots=1,
    )
    return cf.self_play_snapshots(tree, config, seed=seed).snapshots[-1]


def measured(risk_aversion: float) -> dict[str, float]:
    tree = cf.GameTree(SETTINGS["game"])
    teams = [pair(tree, risk_aversion, seed) for seed in range(SETTINGS["num_pairs"])]
    own = [cf.exact_regret(tree, team).values[0] for team in teams]
    met = [cf.exact_regret(tree, (a[0], b[1])).values[0] for a, b in itertools.permutations(teams, 2)]
    return {
        "self-play": float(np.mean(own)),
        "cross-play": float(np.mean(met)),
        "worst cross-play": float(np.min(met)),
    }


def draw(results: dict[str, dict[str, float]]) -> None:
    figure = Figure(figsize=(5.5, 4.0), layout="constrained")
    axes = figure.subplots()
    _style.clean(axes)
    x = np.arange(len(SETTINGS["risk_aversions"]))
    names = ["self-play", "cross-play", "worst cross-play"]
    for name, color, marker in zip(names, _style.COLORS, _style.MARKERS, strict=False):
        y = [results[f"{tau:g}"][name] for tau in SETTINGS["risk_aversions"]]
        axes.plot(x, y, color=color, marker=marker, markersize=4, label=name)
    axes.set_xticks(x, [f"{tau:g}" for tau in SETTINGS["risk_aversions"]])
    axes.set(xlabel="risk aversion (0: plain self-play)", ylabel="what both get, of 10")
    axes.set_title("tiny Hanabi", fontsize="medium", loc="left")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(HERE / "cross_play_networks.png", dpi=130)


def main() -> None:
    parts = {f"{tau:g}": lambda tau=tau: measured(tau) for tau in SETTINGS["risk_aversions"]}
    results = resumed("cross_play_networks", SETTINGS, parts)
    for name, figures in results.items():
        print(f"{name}:", {figure: round(value, 3) for figure, value in figures.items()})
    draw(results)


if __name__ == "__main__":
    main()
