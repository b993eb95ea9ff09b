"""What teammates learn apart from one log of cooperative play: InSPO and AlberDICE beside cloning.

XOR (values of the profile learned from each of four logs), three meeting points (what each method settles on), and
Bridge (returns of 20 steps in the true game by the size of the log, the mean over logs and their standard error). Run
it again to go on where it was interrupted:

    python reproductions/regularized/cooperative.py
"""

from __future__ import annotations

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

from coffee_fast.data import bridge_log, xor_log
from coffee_fast.games import Bridge
from coffee_fast.games.matrix import three_meeting_points, xor
from coffee_fast.plotting import _style
from coffee_fast.regularized import CommonPayoffGame, alberdice, clone_independently, clone_jointly, inspo

SETTINGS = {
    "seeds": [0, 1, 2],
    "episodes": [10, 50, 500],
    "xor_weight": 0.1,
    "bridge_weight": 0.01,
    "alberdice_weights": [1.0, 0.2, 0.05, 0.01],
    "horizon": 20,
    "meeting_behavior": [0.6, 0.3, 0.1],
    "entropy_schedule": [10, 8, 6, 4, 2, 1, 0.5, 0.1, 0],
}
METHODS = {
    "cloned apart": "independent cloning",
    "cloned together": "joint cloning",
    "inspo": "InSPO",
    "alberdice": "AlberDICE",
}


def on_xor() -> dict[str, dict[str, float]]:
    payoffs, weight, found = xor().payoffs[0], SETTINGS["xor_weight"], {}
    for name in "abcd":
        game = CommonPayoffGame.from_log(xor_log(name), num_actions=2)
        first, second = (policy[0] for policy in clone_independently(game))
        found[name] = {
            "cloned apart": float(first @ payoffs @ second),
            "cloned together": float((clone_jointly(game)[0] * payoffs).sum()),
        }
        for method, solve in (("inspo", inspo), ("alberdice", alberdice)):
            first, second = (policy[0] for policy in solve(game, kl_weight=weight).policies)
            found[name][method] = float(first @ payoffs @ second)
    return found


def on_meeting_points() -> dict[str, float]:
    payoffs, m = three_meeting_points().payoffs[0], SETTINGS["meeting_behavior"]
    game = CommonPayoffGame.from_arrays(payoffs, np.outer(m, m))
    return {
        "cloned": float(m @ payoffs @ np.array(m)),
        "inspo": inspo(game, kl_weight=1.0).expected_return,
        "alberdice": alberdice(game, kl_weight=1.0).expected_return,
        "inspo, entropy annealed": inspo(
            game, kl_weight=1.0, entropy_weight=SETTINGS["entropy_schedule"]
        ).expected_return,
    }


def on_bridge(log: str, num_episodes: int, seed: int) -> dict[str, float]:
    bridge, weight = Bridge(), SETTINGS["bridge_weight"]
    game = CommonPayoffGame.from_log(bridge_log(log, seed=seed, num_episodes=num_episodes), num_actions=5, floor=1e-6)

    def value(*policies: np.ndarray) -> float:
        everywhere = []
        for policy in policies:
            whole = np.full((bridge.num_states, *policy.shape[1:]), 1.0 / policy[0].size)
            whole[list(game.state_keys)] = policy
            everywhere.append(whole)
        return bridge.expected_return(
            everywhere if len(everywhere) == 2 else everywhere[0], horizon=SETTINGS["horizon"]
        )

    return {
        "cloned apart": value(*clone_independently(game)),
        "cloned together": value(clone_jointly(game)),
        "inspo": value(*inspo(game, kl_weight=weight).policies),
        "alberdice": value(*alberdice(game, kl_weight=SETTINGS["alberdice_weights"], max_iterations=6).policies),
    }


def draw(results: dict) -> None:
    figure = Figure(figsize=(11.0, 4.0), layout="constrained")
    panels = figure.subplots(1, 4, width_ratios=[1.3, 0.9, 1, 1])
    for axes in panels:
        _style.clean(axes)
    colors = dict(zip(METHODS, _style.COLORS, strict=False))
    for i, (method, label) in enumerate(METHODS.items()):
        values = [results["xor"][log][method] for log in "abcd"]
        panels[0].bar(np.arange(4) + 0.2 * (i - 1.5), values, 0.2, color=colors[method], label=label)
    panels[0].axhline(0.0, color=_style.INK, linewidth=0.6)
    panels[0].set_xticks(range(4), "abcd")
    panels[0].set(xlabel="log", ylabel="expected payoff")
    panels[0].set_title("XOR", fontsize="medium", loc="left")
    meeting = results["meeting points"]
    shades = [colors["cloned apart"], colors["inspo"], colors["alberdice"], colors["inspo"]]
    order = ["cloned", "inspo", "alberdice", "inspo, entropy annealed"]
    bars = panels[1].bar(range(4), [meeting[method] for method in order], 0.7, color=shades)
    bars[3].set_hatch("//")
    panels[1].axhline(0.0, color=_style.INK, linewidth=0.6)
    panels[1].set_xticks(range(4), ["cloned", "InSPO", "Alber-\nDICE", "InSPO,\nannealed"], fontsize="x-small")
    panels[1].set_title("Three meeting points", fontsize="medium", loc="left")
    sizes, optimum = SETTINGS["episodes"], Bridge().optimal_return(horizon=SETTINGS["horizon"])
    for axes, log in zip(panels[2:], ("optimal", "mix"), strict=True):
        for (method, color), marker in zip(colors.items(), _style.MARKERS, strict=False):
            values = np.array(
                [[results[f"bridge {log} {n} {seed}"][method] for n in sizes] for seed in SETTINGS["seeds"]]
            )
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            axes.errorbar(sizes, optimum - values.mean(axis=0), error, color=color, marker=marker, markersize=4)
        axes.set(xscale="log", yscale="log", xlabel="optimal episodes", ylabel="return lost")
        axes.set_title("Bridge" if log == "optimal" else "Bridge, half at random", fontsize="medium", loc="left")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(HERE / "cooperative.png", dpi=130)


def main() -> None:
    parts = {"xor": on_xor, "meeting points": on_meeting_points}
    for log in ("optimal", "mix"):
        for n in SETTINGS["episodes"]:
            for seed in SETTINGS["seeds"]:
                parts[f"bridge {log} {n} {seed}"] = lambda case=(log, n, seed): on_bridge(*case)
    results = resumed("cooperative", SETTINGS, parts)
    for log in ("optimal", "mix"):
        for n in SETTINGS["episodes"]:
            rows = [results[f"bridge {log} {n} {seed}"] for seed in SETTINGS["seeds"]]
            print(f"bridge {log} {n}:", {m: round(float(np.mean([row[m] for row in rows])), 4) for m in METHODS})
    draw(results)


if __name__ == "__main__":
    main()
