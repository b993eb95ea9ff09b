"""From a solver's mixtures, one a player, to one a role: players of a role share strategies and play alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.empirical.profiles import seats_of
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.meta_solvers.base import make_solution

if TYPE_CHECKING:
    from coffee_fast.empirical import PayoffTable
    from coffee_fast.games import GameSpec
    from coffee_fast.meta_solvers.base import MetaSolution

ALIKE = 1e-12
"""How far apart probabilities may be that are called the same: rounding, summed in another order."""


def alike_within_roles(table: PayoffTable, found: MetaSolution, roles: Sequence[int]) -> MetaSolution:
    """Return a solution in which the players of each role play the same mixture.

    Where the solver found that already, as dynamics that start alike do, it is returned as it is. Where it did not, the
    role plays the mean of its players' mixtures, and regrets are worked out anew; ``"converged"`` is then said only if
    they are those of an equilibrium.
    """
    mixtures = [np.asarray(mixture, dtype=np.float64) for mixture in found.mixtures]
    groups = [mixtures[seats] for seats in seats_of(roles)]
    if all(np.abs(mixture - group[0]).max() <= ALIKE for group in groups for mixture in group):
        return found
    means = [np.mean(group, axis=0) for group in groups]
    shared = [(mean / mean.sum()).copy() for mean, size in zip(means, roles, strict=True) for _ in range(size)]
    status = None if found.status == "converged" else found.status
    return make_solution(table, shared, status=status, num_iterations=found.num_iterations, solver=found.solver)


def roles_of(table: PayoffTable, spec: GameSpec | None) -> tuple[int, ...]:
    """Return the sizes of the roles of a table's players: those of the game, if it is known."""
    if spec is None:
        return (2,) if table.is_symmetric else (1,) * table.num_players
    if spec.num_players != table.num_players:
        raise InvalidArgumentError(
            f"Solution.extract: spec must be of the table's {table.num_players} players, got {spec.num_players}"
        )
    return spec.roles


def names_of_roles(spec: GameSpec | None, number: int) -> tuple[str, ...]:
    """Return a name for each role: its own, that of its one player, or its number.

    >>> import coffee_fast as cf
    >>> names_of_roles(None, 2)
    ('role 0', 'role 1')
    """
    if spec is not None and spec.role_names:
        return spec.role_names
    if spec is not None and spec.player_names and spec.num_roles == spec.num_players:
        return spec.player_names
    return tuple(f"role {role}" for role in range(number))
