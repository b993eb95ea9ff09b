"""Zero-sum games of two: what solvers guarantee, held against the value that HiGHS finds from the other side."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from tests.soak.campaign import Campaign, Check, Mismatch

import coffee_fast as cf
from coffee_fast.meta_solvers import GANE, CorrelatedEquilibrium, Nash, Replicator

KINDS = ("any", "integers", "skew", "few", "shifted", "scaled")
ACCURACY = 1e-6  # of the range of payoffs


def game(case: int) -> np.ndarray:
    """Return what the column player pays to the row player: 1 to 64 strategies, payoffs up to 1e150."""
    rng = np.random.default_rng(case)
    rows, columns = (int(size) for size in np.exp(rng.uniform(0.0, np.log(64.999), 2)))
    kind = KINDS[case % len(KINDS)]
    payoffs = rng.normal(size=(rows, columns))
    if kind == "integers":
        payoffs = rng.integers(-3, 4, size=(rows, columns)).astype(float)
    elif kind == "skew":
        square = rng.normal(size=(rows, rows))
        payoffs = square - square.T
    elif kind == "few":  # strategies that are given more than once
        payoffs = payoffs[rng.integers(max(1, rows // 2), size=rows)]
    elif kind == "shifted":
        payoffs += 10.0 ** rng.uniform(0.0, 9.0)
    elif kind == "scaled":
        payoffs *= 10.0 ** rng.uniform(-150.0, 150.0)
    return payoffs


def value(payoffs: np.ndarray) -> float:
    """Return the value by the column player's program: the least bound on what it pays."""
    middle, spread = float(np.median(payoffs)), float(np.ptp(payoffs)) or 1.0
    rows, columns = payoffs.shape
    found = linprog(
        c=[*np.zeros(columns), 1.0],
        A_ub=np.c_[(payoffs - middle) / spread, -np.ones(rows)],
        b_ub=np.zeros(rows),
        A_eq=[[*np.ones(columns), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * columns + [(None, None)],
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"HiGHS: {found.message}")
    return float(middle + spread * found.fun)


def prepare() -> Check:
    def check(case: int) -> str:
        payoffs = game(case)
        table = cf.PayoffTable.from_arrays([payoffs, -payoffs])
        best, spread = value(payoffs), float(np.ptp(payoffs))
        # The value is a difference of payoffs that may lie far from zero.
        slack = ACCURACY * spread + 1e-12 * float(np.abs(payoffs).max())

        def guaranteed(mixtures: tuple[np.ndarray, ...]) -> tuple[float, float]:
            return float((mixtures[0] @ payoffs).min()), float((payoffs @ mixtures[1]).max())

        def near(name: str, number: float, allowed: float = slack) -> None:
            if not abs(number - best) <= allowed:
                raise Mismatch(f"{name}: {number!r}, the value is {best!r}, which may differ by {allowed:g}")

        nash = Nash().solve(table)
        if nash.status != "converged":
            raise Mismatch(f"nash: {nash.status}, regret {nash.regret.tolist()}")
        for side, number in zip(("rows", "columns"), guaranteed(nash.mixtures), strict=True):
            near(f"nash, what {side} guarantee", number)
        if payoffs.size <= 36:
            for coarse in (False, True):
                found = CorrelatedEquilibrium(coarse=coarse).solve(table)
                if found.status == "converged":
                    near(f"{'coarse ' * coarse}correlated", float(found.expected_payoffs[0]))
        weight = 0.01 * spread
        if weight > 0.0:
            anchored = GANE(kl_weight=weight).solve(table)
            if anchored.status == "converged":
                for side, number in zip(("rows", "columns"), guaranteed(anchored.mixtures), strict=True):
                    near(f"gane, what {side} guarantee", number, weight * np.log(payoffs.size) + slack)
        dynamics = Replicator(max_iterations=50).solve(table)
        low, high = guaranteed(dynamics.mixtures)
        if not low <= best + slack or not high >= best - slack or not high - low <= dynamics.sum_regret + slack:
            raise Mismatch(
                f"replicator: between {low!r} and {high!r}, of regret {dynamics.sum_regret!r}; value {best!r}"
            )
        return KINDS[case % len(KINDS)]

    return check


CAMPAIGN = Campaign(
    "zero_sum",
    "values of zero-sum games of 1 to 64 strategies by Nash, correlated, anchored and replicator solvers within 1e-6 "
    "of HiGHS's program of the other player",
    prepare,
    10_000,
    patience=120.0,
)
