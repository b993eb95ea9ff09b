"""Estimate the entries of an empirical game by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coffee_fast import _core
from coffee_fast.empirical.game import EmpiricalGame
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import Policy
from coffee_fast.seeding import check_seed


def simulate_missing(
    game: EmpiricalGame,
    dynamics: Any,
    strategies: Sequence[Policy],
    num_simulations: int,
    *,
    seed: int,
    num_threads: int = 1,
) -> EmpiricalGame:
    """Return ``game`` grown to ``strategies``, every pair without a simulation played ``num_simulations`` times.

    Parameters
    ----------
    game
        What is known already; it is left as it is, and its entries are kept.
    dynamics
        A true game or a :class:`coffee_fast.DynamicsEnsemble`, of two players.
    strategies
        All strategies, those of ``game`` first.
    seed
        A pair's episodes are drawn from it and the pair's own number, so an entry is the same whenever it is asked for.
    num_threads
        0 for all cores; changes no bit.

    >>> import coffee_fast as cf
    >>> game = cf.load_game("generalized_bargaining")
    >>> table = simulate_missing(EmpiricalGame(1), game, [cf.UniformRandom()], 100, seed=0).table()
    >>> table.num_strategies
    (1, 1)
    """
    if len(strategies) < game.num_strategies:
        raise InvalidArgumentError(
            f"simulate_missing: strategies must include the {game.num_strategies} of the game, got {len(strategies)}"
        )
    if num_simulations < 1:
        raise InvalidArgumentError(f"simulate_missing: num_simulations must be at least 1, got {num_simulations}")
    grown = EmpiricalGame.from_arrays(game.to_arrays()) if game.num_strategies else EmpiricalGame(game.num_members)
    grown.add_strategies(len(strategies) - game.num_strategies)
    profiles = np.ascontiguousarray(grown.missing_profiles(), dtype=np.int32)
    if len(profiles) == 0:
        return grown
    policies = [strategy.core for strategy in strategies]
    out = _core.estimate_payoffs(dynamics.core, policies, profiles, num_simulations, check_seed(seed), num_threads)
    counts = np.full(len(profiles), num_simulations, dtype=np.int64)
    grown.record(profiles, counts, out["sum"], out["sum_of_squares"], out["sum_of_disagreement"])
    return grown
