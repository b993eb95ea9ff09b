"""How fast anchored and plain equilibria of a log become good in the true game: 1/n against 1/sqrt(n).

A bandit log of n plays, actions even and payoffs with Gaussian noise of 0.5, of a 3 x 3 game; the anchored equilibrium
of its cell means (weight 0.5, uniform reference) is judged by its regularized gap in the true game, a plain Nash
equilibrium of the same means by its regret. Run it again to go on where it was interrupted:

    python reproductions/regularized/gane_rate.py
"""

from __future__ import annotations

import itertools

import numpy as np
from _parts import loglog_figure, resumed

import coffee_fast as cf
from coffee_fast._reference.anchored import regularized_gap
from coffee_fast._reference.anchored_solver import solve_anchored
from coffee_fast.regularized import gane
from coffee_fast.seeding import derive_seed

TRUTH = np.array(
    [
        [[0.9, 0.1, 0.4], [0.3, 0.8, 0.2], [0.5, 0.6, 0.7]],
        [[0.2, 0.7, 0.5], [0.6, 0.1, 0.9], [0.4, 0.8, 0.3]],
    ]
)
SIZES = [500, 1000, 2000, 4000, 8000, 16_000, 32_000]
SETTINGS = {"kl_weight": 0.5, "noise": 0.5, "repetitions": 300, "seed": 0}
SUPPORTS = [s for size in (1, 2, 3) for s in itertools.combinations(range(3), size)]


def logs(num_plays: int) -> np.ndarray:
    """Return the cell means ``[2, repetitions, 3, 3]`` of as many logs."""
    rng = np.random.Generator(np.random.PCG64(derive_seed(SETTINGS["seed"], "gane_rate", num_plays)))
    counts = rng.multinomial(num_plays, np.full(9, 1 / 9), size=SETTINGS["repetitions"]).reshape(-1, 3, 3)
    noise = rng.normal(size=(2, *counts.shape)) * SETTINGS["noise"] / np.sqrt(counts)
    return TRUTH[:, None] + noise


def anchored_gaps(means: np.ndarray) -> np.ndarray:
    """Return the regularized gap in the true game, summed over players, of each log's anchored equilibrium."""
    games = means.shape[1]
    reference, weights = [np.full((games, 3), -np.log(3.0))] * 2, np.full((games, 2), SETTINGS["kl_weight"])
    found = solve_anchored(list(means), reference, weights, tolerance=1e-12)
    assert found.converged.all()
    truth = [np.repeat(payoffs[None], games, axis=0) for payoffs in TRUTH]
    return regularized_gap(truth, reference, weights, found.mixtures).sum(axis=1)


def plain_nash(row: np.ndarray, column: np.ndarray) -> list[np.ndarray]:
    """Return a Nash equilibrium of a 3 x 3 game, the first by enumeration of supports."""
    for rows, columns in itertools.product(SUPPORTS, SUPPORTS):
        if len(rows) != len(columns):
            continue
        y = indifference(row[np.ix_(rows, columns)])
        x = indifference(column[np.ix_(rows, columns)].T)
        if x is None or y is None or min(x.min(), y.min()) < 0:
            continue
        mixtures = [np.zeros(3), np.zeros(3)]
        mixtures[0][list(rows)], mixtures[1][list(columns)] = x, y
        q = row @ mixtures[1], mixtures[0] @ column
        if all(v.max() - m @ v < 1e-9 for v, m in zip(q, mixtures, strict=True)):
            return mixtures
    raise AssertionError("every game has an equilibrium")


def indifference(payoffs: np.ndarray) -> np.ndarray | None:
    """Return the mixture over columns that makes all rows equally good, if there is one."""
    size = len(payoffs)
    system = np.block([[payoffs, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
    if abs(np.linalg.det(system)) < 1e-12:
        return None
    return np.linalg.solve(system, np.r_[np.zeros(size), 1.0])[:-1]


def figures(num_plays: int) -> dict[str, float]:
    means, table = logs(num_plays), cf.PayoffTable.from_arrays(TRUTH)
    anchored = anchored_gaps(means)
    plain = np.array([table.regret(plain_nash(*means[:, log])).sum() for log in range(means.shape[1])])
    error = np.sqrt(len(plain))
    return {
        "anchored_gap": anchored.mean(),
        "anchored_gap_error": anchored.std() / error,
        "plain_regret": plain.mean(),
        "plain_regret_error": plain.std() / error,
    }


def predicted_constant() -> float:
    """Return the limit of n times the summed gap: the solver's own expectation from counts and variances."""
    n = 9 * 10**6
    game = cf.TabularGame(
        TRUTH[:, None, None],
        counts=np.full((1, 1, 3, 3), n // 9),
        reward_variance=np.full((2, 1, 1, 3, 3), SETTINGS["noise"] ** 2),
    )
    return n * float(gane(game, kl_weight=SETTINGS["kl_weight"], reference="uniform").expected_gap.sum())


def main() -> None:
    parts = {str(n): lambda n=n: {k: float(v) for k, v in figures(n).items()} for n in SIZES}
    results = resumed("gane_rate", SETTINGS, parts)
    sizes, constant = np.array(SIZES), predicted_constant()
    gaps = np.array([results[str(n)]["anchored_gap"] for n in SIZES])
    regrets = np.array([results[str(n)]["plain_regret"] for n in SIZES])
    slopes = [float(np.polyfit(np.log(sizes), np.log(y), 1)[0]) for y in (gaps, regrets)]
    print(f"n * gap: {(sizes * gaps).round(3).tolist()}, predicted {constant:.5f}; slopes {slopes}")
    loglog_figure(
        "gane_rate",
        "plays in the log",
        "loss in the true game, both players",
        "Anchored equilibria of a log lose 1/n, plain ones 1/sqrt(n)",
        {
            f"anchored: regularized gap (slope {slopes[0]:.2f})": (sizes, gaps, "o-"),
            f"predicted, {constant:.3f} / n": (sizes, constant / sizes, ":"),
            f"plain Nash: regret (slope {slopes[1]:.2f})": (sizes, regrets, "s-"),
        },
    )


if __name__ == "__main__":
    main()
