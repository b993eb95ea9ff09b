"""The tensors of a solution's file: of two players alike one mixture and one matrix, else one a role and a player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.empirical import PayoffTable
from coffee_fast.policies import Mixture
from coffee_fast.policy_files import policy_arrays

if TYPE_CHECKING:
    from coffee_fast.policies import Policy
    from coffee_fast.psro.solution import Solution


def tensors_of(solution: Solution) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the arrays by name, and what each policy is."""
    tensors: dict[str, Any] = {}
    are_two_alike = solution.roles == (2,)
    for role, mixture in enumerate(solution.by_role):
        tensors["probabilities" if are_two_alike else f"probabilities{role}"] = mixture.probabilities
    for player in range(1 if are_two_alike else solution.table.num_players):
        tensors["payoffs" if are_two_alike else f"payoffs{player}"] = solution.table.payoffs(player)
    for name, values in (solution.history or {}).items():
        tensors[f"history.{name}"] = values
    descriptions = []
    for index, policy in enumerate(policy for mixture in solution.by_role for policy in mixture.policies):
        description, arrays = policy_arrays(policy, f"policy{index}.")
        descriptions.append(description)
        tensors |= arrays
    return tensors, descriptions


def mixtures_from(
    policies: Sequence[Policy], sizes: Sequence[int], tensors: Mapping[str, Any], roles: Sequence[int]
) -> tuple[Mixture, ...]:
    """Return the mixture of each role; ``ValueError`` where numbers do not fit."""
    if len(sizes) != len(roles) or sum(sizes) != len(policies) or min(sizes) < 1 or min(roles) < 1:
        raise ValueError(f"{len(policies)} policies are not those of roles with {list(sizes)}")
    names = ["probabilities"] if tuple(roles) == (2,) else [f"probabilities{role}" for role in range(len(roles))]
    ends = np.cumsum([0, *sizes])
    return tuple(
        Mixture(tuple(policies[first:last]), tensors[name])
        for name, first, last in zip(names, ends[:-1], ends[1:], strict=True)
    )


def table_from(tensors: Mapping[str, Any], roles: Sequence[int]) -> PayoffTable:
    """Return the payoffs that were solved."""
    if tuple(roles) == (2,):
        return PayoffTable.symmetric(tensors["payoffs"])
    return PayoffTable.from_arrays([tensors[f"payoffs{player}"] for player in range(sum(roles))])


def history_from(names: Sequence[str] | None, tensors: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the figures by update, of a solution that has them; ``KeyError`` where one is missing."""
    return None if names is None else {name: tensors[f"history.{name}"] for name in names}
