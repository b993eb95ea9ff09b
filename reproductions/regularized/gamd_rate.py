"""How fast anchored mirror descent comes to a coarse correlated equilibrium: 1/T, below its bound, for any game.

Random games with payoffs in [0, 1] of two and three players. Run it again to go on where it was interrupted:

    python reproductions/regularized/gamd_rate.py
"""

from __future__ import annotations

import numpy as np
from _parts import loglog_figure, resumed

from coffee_fast._reference.anchored_mirror_descent import anchored_mirror_descent
from coffee_fast.seeding import derive_seed

ROUNDS = [10, 30, 100, 300, 1000, 3000, 10_000]
CASES = [((3, 3), 0.05), ((3, 3), 0.3), ((2, 3, 4), 0.05), ((2, 3, 4), 0.3)]
SETTINGS = {"games": 20, "seed": 0, "rounds": ROUNDS}


def figures(shape: tuple[int, ...], kl_weight: float) -> dict[str, list[float]]:
    """Return the mean over games of the summed gap, and the largest share that a gap is of its bound, by rounds."""
    rng = np.random.Generator(np.random.PCG64(derive_seed(SETTINGS["seed"], "gamd_rate", *shape)))
    payoffs = list(rng.random((len(shape), SETTINGS["games"], *shape)))
    ranges = np.stack([np.ptp(p.reshape(len(p), -1), axis=1) for p in payoffs], axis=1)
    reference = [np.full((len(payoffs[0]), size), -np.log(size)) for size in shape]
    weights = np.full((len(payoffs[0]), len(shape)), kl_weight)
    gaps, shares = [], []
    for rounds in ROUNDS:
        gap = anchored_mirror_descent(payoffs, reference, weights, num_iterations=rounds).gap
        bound = ranges**2 * (1 + np.log(rounds)) / (8 * kl_weight * rounds)
        gaps.append(float(gap.sum(axis=1).mean()))
        shares.append(float((gap / bound).max()))
    return {"gap": gaps, "largest_share_of_bound": shares}


def main() -> None:
    names = {f"{' x '.join(map(str, shape))}, weight {weight}": (shape, weight) for shape, weight in CASES}
    parts = {name: lambda case=case: figures(*case) for name, case in names.items()}
    results = resumed("gamd_rate", SETTINGS, parts)
    curves = {}
    for name in names:
        gaps = results[name]["gap"]
        slope = np.polyfit(np.log(ROUNDS[2:]), np.log(gaps[2:]), 1)[0]
        curves[f"{name} (slope {slope:.2f})"] = (ROUNDS, gaps, "o-")
        print(
            f"{name}: slope {slope:.3f}, largest share of the bound {max(results[name]['largest_share_of_bound']):.3f}"
        )
    loglog_figure(
        "gamd_rate", "rounds T", "gap, summed over players", "Anchored mirror descent: the gap falls like 1/T", curves
    )


if __name__ == "__main__":
    main()
