"""What robustness is for: two race over ice that is thinner in use than it was in the log.

Each step a player walks one field or runs two. Who runs slips with some probability, is out, and pays for it until the
race is over; who is first over gets the prize, which both share who come at once. Logs of random play show a slip in a
tenth of the runs. Equilibria of their tables, without fear and for players who fear other transitions, are then played
where ice is as logged and where it is thinner: what a player gets, and its regret in the true game, means over players
and logs, with the standard error over logs. Run it again to go on where it was interrupted:

    python reproductions/regularized/robust.py
"""

from __future__ import annotations

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

from coffee_fast.plotting import _style
from coffee_fast.regularized import TabularGame, robust_nash
from coffee_fast.regularized.robust.environment import Environment, judged
from coffee_fast.regularized.robust.expectation import Uncertainty
from coffee_fast.typing import Float64

SETTINGS = {
    "fields": 4,
    "steps": 5,
    "slip": 0.1,
    "fall": -0.2,
    "shifts": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "fears": {
        "no fear": {"radius": 0.0},
        "KL 0.1": {"distance": "kl", "radius": 0.1},
        "KL 0.2": {"distance": "kl", "radius": 0.2},
        "KL 0.5": {"distance": "kl", "radius": 0.5},
        "total variation 0.2": {"distance": "total_variation", "radius": 0.2},
    },
    "unseen_value": -0.5,
    "num_episodes": 2000,
    "seeds": list(range(8)),
}
RUN = 1
OUT, HOME = SETTINGS["fields"], SETTINGS["fields"] + 1  # places of who slipped, and of who is over
SIDE = HOME + 1
OVER = SIDE * SIDE  # the state after the race


def race(slip: float) -> TabularGame:
    """The state is where both are, or that the race is over; it alone says what they get, one step after they came."""

    def model(step: int, state: int, actions: tuple[int, ...]) -> tuple[Float64, Float64]:
        rewards, moves = np.zeros(2), np.zeros(OVER + 1)
        places = np.array(divmod(state, SIDE))
        if state == OVER or (places == HOME).any():
            moves[OVER] = 1.0
            if state != OVER:
                rewards += (places == HOME) / (places == HOME).sum()
        else:
            for slips in np.ndindex(2, 2):
                chance, after = 1.0, [0, 0]
                for i, (place, action, has_slipped) in enumerate(zip(places, actions, slips, strict=True)):
                    risk = slip if action == RUN and place != OUT else 0.0
                    chance *= risk if has_slipped else 1.0 - risk
                    walked = OUT if place == OUT else HOME if place + 1 + action >= OUT else place + 1 + action
                    after[i] = OUT if has_slipped else walked
                moves[after[0] * SIDE + after[1]] += chance
        return rewards + SETTINGS["fall"] * ((places == OUT) & (state != OVER)), moves

    return TabularGame.from_model(model, horizon=SETTINGS["steps"], num_actions=(2, 2), initial=np.eye(OVER + 1)[0])


def logged(game: TabularGame, seed: int) -> TabularGame:
    """Return the table of a log of uniformly random play."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list] = {"state": [], "action": [], "reward": [], "trajectory": []}
    for episode in range(SETTINGS["num_episodes"]):
        state = 0
        for step in range(game.horizon):
            cell = (step, state, *rng.integers(2, size=2).tolist())
            after = int(rng.choice(OVER + 1, p=game.transitions[cell]))
            for name, value in (("state", state), ("action", cell[2:]), ("trajectory", episode)):
                rows[name].append(value)
            rows["reward"].append(game.rewards[(slice(None), *cell)])
            state = after
    return TabularGame.from_dataset(rows, num_states=OVER + 1, num_actions=2)


def in_use(policies: tuple[Float64, ...]) -> dict[str, list[float]]:
    """Return the mean value and regret of play on ice of every thickness."""
    found = [
        judged(Environment(race(SETTINGS["slip"] + shift), Uncertainty.none(2), np.zeros(2)), policies)
        for shift in SETTINGS["shifts"]
    ]
    return {"value": [float(x.value.mean()) for x in found], "regret": [float(x.gap.mean()) for x in found]}


def of_log(seed: int) -> dict[str, dict[str, list[float]]]:
    table, found = logged(race(SETTINGS["slip"]), seed), {}
    for name, options in SETTINGS["fears"].items():
        solved = robust_nash(table, unseen_value=SETTINGS["unseen_value"], **options)
        if solved.status != "converged":
            raise RuntimeError(f"seed {seed}, {name}: gap {solved.gap.max():.2g}")
        found[name] = in_use(solved.policies)
    return found


def draw(results: dict) -> None:
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    panels = figure.subplots(1, 2)
    slips = SETTINGS["slip"] + np.array(SETTINGS["shifts"])
    for axes, figure_of, label in zip(panels, ("value", "regret"), ("what a player gets", "regret"), strict=True):
        _style.clean(axes)
        for name, color, marker in zip(SETTINGS["fears"], _style.COLORS, _style.MARKERS, strict=False):
            values = np.array([log[name][figure_of] for log in results.values()])
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            axes.errorbar(slips, values.mean(axis=0), error, color=color, marker=marker, markersize=4, label=name)
        axes.axvline(SETTINGS["slip"], color=_style.INK, linewidth=0.6, linestyle=":")
        axes.set(xlabel="chance to slip in use (dotted: in the log)", ylabel=label)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(HERE / "robust.png", dpi=130)


def main() -> None:
    results = resumed("robust", SETTINGS, {f"log {seed}": lambda seed=seed: of_log(seed) for seed in SETTINGS["seeds"]})
    for name in SETTINGS["fears"]:
        for of in ("value", "regret"):
            means = np.mean([log[name][of] for log in results.values()], axis=0)
            print(f"{name}, {of}:", means.round(3).tolist())
    draw(results)


if __name__ == "__main__":
    main()
