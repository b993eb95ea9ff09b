"""Nash equilibria of many games of one move."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from coffee_fast.stage_games.arguments import log_uniform
from coffee_fast.stage_games.indifference import expected_over, indifferent_profile, likeliest_pure_equilibrium
from coffee_fast.stage_games.kernels import solve_anchored
from coffee_fast.typing import Profile

Masks = list[NDArray[np.bool_]]

_TEMPERATURES = (1e-6, 1e-4, 1e-2)  # in units of the payoffs' range; the coldest that serves counts
_SMALLEST_PROBABILITIES = (1e-9, 1e-5, 1e-3, 1e-2, 0.1, 0.3)  # from which an action may be in the support
_TOLERANCE = 1e-12  # of the range: an equilibrium but for rounding


def nash_equilibria(payoffs: Profile, legal: Masks) -> tuple[Profile, int]:
    """Return mixtures ``[G, A_i]`` a player in games ``[G, A1, ..., An]``, of the least regret found, and steps taken.

    The branch of logit equilibria is followed to a temperature of almost zero from uniform play over ``legal [G, A_i]``
    actions, and what is there made exact on its support. Payoffs of profiles that are not legal must be within the
    range of the others.
    """
    num_games = len(payoffs[0])
    flat = [u.reshape(num_games, -1) for u in payoffs]
    spread = [np.ptp(u, axis=1).reshape(-1, *[1] * (u0.ndim - 1)) for u, u0 in zip(flat, payoffs, strict=True)]
    least = [u.min(axis=1).reshape(s.shape) for u, s in zip(flat, spread, strict=True)]
    units = [(u - low) / np.where(s > 0.0, s, 1.0) for u, low, s in zip(payoffs, least, spread, strict=True)]
    reference = [log_uniform(mask) for mask in legal]
    best = [np.exp(x) for x in reference]
    regret = np.array([_regret(*_game(units, best, legal, g)) for g in range(num_games)])
    num_iterations = 0
    for temperature in _TEMPERATURES:
        open_games = np.flatnonzero(regret > _TOLERANCE)
        if not len(open_games):
            break
        found = solve_anchored(
            [u[open_games] for u in units],
            [x[open_games] for x in reference],
            np.full((len(open_games), len(payoffs)), temperature),
        )
        num_iterations += int(found.num_iterations.sum())
        ends = [np.exp(x) for x in found.mixtures]
        for place, g in enumerate(open_games):
            game, end, masks = [u[g] for u in units], [x[place] / x[place].sum() for x in ends], [m[g] for m in legal]
            for profile in _candidates(game, end, masks):
                size = _regret(game, profile, masks)
                if size < regret[g]:
                    regret[g] = size
                    for kept, x in zip(best, profile, strict=True):
                        kept[g] = x
                if size <= _TOLERANCE:
                    break
    return best, num_iterations


def _candidates(game: Profile, end: Profile, legal: Masks) -> Iterator[Profile]:
    """Yield the end of a branch made exact on each likely support, the end itself, and a pure equilibrium."""
    supports = {}
    for smallest in _SMALLEST_PROBABILITIES:
        masks = [x >= min(smallest, x.max()) for x in end]
        supports[np.concatenate(masks).tobytes()] = masks
    for support in supports.values():
        if (exact := indifferent_profile(game, end, support)) is not None:
            yield exact
    yield end
    pure = likeliest_pure_equilibrium(game, end)
    if pure is not None and all(x[~mask].sum() == 0.0 for x, mask in zip(pure, legal, strict=True)):
        yield pure


def _game(units: Profile, mixtures: Profile, legal: Masks, g: int) -> tuple[Profile, Profile, Masks]:
    return [u[g] for u in units], [x[g] for x in mixtures], [mask[g] for mask in legal]


def _regret(payoffs: Profile, mixtures: Profile, legal: Masks) -> float:
    """Return the most that a player could gain in one game by another legal action."""
    regrets = []
    for player, game in enumerate(payoffs):
        q = expected_over(game, range(len(payoffs)), mixtures, (player,))
        regrets.append(float(q[legal[player]].max() - mixtures[player] @ q))
    return max(regrets)
