"""Estimate the entries of an empirical game by simulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast import _core
from coffee_fast.checks import check_count
from coffee_fast.dynamics import Dynamics
from coffee_fast.empirical.game import EmpiricalGame
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import Policy
from coffee_fast.seeding import check_seed
from coffee_fast.simulation import LARGEST_INT, check_dynamics, check_two_alike


def simulate_missing(
    game: EmpiricalGame,
    dynamics: Dynamics,
    strategies: Sequence[Policy],
    num_simulations: int,
    *,
    seed: int,
    num_threads: int = 1,
) -> EmpiricalGame:
    """Return ``game`` grown to ``strategies``, every pair without a simulation played ``num_simulations`` times.

    Half of a pair's episodes have the one strategy in seat 0, half the other, so that what a seat is worth is no merit
    of the strategy in it: an entry is the payoff of one that is seated by lot.

    Parameters
    ----------
    game
        What is known already; it is left as it is, and its entries are kept.
    dynamics
        A true game or a :class:`coffee_fast.DynamicsEnsemble`, symmetric with two players.
    strategies
        All strategies, those of ``game`` first.
    num_simulations
        Episodes of each pair; an odd number counts as the next even one.
    seed
        A pair's episodes are drawn from it and the pair's own number, so an entry is the same whenever it is asked for.
    num_threads
        0 for all cores; changes no bit.

    Raises
    ------
    InvalidArgumentError
        For something that is no game or policy, or impossible counts.
    InvalidGameError
        If the game is not symmetric with two players.

    >>> import coffee_fast as cf
    >>> game = cf.load_game("generalized_bargaining")
    >>> table = simulate_missing(EmpiricalGame(1), game, [cf.UniformRandom()], 100, seed=0).table()
    >>> table.num_strategies
    (1, 1)
    """
    if not isinstance(game, EmpiricalGame):
        raise InvalidArgumentError(f"simulate_missing: game must be an EmpiricalGame, got {shown(game)}")
    check_dynamics("simulate_missing", "dynamics", dynamics)
    check_two_alike("simulate_missing", dynamics.spec)
    is_sequence = isinstance(strategies, Sequence) and not isinstance(strategies, str)
    if not is_sequence or not all(isinstance(strategy, Policy) for strategy in strategies):
        raise InvalidArgumentError(f"simulate_missing: strategies must be a list of policies, got {shown(strategies)}")
    if len(strategies) < game.num_strategies:
        raise InvalidArgumentError(
            f"simulate_missing: strategies must include the {game.num_strategies} of the game, got {len(strategies)}"
        )
    num_simulations = check_count("simulate_missing: num_simulations", num_simulations, at_least=1)
    num_threads = check_count("simulate_missing: num_threads", num_threads, at_most=LARGEST_INT)
    seed = check_seed(seed)
    if game.num_strategies and game.num_members != dynamics.core.num_members:
        raise InvalidArgumentError(
            f"simulate_missing: dynamics must have {game.num_members} members as game has, "
            f"got {dynamics.core.num_members}"
        )
    grown = EmpiricalGame.from_arrays(game.to_arrays()) if game.num_strategies else EmpiricalGame(game.num_members)
    grown.add_strategies(len(strategies) - game.num_strategies)
    profiles = np.ascontiguousarray(grown.missing_profiles(), dtype=np.int32)
    if len(profiles) == 0:
        return grown
    policies = [strategy.core for strategy in strategies]
    each_seating = (num_simulations + 1) // 2
    # Both seatings of {a, a} are the same profile: its episodes stay together, or they would be the same ones twice.
    is_alike = profiles[:, 0] == profiles[:, 1]
    unlike, alike = profiles[~is_alike], profiles[is_alike]
    for seated, count in ((np.vstack([unlike, unlike[:, ::-1]]), each_seating), (alike, 2 * each_seating)):
        if len(seated):
            rows = np.ascontiguousarray(seated)
            out = _core.estimate_payoffs(dynamics.core, policies, rows, count, seed, num_threads)
            counts = np.full(len(rows), count, dtype=np.int64)
            grown.record(rows, counts, out["sum"], out["sum_of_squares"], out["sum_of_disagreement"])
    return grown
