"""Random tables to every meta-strategy solver: what it calls itself is true, and it obeys the laws of games."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tests.contract.test_meta_solvers import SOLVERS
from tests.payoffs import KINDS_OF_PAYOFFS, against, gains
from tests.soak.campaign import Campaign, Check, Mismatch

import coffee_fast as cf
from coffee_fast._reference.risk_averse import RiskAverseGames
from coffee_fast.meta_solvers import RQE, CorrelatedEquilibrium, Nash, Uniform
from coffee_fast.regularized import gane, rqe

GAMES_EACH = 100_000
PERSISTENT = ("any", "won or lost")  # kinds of which each equilibrium that is traced is like its neighbors
Arrays = list[np.ndarray]


def game(case: int) -> tuple[str, Arrays]:
    """Return a kind and one array of payoffs a player: 2 to 4 players, 1 to 64 strategies, up to 1e150."""
    rng = np.random.default_rng(case)
    kind = sorted(KINDS_OF_PAYOFFS)[rng.integers(len(KINDS_OF_PAYOFFS))]
    solver = SOLVERS[case % len(SOLVERS)]
    num_players = int(rng.choice([2, 2, 2, 3, 4]))
    most = {2: 64, 3: 8, 4: 4}[num_players]
    if isinstance(solver, CorrelatedEquilibrium):  # a variable a profile
        most = {2: 8, 3: 4, 4: 3}[num_players]
    elif isinstance(solver, Nash) and num_players == 2:  # as many as exact arithmetic takes
        most = 30
    shape = tuple(int(size) for size in np.exp(rng.uniform(0.0, np.log(most + 0.999), num_players)))
    payoffs = [KINDS_OF_PAYOFFS[kind](rng, shape) for _ in shape]
    if num_players == 2 and rng.random() < 0.25:
        payoffs[1] = -payoffs[0]
    if kind in PERSISTENT and rng.random() < 0.3:
        kind, scale = f"{kind}, scaled", 10.0 ** rng.uniform(-150.0, 149.0)
        payoffs = [scale * array for array in payoffs]
    return kind, payoffs


def prepare() -> Check:
    def check(case: int) -> str:
        solver, rng = SOLVERS[case % len(SOLVERS)], np.random.default_rng((case, 1))
        kind, payoffs = game(case)
        found = certified(solver, payoffs, "as it is")
        # A power of two is exact, and so is a shift of the whole table by none of the digits that are there.
        power = 2.0 ** int(rng.integers(-3, 4))
        again = certified(solver, [power * array for array in payoffs], f"{power} times")
        if is_relative(solver):
            alike("scaled", found, again.mixtures, 1e-6 if kind in PERSISTENT else None)
        shifts = [np.ptp(array) * rng.integers(-4, 5) for array in payoffs]
        again = certified(solver, [array + shift for array, shift in zip(payoffs, shifts, strict=True)], "shifted")
        players = rng.permutation(len(payoffs))
        orders = [rng.permutation(size) for size in payoffs[0].shape]
        moved = [payoffs[player][np.ix_(*orders)].transpose(players) for player in players]
        again = certified(solver, moved, "permuted")
        back: Arrays = [np.empty(0)] * len(players)
        for place, player in enumerate(players):
            back[player] = np.empty_like(again.mixtures[place])
            back[player][orders[player]] = again.mixtures[place]
        alike("permuted", found, back, 1e-9 if isinstance(solver, Uniform) else None)
        return f"{solver.kind}: {found.status}"

    return check


def is_relative(solver: Any) -> bool:
    """Whether a solver's parameters are shares of the payoffs, so that another unit changes nothing."""
    absolute = ("kl_weight", "temperature", "risk_aversion", "step_size", "regret_threshold")
    return all(not getattr(solver, name, None) for name in absolute)


def alike(law: str, found: Any, mixtures: Sequence[np.ndarray], tolerance: float | None) -> None:
    """Refuse mixtures that a law moves; without a tolerance there may be other equilibria, as good."""
    if tolerance is None:
        return
    for one, other in zip(found.mixtures, mixtures, strict=True):
        if np.abs(one - other).max() > tolerance:
            raise Mismatch(f"{law}: {other.tolist()} in place of {one.tolist()}")


def certified(solver: Any, payoffs: Arrays, law: str) -> Any:
    """Solve, and hold what the solution says of itself against what is worked out plainly."""
    found = solver.solve(cf.PayoffTable.from_arrays(payoffs))
    for player, mixture in enumerate(found.mixtures):
        if mixture.shape != (payoffs[0].shape[player],) or not (mixture >= 0.0).all():
            raise Mismatch(f"{law}: {mixture} is no mixture")
        if not abs(mixture.sum() - 1.0) <= 1e-12:
            raise Mismatch(f"{law}: a mixture sums to {mixture.sum()!r}")
    if not np.isfinite([*found.regret, *found.pessimistic_regret]).all() or not (found.regret >= 0.0).all():
        raise Mismatch(f"{law}: regret {found.regret} {found.pessimistic_regret}")
    if isinstance(solver, CorrelatedEquilibrium):
        _correlated(solver, payoffs, found, law)
        return found
    for player, array in enumerate(payoffs):
        own = found.mixtures[player]
        gained, sizes = gains(array, player, found.mixtures)
        rounding = 1e-12 * float(np.abs(array).max())
        if not abs(gained.max() - found.regret[player]) <= rounding:
            raise Mismatch(f"{law}: regret {found.regret[player]!r} of player {player}, in truth {gained.max()!r}")
        if isinstance(solver, Nash) and found.status == "converged":
            # What is at stake: the differences of payoffs that are met, in play or by a deviation that gains.
            in_play = np.expand_dims(np.tensordot(own, array, axes=(0, player)), player)
            moved = against(np.abs(array - in_play), player, found.mixtures)
            met = max(float(own @ moved), float(moved[gained > 0.0].max(initial=0.0)))
            if not gained.max() <= 1e-9 * met + 1e-14 * float(max(own @ sizes, sizes[gained.argmax()])):
                raise Mismatch(f"{law}: converged, but player {player} gains {gained.max()!r} where {met!r} is met")
    if found.status == "converged" and solver.kind in ("gane", "logit_qre"):
        _anchored(solver, payoffs, found, law)
    elif found.status == "converged" and isinstance(solver, RQE):
        _risk_averse(solver, payoffs, found, law)
    elif found.status == "threshold_reached" and not found.sum_regret < (threshold := _threshold(solver, payoffs)):
        raise Mismatch(f"{law}: regret {found.sum_regret!r} reaches no threshold of {threshold!r}")
    return found


def _range(payoffs: np.ndarray) -> float:
    """Return the range of payoffs that tolerances are shares of; one where all are the same."""
    return float(np.ptp(payoffs)) or 1.0


def _threshold(solver: Any, payoffs: Arrays) -> float:
    """Return the regret that dynamics were to reach; annealed ones have it fall with the size of the table."""
    threshold = solver.regret_threshold
    return float(threshold(max(payoffs[0].shape)) if callable(threshold) else threshold)


def _anchored(solver: Any, payoffs: Arrays, found: Any, law: str) -> None:
    """The gap of logit play, by its definition."""
    weight = solver.kl_weight if solver.kind == "gane" else solver.temperature
    weights = gane(cf.PayoffTable.from_arrays(payoffs), kl_weight=weight, max_iterations=1).kl_weight
    for player, (array, x, own) in enumerate(zip(payoffs, found.mixtures, weights, strict=True)):
        values, _ = gains(array, player, found.mixtures)
        scores = values / own
        best = own * (scores.max() + np.log(np.exp(scores - scores.max()).mean()))
        played = x @ values - own * (x[x > 0] @ np.log(x[x > 0] * len(x)))
        allowed = 2e-10 * min(_range(array), 10.0 * own) + 1e-14 * (float(np.abs(array).max()) + own)
        if not best - played <= allowed:
            raise Mismatch(f"{law}: converged, but player {player} gains {best - played!r}, allowed {allowed!r}")


def _risk_averse(solver: Any, payoffs: Arrays, found: Any, law: str) -> None:
    """The gap by the twin of the kernel."""
    options = {"temperature": solver.temperature, "risk_aversion": solver.risk_aversion}
    kinds = {"divergence": solver.divergence, "regularizer": solver.regularizer}
    whole = rqe(cf.PayoffTable.from_arrays(payoffs), **options, **kinds)
    unit = whole.temperature
    scaled = [(array - np.median(array))[None] / own for array, own in zip(payoffs, unit, strict=True)]
    legal = [np.full((1, size), -np.log(size)) for size in payoffs[0].shape]
    twin = RiskAverseGames.of(scaled, (whole.risk_aversion * unit)[None], legal, **kinds)
    with np.errstate(divide="ignore"):
        mixtures = [np.maximum(np.log(x), -700.0)[None] for x in found.mixtures]
        adversaries = [np.maximum(np.log(x.ravel()), -700.0)[None] for x in whole.adversaries]
    gap = twin.gap(mixtures)[0] * unit
    if solver.divergence == "reverse_kl":  # where rounding decides what the worst play is, any adversary gives a bound
        gap = np.minimum(gap, twin.saddle_gap(mixtures, adversaries)[0] * unit)
    for player, array in enumerate(payoffs):
        allowed = 1e-9 * min(_range(array), 10.0 * unit[player])
        allowed += 1e-13 * float(np.abs(array).max()) + 1e-15 * unit[player]
        if not gap[player] <= allowed:
            raise Mismatch(f"{law}: converged, but player {player} gains {gap[player]!r}, allowed {allowed!r}")


def _correlated(solver: Any, payoffs: Arrays, found: Any, law: str) -> None:
    """No player gains by another rule than to do what it is told."""
    if not (found.joint >= 0.0).all() or not abs(found.joint.sum() - 1.0) <= 1e-12:
        raise Mismatch(f"{law}: no distribution")
    for player, array in enumerate(payoffs):
        told = np.moveaxis(found.joint, player, 0).reshape(array.shape[player], -1)
        paid = np.moveaxis(array, player, 0).reshape(array.shape[player], -1)
        paid = paid - (0.5 * paid.min() + 0.5 * paid.max())
        held, other = (told * paid).sum(axis=1), told @ paid.T  # of what is told, and then of what is played
        sizes = float((told * np.abs(paid)).sum(axis=1).max()) if solver.coarse else 0.0
        gain = other.sum(axis=0).max() - held.sum() if solver.coarse else (other.max(axis=1) - held).sum()
        stakes = max(sizes, float(np.abs(told @ np.abs(paid).T).sum(axis=0).max()), 1e-6 * float(np.abs(paid).max()))
        if found.status == "converged" and not gain <= 1e-9 * stakes + 1e-14 * float(np.abs(array).max()):
            raise Mismatch(f"{law}: converged, but player {player} gains {gain!r} where {stakes!r} is met")
        if not abs(max(0.0, gain) - found.regret[player]) <= 1e-12 * float(np.abs(array).max()):
            raise Mismatch(f"{law}: regret {found.regret[player]!r} of player {player}, in truth {gain!r}")


CAMPAIGN = Campaign(
    "solvers",
    "random tables (2 to 4 players, 1 to 64 strategies, payoffs to 1e150), each in another unit, shifted and permuted, "
    f"to each of {len(SOLVERS)} solvers: regrets and certificates worked out anew",
    prepare,
    GAMES_EACH * len(SOLVERS),
    patience=180.0,
)
