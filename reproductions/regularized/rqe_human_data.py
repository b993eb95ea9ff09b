"""Risk-averse quantal equilibria and what people played in 13 games of two actions each.

First with the four parameters a game of Mazumdar, Panaganti and Shi 2025; then with one temperature and one risk
aversion for all players of all 12 games of Selten and Chmura 2008, each game predicted by what fits the 11 others:

    python reproductions/regularized/rqe_human_data.py
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from _parts import HERE, resumed
from matplotlib.figure import Figure

import coffee_fast as cf
from coffee_fast.plotting import _style
from coffee_fast.stage_games.kernels import Divergence, Regularizer, solve_risk_averse
from coffee_fast.typing import Float64

GAMES = json.loads((HERE / "human_games.json").read_text())["games"]
SHARED = [name for name in GAMES if name.startswith("SC")]
TEMPERATURES = np.geomspace(0.05, 20.0, 49)
RISK_AVERSIONS = np.geomspace(0.01, 30.0, 40)
NEUTRAL = np.zeros(1)
MODELS: dict[str, tuple[Divergence, Regularizer, Float64]] = {
    "quantal response (logit)": ("kl", "entropy", NEUTRAL),
    "quantal response (log barrier)": ("kl", "log_barrier", NEUTRAL),
    "RQE (KL, log barrier)": ("kl", "log_barrier", RISK_AVERSIONS),
    "RQE (reverse KL, entropy)": ("reverse_kl", "entropy", RISK_AVERSIONS),
}
SETTINGS = {"temperatures": TEMPERATURES.tolist(), "risk_aversions": RISK_AVERSIONS.tolist(), "games": GAMES}


def published() -> dict[str, Any]:
    """Return the equilibria for the published parameters of each game."""
    found = {}
    for name, game in GAMES.items():
        table = cf.PayoffTable.from_arrays([game["row"], game.get("column_as_fitted", game["column"])])
        play = cf.regularized.rqe(table, temperature=game["temperature"], risk_aversion=game["risk_aversion"])
        first = [float(x[0]) for x in play.mixtures]
        found[name] = {"first": first, "status": play.status, "tractability": play.tractability}
    return found


def nash() -> list[list[float]]:
    """Return the first probabilities of both players that make the other indifferent, for each shared game."""
    found = []
    for name in SHARED:
        row, column = np.array(GAMES[name]["row"]), np.array(GAMES[name]["column"])
        by_row = (column[1, 1] - column[1, 0]) / (column[0, 0] - column[0, 1] - column[1, 0] + column[1, 1])
        by_column = (row[1, 1] - row[0, 1]) / (row[0, 0] - row[0, 1] - row[1, 0] + row[1, 1])
        found.append([float(by_row), float(by_column)])
    return found


def predictions(divergence: Divergence, regularizer: Regularizer, risk_aversions: Float64) -> Float64:
    """Return first probabilities ``[parameters, games, 2]``, every game at every temperature and risk aversion."""
    temperature, tau = (x.ravel() for x in np.meshgrid(TEMPERATURES, risk_aversions, indexing="ij"))
    num_games = len(SHARED)
    payoffs = [np.array([GAMES[name][player] for name in SHARED], dtype=float) for player in ("row", "column")]
    scaled = [np.tile(u, (len(tau), 1, 1)) / np.repeat(temperature, num_games)[:, None, None] for u in payoffs]
    risk = np.repeat(temperature * tau, num_games)[:, None] * np.ones(2)
    uniform = [np.full((len(risk), 2), -np.log(2.0))] * 2
    allowed = np.full(risk.shape, 1e-10)
    found = solve_risk_averse(
        scaled, risk, uniform, allowed, divergence=divergence, regularizer=regularizer, max_iterations=300
    )
    first = np.stack([np.exp(x[:, 0]) for x in found.mixtures], axis=1)
    first[~found.converged] = np.nan
    return first.reshape(len(tau), num_games, 2)


def shared(model: str) -> dict[str, Any]:
    """Return the best parameters for all games together, and each game as the others' best parameters predict it."""
    divergence, regularizer, risk_aversions = MODELS[model]
    first, observed = predictions(divergence, regularizer, risk_aversions), observed_shared()
    errors = ((first - observed) ** 2).sum(axis=2)
    errors = np.where(np.isnan(errors), np.inf, errors)
    best = int(errors.sum(axis=1).argmin())
    left_out = []
    for game in range(len(SHARED)):
        chosen = int(np.delete(errors, game, axis=1).sum(axis=1).argmin())
        left_out.append(first[chosen, game].tolist())
    return {
        "temperature": float(np.repeat(TEMPERATURES, len(risk_aversions))[best]),
        "risk_aversion": float(np.tile(risk_aversions, len(TEMPERATURES))[best]),
        "fitted": first[best].tolist(),
        "left_out": left_out,
        "share_unsolved": float(np.isinf(errors).mean()),
    }


def observed_shared() -> Float64:
    return np.array([GAMES[name]["observed"] for name in SHARED])


def rms(predicted: Any, observed: Any) -> float:
    """Return the root mean square difference of probabilities."""
    return float(np.sqrt(np.mean((np.array(predicted) - np.array(observed)) ** 2)))


def main() -> None:
    parts: dict[str, Any] = {"published": published, "Nash": nash}
    parts |= {model: lambda model=model: shared(model) for model in MODELS}
    results = resumed("rqe_human_data", SETTINGS, parts)
    observed, shared_observed = [game["observed"] for game in GAMES.values()], observed_shared()
    exact = [results["published"][name]["first"] for name in GAMES]
    errors = {"Nash equilibrium": rms(results["Nash"], shared_observed)}
    print(f"published parameters: rms error {rms(exact, observed):.4f} over {len(observed)} games")
    print(f"Nash equilibrium: {errors['Nash equilibrium']:.4f}")
    for model in MODELS:
        found = results[model]
        errors[model] = rms(found["left_out"], shared_observed)
        print(
            f"{model}: temperature {found['temperature']:.3g}, risk aversion {found['risk_aversion']:.3g}, "
            f"fitted {rms(found['fitted'], shared_observed):.4f}, left out {errors[model]:.4f}, "
            f"unsolved {found['share_unsolved']:.3f}"
        )
    draw(observed, exact, results, errors)


def draw(observed: Any, exact: Any, results: dict[str, Any], errors: dict[str, float]) -> None:
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    shared_observed = observed_shared()
    left.plot(np.ravel(exact), np.ravel(observed), "o", color=_style.COLORS[0], markersize=4)
    left.set_title("four parameters a game (published)", fontsize="medium", loc="left")
    series = {"Nash equilibrium": results["Nash"]} | {model: results[model]["left_out"] for model in MODELS}
    for (name, values), marker, color in zip(series.items(), "xv^os", _style.COLORS, strict=False):
        label = f"{name}: {errors[name]:.3f}"
        right.plot(np.ravel(values), shared_observed.ravel(), marker, color=color, markersize=4, label=label)
    right.set_title("one set of parameters, game left out of the fit", fontsize="medium", loc="left")
    right.legend(frameon=False, fontsize="small", title="rms error", title_fontsize="small")
    for axes in (left, right):
        _style.clean(axes)
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
        axes.set(xlabel="predicted probability of the first action", ylabel="observed", xlim=(0, 1), ylim=(0, 1))
        axes.set_aspect("equal")
    figure.savefig(HERE / "rqe_human_data.png", dpi=130)


if __name__ == "__main__":
    main()
