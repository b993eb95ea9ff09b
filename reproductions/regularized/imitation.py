"""Does imitation by soft values predict logged play better than frequencies do? MAFIS beside cloning on held-out play.

Random games of two players (4 steps, 5 states, 3 actions each, play and transitions drawn at random) and optimal play
of Bridge, by the size of the log: the mean log-probability a decision of 1000 further episodes, less that of plain
cloning. Half a play is added to each action by all methods, so that none is impossible. Means over games and logs, with
their standard errors; methods are named by divergence and temperature, "by step" without what follows. Run it again to
go on where it was interrupted:

    python reproductions/regularized/imitation.py
"""

from __future__ import annotations

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

from coffee_fast.data import bridge_log
from coffee_fast.games import Bridge
from coffee_fast.plotting import _style
from coffee_fast.regularized import TabularGame, mafis

SETTINGS = {
    "methods": {
        "kl, 0.2": {"divergence": "kl", "temperature": 0.2},
        "kl, 1": {"divergence": "kl", "temperature": 1.0},
        "kl, 0.2, by step": {"divergence": "kl", "temperature": 0.2, "discount": 0.0},
        "Hellinger, 0.2": {"divergence": "hellinger", "temperature": 0.2},
    },
    "smoothing": 0.5,
    "tolerance": 1e-3,
    "episodes": [20, 50, 200],
    "held_out": 1000,
    "seeds": [0, 1, 2, 3],
    "steps": 4,
    "states": 5,
    "actions": 3,
}


def random_logs(num_episodes: int, seed: int) -> tuple[TabularGame, TabularGame]:
    steps, states, actions = (SETTINGS[name] for name in ("steps", "states", "actions"))
    rng = np.random.default_rng(seed)
    policies = rng.dirichlet(np.ones(actions), size=(2, steps, states))
    moves = rng.dirichlet(np.full(states, 0.3), size=(steps, states, actions, actions))

    def log(count: int) -> TabularGame:
        rows: dict[str, list] = {"state": [], "action": [], "reward": [], "trajectory": []}
        for episode in range(count):
            state = 0
            for step in range(steps):
                action = [int(rng.choice(actions, p=policy[step, state])) for policy in policies]
                for name, value in (("state", state), ("action", action), ("trajectory", episode)):
                    rows[name].append(value)
                rows["reward"].append([0.0, 0.0])
                state = int(rng.choice(states, p=moves[step, state, action[0], action[1]]))
        return TabularGame.from_dataset(rows, num_states=states, num_actions=actions)

    return log(num_episodes), log(SETTINGS["held_out"])


def bridge_logs(num_episodes: int, seed: int) -> tuple[TabularGame, TabularGame]:
    def log(count: int, log_seed: int) -> TabularGame:
        rows = dict(bridge_log("optimal", seed=log_seed, num_episodes=count))
        del rows["next_state"]
        return TabularGame.from_dataset(rows, num_states=Bridge().num_states, num_actions=5)

    return log(num_episodes, seed), log(SETTINGS["held_out"], 1000 + seed)


def likelihoods(logs: tuple[TabularGame, TabularGame]) -> dict[str, float]:
    """Return the mean log-probability a decision of the second log by what imitates the first."""
    table, held_out = logs
    found = {}
    for name, options in {"cloning": {"divergence": "total"}, **SETTINGS["methods"]}.items():
        imitated = mafis(table, smoothing=SETTINGS["smoothing"], tolerance=SETTINGS["tolerance"], **options)
        if imitated.status != "converged":
            raise RuntimeError(f"{name}: {imitated.residual:.2g}")
        total = number = 0.0
        for player, policy in enumerate(imitated.policies):
            steps = min(policy.shape[0], held_out.horizon)
            counts = held_out.counts.sum(axis=3 - player)[:steps]
            total, number = total + (counts * np.log(policy[:steps])).sum(), number + counts.sum()
        found[name] = float(total / number)
    return found


def draw(results: dict[str, dict[str, float]]) -> None:
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 2), ("random games", "Bridge"), strict=True):
        _style.clean(axes)
        axes.axhline(0.0, color=_style.INK, linewidth=0.6)
        for name, color, marker in zip(SETTINGS["methods"], _style.COLORS, _style.MARKERS, strict=False):
            rows = [[results[f"{kind} {n} {seed}"] for n in SETTINGS["episodes"]] for seed in SETTINGS["seeds"]]
            gains = np.array([[found[name] - found["cloning"] for found in row] for row in rows])
            error = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
            means, style = gains.mean(axis=0), {"color": color, "marker": marker, "markersize": 4}
            axes.errorbar(SETTINGS["episodes"], means, error, label=name.replace("kl", "KL"), **style)
        axes.set(xscale="log", xlabel="episodes in the log", ylabel="held-out log-probability above cloning's")
        axes.set_xticks(SETTINGS["episodes"], [f"{n}" for n in SETTINGS["episodes"]])
        axes.minorticks_off()
        axes.set_title(kind, fontsize="medium", loc="left")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(HERE / "imitation.png", dpi=130)


def main() -> None:
    makers = {"random games": random_logs, "Bridge": bridge_logs}
    parts = {
        f"{kind} {n} {seed}": lambda make=make, n=n, seed=seed: likelihoods(make(n, seed))
        for kind, make in makers.items()
        for n in SETTINGS["episodes"]
        for seed in SETTINGS["seeds"]
    }
    results = resumed("imitation", SETTINGS, parts)
    for kind in makers:
        for n in SETTINGS["episodes"]:
            rows = [results[f"{kind} {n} {seed}"] for seed in SETTINGS["seeds"]]
            print(f"{kind} {n}:", {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]})
    draw(results)


if __name__ == "__main__":
    main()
