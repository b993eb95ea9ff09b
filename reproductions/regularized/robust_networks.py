"""What robust networks are for: to cross ice that is thinner in use than it was in the log, seen as a position.

Each step everybody walks half a step or runs a whole one, more or less, and all move on by the mean; whoever runs may
slip, and then all is over. Time costs, and who comes to the other side is paid one step later: what is feared are
states, not rewards. Logs of random play show a slip in a twentieth of the steps in which all run. One alone is answered
by `network_rpq`, two teammates by `robust_qmix`, with fear and without; then they play where ice is as logged and where
it is thinner: what they get in the mean over logs, with the standard error over logs. Run it again to go on where it
was interrupted:

    python reproductions/regularized/robust_networks.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

from coffee_fast.plotting import _style
from coffee_fast.regularized import network_rpq, robust_qmix

SETTINGS = {
    "width": 4.0,
    "cost": 0.06,
    "slip": 0.05,
    "shifts": [0.0, 0.1, 0.2, 0.3, 0.4],
    "num_episodes": 1000,
    "num_judged": 4000,
    "seeds": [0, 1, 2],
    "networks": {
        **{"hidden_sizes": [32], "num_iterations": 14, "num_steps": 60, "learning_rate": 0.01, "discount": 1.0},
        "batch_size": 128,
    },
    "fears": {
        "no fear": {"weight": 1e6},
        "KL, weight 0.2": {"distance": "kl", "weight": 0.2},
        "total variation, weight 0.5": {"weight": 0.5},
    },
}
RUN, MOST_STEPS = 1, 40
OUT = -1.0  # the place of who slipped


def played(policies: list[Any], slip: float, num_episodes: int, seed: int) -> tuple[dict[str, Any], float]:
    """Return the log of episodes, side by side, of policies (None: uniformly random), and their mean return."""
    rng = np.random.default_rng(seed)
    place, going, total = np.zeros(num_episodes), np.arange(num_episodes), np.zeros(num_episodes)
    parts = []
    for _ in range(MOST_STEPS):
        seen = place[going, None]
        is_last = (place[going] == OUT) | (place[going] == SETTINGS["width"])
        action = np.stack([_chosen(policy, seen, rng) for policy in policies], axis=1)
        pace = np.where(action == RUN, 1.0, 0.5) * rng.uniform(0.7, 1.3, size=action.shape)
        has_slipped = ((rng.random(action.shape) < slip / len(policies)) & (action == RUN)).any(axis=1)
        reward = np.where(is_last, place[going] == SETTINGS["width"], -SETTINGS["cost"])
        total[going] += reward
        place[going] = np.where(has_slipped, OUT, np.minimum(place[going] + pace.mean(axis=1), SETTINGS["width"]))
        parts.append((going, seen, action, np.repeat(reward[:, None], len(policies), axis=1)))
        going = going[~is_last]
        if not len(going):
            break
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    names = ("trajectory", "observation", "action", "reward")
    return {name: column[order] for name, column in zip(names, columns, strict=True)}, float(total.mean())


def _chosen(policy: Any, seen: Any, rng: np.random.Generator) -> Any:
    if policy is None:
        return rng.integers(2, size=len(seen))
    return policy.probabilities(seen, np.ones((len(seen), 2), dtype=np.uint8)).argmax(axis=1)


def of_log(seed: int) -> dict[str, dict[str, Any]]:
    networks, found = SETTINGS["networks"] | {"seed": seed}, {}
    for who, num_players in (("alone", 1), ("team", 2)):
        log, _ = played([None] * num_players, SETTINGS["slip"], SETTINGS["num_episodes"], seed)
        for name, options in SETTINGS["fears"].items():
            if who == "alone":
                policies = [network_rpq(log, **options, **networks).policy]
            else:
                policies = list(robust_qmix(log, **options, **networks).policies)
            found[f"{who}, {name}"] = [
                played(policies, SETTINGS["slip"] + shift, SETTINGS["num_judged"], 1000 + seed)[1]
                for shift in SETTINGS["shifts"]
            ]
    return found


def draw(results: dict[str, Any]) -> None:
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    slips = SETTINGS["slip"] + np.array(SETTINGS["shifts"])
    for axes, who in zip(panels, ("alone", "team"), strict=True):
        _style.clean(axes)
        for name, color, marker in zip(SETTINGS["fears"], _style.COLORS, _style.MARKERS, strict=False):
            values = np.array([log[f"{who}, {name}"] for log in results.values()])
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            axes.errorbar(slips, values.mean(axis=0), error, color=color, marker=marker, markersize=4, label=name)
        axes.axvline(SETTINGS["slip"], color=_style.INK, linewidth=0.6, linestyle=":")
        axes.set(xlabel="chance to slip in use (dotted: in the log)", ylabel="return")
        axes.set_title("one alone" if who == "alone" else "two teammates", fontsize="medium", loc="left")
        axes.legend(frameon=False, fontsize="small")
    figure.savefig(HERE / "robust_networks.png", dpi=130)


def main() -> None:
    parts = {f"log {seed}": lambda seed=seed: of_log(seed) for seed in SETTINGS["seeds"]}
    results = resumed("robust_networks", SETTINGS, parts)
    for name in next(iter(results.values())):
        values = np.array([log[name] for log in results.values()])
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        print(f"{name}:", *(f"{mean:.3f} ± {e:.3f}" for mean, e in zip(values.mean(axis=0), error, strict=True)))
    draw(results)


if __name__ == "__main__":
    main()
