"""What strategic risk aversion is for: teammates trained apart meet, after plain self-play and after SRPO.

Two games in which all get what is done, and each pays for its own part: volunteers (one who helps is enough) and a
load carried in three steps, in each of which a hand more makes the next stage likelier. For every risk aversion eight
pairs learn from starts of their own. Then each plays with its own partner (self-play) and with all others' partners
(cross-play); free-riding is how much more of the work one of a pair does. Run it again to go on where it was
interrupted:

    python reproductions/regularized/cross_play.py
"""

from __future__ import annotations

import itertools

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

from coffee_fast.plotting import _style
from coffee_fast.regularized import TabularGame, srpo
from coffee_fast.typing import Float64

SETTINGS = {
    "risk_aversions": [0.0, 0.5, 1.0, 2.0, 5.0, 10.0],
    "temperatures": {"volunteers": 0.2, "load": 0.12},
    "cost": {"volunteers": 0.4, "load": 0.3},
    "steps": 3,
    "chance": [0.1, 0.7, 0.8],
    "num_pairs": 8,
    "max_iterations": 20_000,
}
HELP = 1


def volunteers() -> TabularGame:
    cost = SETTINGS["cost"]["volunteers"]
    hands = np.indices((2, 2))
    return TabularGame((hands.max(axis=0) - cost * hands)[:, None, None])


def load() -> TabularGame:
    """The state is how far the load has come; each stage pays one, by a chance that grows with helping hands."""
    steps, cost, chance = SETTINGS["steps"], SETTINGS["cost"]["load"], SETTINGS["chance"]

    def model(step: int, state: int, actions: tuple[int, ...]) -> tuple[list[float], Float64]:
        moves, moved = np.zeros(steps + 1), chance[sum(actions)]
        moves[state] += 1.0 - moved
        moves[min(state + 1, steps)] += moved
        gained = moved * (state < steps)
        return [gained - cost * action for action in actions], moves

    initial = np.eye(steps + 1)[0]
    return TabularGame.from_model(model, horizon=steps, num_actions=(2, 2), initial=initial)


def returns(game: TabularGame, policies: tuple[Float64, ...]) -> tuple[Float64, Float64]:
    """Return what both get, and how often each helps, ``[N]``, an episode."""
    reach, gained, helped = game.initial, np.zeros(2), np.zeros(2)
    for step in range(game.horizon):
        joint = reach[:, None, None] * policies[0][step][:, :, None] * policies[1][step][:, None, :]
        gained = gained + (game.rewards[:, step] * joint).sum(axis=(1, 2, 3))
        helped += [joint[:, HELP].sum(), joint[:, :, HELP].sum()]
        if game.transitions is not None:
            reach = np.einsum("sab,sabt->t", joint, game.transitions[step])
    return gained, helped / game.horizon


def pairs(game: TabularGame, temperature: float, risk_aversion: float) -> list[tuple[Float64, ...]]:
    """Train pairs from starts in which one or the other may be the one who helps."""
    found = []
    for seed in range(SETTINGS["num_pairs"]):
        rng = np.random.default_rng(seed)
        learned = srpo(
            game,
            temperature=temperature,
            risk_aversion=risk_aversion,
            initial=[rng.dirichlet(np.full(2, 2.0)) for _ in range(2)],
            max_iterations=SETTINGS["max_iterations"],
        )
        if learned.status != "converged":
            raise RuntimeError(f"risk aversion {risk_aversion}, seed {seed}: gap {learned.gap.max():.2g}")
        found.append(learned.policies)
    return found


def measured(game: TabularGame, temperature: float, risk_aversion: float) -> dict[str, float]:
    teams = pairs(game, temperature, risk_aversion)
    own = [returns(game, team) for team in teams]
    met = [returns(game, (a[0], b[1]))[0].sum() for a, b in itertools.permutations(teams, 2)]
    return {
        "self-play": float(np.mean([gained.sum() for gained, _ in own])),
        "cross-play": float(np.mean(met)),
        "worst cross-play": float(np.min(met)),
        "free-riding": float(np.mean([abs(helped[0] - helped[1]) for _, helped in own])),
    }


def draw(results: dict[str, dict[str, float]]) -> None:
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    panels = figure.subplots(1, 2)
    names = ["self-play", "cross-play", "worst cross-play", "free-riding"]
    x = np.arange(len(SETTINGS["risk_aversions"]))
    for axes, game in zip(panels, ("volunteers", "load"), strict=True):
        _style.clean(axes)
        for name, color, marker in zip(names, _style.COLORS, _style.MARKERS, strict=False):
            y = [results[f"{game} {tau:g}"][name] for tau in SETTINGS["risk_aversions"]]
            style = "--" if name == "free-riding" else "-"
            axes.plot(x, y, style, color=color, marker=marker, markersize=4, label=name)
        axes.set_xticks(x, [f"{tau:g}" for tau in SETTINGS["risk_aversions"]])
        axes.set(xlabel="risk aversion (0: plain self-play)", ylabel="return of both, share of the work")
        axes.set_title(game, fontsize="medium", loc="left")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(HERE / "cross_play.png", dpi=130)


def main() -> None:
    games = {"volunteers": volunteers(), "load": load()}
    parts = {
        f"{name} {tau:g}": lambda name=name, tau=tau: measured(games[name], SETTINGS["temperatures"][name], tau)
        for name in games
        for tau in SETTINGS["risk_aversions"]
    }
    results = resumed("cross_play", SETTINGS, parts)
    for name, figures in results.items():
        print(f"{name}:", {figure: round(value, 3) for figure, value in figures.items()})
    draw(results)


if __name__ == "__main__":
    main()
