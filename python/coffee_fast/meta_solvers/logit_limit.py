"""Where the branch of logit equilibria ends as the temperature falls to zero, made exact on its support."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.empirical.regret import usual_payoff_sizes
from coffee_fast.regularized.anchored.gane import gane
from coffee_fast.stage_games.indifference import indifferent_profile, likeliest_pure_equilibrium
from coffee_fast.typing import Float64, Profile

_TEMPERATURES = (1e-6, 1e-4, 1e-2)  # in units of the payoffs' usual size; the coldest that serves counts
_LEAST_SHARE = 1e-250  # of the largest payoffs, that their usual size counts as
_TILTS = (0.0, 0.3, -0.6)  # of where the branch starts, should the one from the uniform mixture lead nowhere
_LEAST_PROBABILITIES = (1e-9, 1e-7, 1e-5, 1e-3, 1e-2, 0.1, 0.3)  # from which a strategy may be in the support
_MOST_SUPPORTS = 1000  # that are all tried, if nothing else serves


def logit_limits(table: PayoffTable) -> Iterator[tuple[Profile, int]]:
    """Yield profiles that may be an equilibrium of ``table``, and the steps taken so far: the likeliest first.

    A symmetric table gets one mixture for both players throughout. Payoffs are averaged over members and taken in units
    of each player's own, so that neither units nor constants choose among equilibria. After what the branch leads to
    come a pure equilibrium, if there is one, and of a small game of three or more every support. Cost: a linear system
    of all strategies together a step of the branch, and a few Newton steps a support. Sources: McKelvey and Palfrey
    1995 for the limit, which exists in almost all games; Turocy 2005 for the way there.
    """
    mean = table.mean()
    num_mixtures = 1 if table.is_symmetric else table.num_players
    payoffs = [mean.centered_payoffs(player)[0][0] for player in range(num_mixtures)]
    ranges = np.array([np.ptp(mean.payoffs(player)) for player in range(table.num_players)])
    units = np.where(ranges > 0.0, np.maximum(usual_payoff_sizes(mean), _LEAST_SHARE * ranges), 1.0)
    num_steps, ends = 0, []
    for tilt, temperature in itertools.product(_TILTS, _TEMPERATURES):
        reference = [_tilted(size, tilt) for size in table.num_strategies]
        found = gane(mean, kl_weight=(temperature * units).tolist(), reference=reference)
        num_steps += found.num_iterations
        ends.append(list(found.mixtures[:num_mixtures]))
        for support in _likely_supports(ends[-1]):
            if (exact := indifferent_profile(payoffs, ends[-1], support)) is not None:
                yield _of_all_players(exact, table), num_steps
    pure = likeliest_pure_equilibrium(payoffs, ends[0])
    for profile in [*ends, *([pure] if pure else [])]:
        yield _of_all_players(profile, table), num_steps
    for support in _all_supports(ends[0]):
        start = [x + mask / mask.sum() for x, mask in zip(ends[0], support, strict=True)]
        if (exact := indifferent_profile(payoffs, start, support)) is not None:
            yield _of_all_players(exact, table), num_steps


def _tilted(size: int, tilt: float) -> Float64:
    """Return nearly uniform probabilities that prefer early strategies, or late ones for a negative tilt."""
    weights = np.exp(-tilt * np.arange(size) / max(size - 1, 1))
    return np.asarray(weights / weights.sum())


def _likely_supports(mixtures: Profile) -> list[Profile]:
    """Return the strategies above each threshold, as masks, the same ones once."""
    supports = {}
    for least in _LEAST_PROBABILITIES:
        masks = [x >= min(least, x.max()) for x in mixtures]
        supports[np.concatenate(masks).tobytes()] = masks
    return list(supports.values())


def _all_supports(mixtures: Profile) -> Iterator[Profile]:
    """Yield every support of a game of three or more that has few, small ones first; two have an exact method."""
    sizes = [len(x) for x in mixtures]
    if len(sizes) < 3 or math.prod(2**size - 1 for size in sizes) > _MOST_SUPPORTS:
        return
    masks = [list(itertools.product((0.0, 1.0), repeat=size))[1:] for size in sizes]
    supports = [[np.array(mask) for mask in support] for support in itertools.product(*masks)]
    yield from sorted(supports, key=lambda support: sum(mask.sum() for mask in support))


def _of_all_players(mixtures: Profile, table: PayoffTable) -> Profile:
    return [x.copy() for x in mixtures] if len(mixtures) == table.num_players else mixtures * table.num_players
