"""Estimate the entries of an empirical game by simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coffee_fast import _core
from coffee_fast.checks import check_count
from coffee_fast.dynamics import Dynamics
from coffee_fast.empirical.game import EmpiricalGame
from coffee_fast.empirical.profiles import rotations
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import Policy
from coffee_fast.seeding import check_seed
from coffee_fast.simulation import LARGEST_INT, check_dynamics


def simulate_missing(
    game: EmpiricalGame,
    dynamics: Dynamics,
    strategies: Sequence[Policy] | Sequence[Sequence[Policy]],
    num_simulations: int,
    *,
    seed: int,
    num_threads: int = 1,
) -> EmpiricalGame:
    """Return ``game`` grown to ``strategies``, every profile without a simulation played ``num_simulations`` times.

    Players of a role are seated in turn: each strategy of a profile sits in each seat of its role equally often, so
    that what a seat is worth is no merit of the strategy in it. An entry is the payoff of one that is seated by lot.

    Parameters
    ----------
    game
        What is known already; it is left as it is, and its entries are kept. Its roles are those of ``dynamics``.
    dynamics
        A true game or a :class:`coffee_fast.DynamicsEnsemble`.
    strategies
        All strategies of each role, those of ``game`` first and as many for each; of a single role the list alone.
    num_simulations
        Episodes of each profile; it counts as the next multiple of the number of seatings, ``prod(roles)``.
    seed
        A profile's episodes are drawn from it and the profile's own number, so an entry is the same whenever it is
        asked for.
    num_threads
        0 for all cores; changes no bit.

    Raises
    ------
    InvalidArgumentError
        For something that is no game or policy, other roles, or impossible counts.
    InvalidGameError
        If the table would have more than 2**24 profiles.

    Notes
    -----
    Cost: ``num_simulations`` episodes a profile; the number of profiles grows like the product of what each player can
    choose.

    >>> import coffee_fast as cf
    >>> game = cf.load_game("generalized_bargaining")
    >>> table = simulate_missing(EmpiricalGame(1), game, [cf.UniformRandom()], 100, seed=0).table()
    >>> table.num_strategies
    (1, 1)
    """
    if not isinstance(game, EmpiricalGame):
        raise InvalidArgumentError(f"simulate_missing: game must be an EmpiricalGame, got {shown(game)}")
    check_dynamics("simulate_missing", "dynamics", dynamics)
    roles = dynamics.spec.roles
    if game.roles != roles:
        raise InvalidArgumentError(
            f"simulate_missing: game must have the roles of the dynamics, {list(roles)} seats, got {list(game.roles)}"
        )
    by_role = strategies_by_role("simulate_missing: strategies", strategies, len(roles))
    known, count = game.num_strategies[0], len(by_role[0])
    if count < known:
        raise InvalidArgumentError(f"simulate_missing: strategies must include the {known} of the game, got {count}")
    num_simulations = check_count("simulate_missing: num_simulations", num_simulations, at_least=1)
    num_threads = check_count("simulate_missing: num_threads", num_threads, at_most=LARGEST_INT)
    seed = check_seed(seed)
    if known and game.num_members != dynamics.core.num_members:
        raise InvalidArgumentError(
            f"simulate_missing: dynamics must have {game.num_members} members as game has, "
            f"got {dynamics.core.num_members}"
        )
    grown = EmpiricalGame.from_arrays(game.to_arrays()) if known else EmpiricalGame(game.num_members, roles)
    grown.add_strategies(count - known)
    # Strategy s of role r is number s R + r: that of a role's earlier strategies stays as the game grows.
    policies = [strategy.core for number in range(count) for strategy in (role[number] for role in by_role)]
    own_numbers = np.array(dynamics.spec.role_of)
    each_seating = -(-num_simulations // math.prod(roles))
    for turns, rows in _seatings(grown).items():
        seated = np.array(rows, dtype=np.int32)
        numbered = np.ascontiguousarray(seated * len(roles) + own_numbers, dtype=np.int32)
        count = turns * each_seating
        out = _core.estimate_payoffs(dynamics.core, policies, numbered, count, seed, num_threads)
        counts = np.full(len(rows), count, dtype=np.int64)
        grown.record(seated, counts, out["sum"], out["sum_of_squares"], out["sum_of_disagreement"])
    return grown


def _seatings(game: EmpiricalGame) -> dict[int, list[tuple[int, ...]]]:
    """The seatings of the profiles without a simulation, by how often each arises as the seats of a role turn.

    Equal seatings are the same profile: its episodes stay together, or they would be the same ones again.
    """
    found: dict[int, list[tuple[int, ...]]] = {}
    for profile in game.missing_profiles().tolist():
        for seated, turns in rotations(profile, game.roles).items():
            found.setdefault(turns, []).append(seated)
    return found


def strategies_by_role(name: str, strategies: Any, num_roles: int) -> list[list[Policy]]:
    """Return the strategies of each role, as many for each: of a single role the list alone may be given."""
    is_listed = isinstance(strategies, Sequence) and not isinstance(strategies, str)
    if is_listed and num_roles == 1 and all(isinstance(strategy, Policy) for strategy in strategies):
        strategies = [strategies]
    is_right = is_listed and len(strategies) == num_roles
    if not is_right or not all(_are_policies(role) for role in strategies):
        what = "a list of policies" if num_roles == 1 else f"{num_roles} lists of policies, one a role"
        raise InvalidArgumentError(f"{name} must be {what}, got {shown(strategies)}")
    if len({len(role) for role in strategies}) > 1:
        numbers = [len(role) for role in strategies]
        raise InvalidArgumentError(f"{name} must be as many for each role, got {numbers}")
    return [list(role) for role in strategies]


def _are_policies(role: Any) -> bool:
    is_listed = isinstance(role, Sequence) and not isinstance(role, str)
    return is_listed and all(isinstance(strategy, Policy) for strategy in role)
