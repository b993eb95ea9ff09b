"""A solution: the mixture over strategies that is reported, with figures that say how near equilibrium it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._provenance import describe_part
from coffee_fast._sealed import SealedFolder
from coffee_fast.checks import check_count, check_number
from coffee_fast.empirical import PayoffTable
from coffee_fast.empirical.profiles import seats_of
from coffee_fast.errors import CheckpointError, CoffeeError, InvalidArgumentError, shown
from coffee_fast.games import GameSpec
from coffee_fast.meta_solvers.base import check_independent
from coffee_fast.players import Player
from coffee_fast.policies import Mixture
from coffee_fast.policy_files import policy_from_arrays
from coffee_fast.psro.export import export_solution
from coffee_fast.psro.role_mixtures import alike_within_roles, names_of_roles, roles_of
from coffee_fast.psro.solution_files import history_from, mixtures_from, table_from, tensors_of
from coffee_fast.psro.solution_html import MOST_SHOWN, solution_as_html
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.meta_solvers import MetaSolver
    from coffee_fast.policies import Policy

_FOLDER = SealedFolder(
    kind="solution",
    json="solution.json",
    tensors="solution.safetensors",
    form={
        "policies": [dict],
        "roles?": [int],
        "num_strategies?": [int],
        "model_regret": [float],
        "pessimistic_regret?": [float],
        "regret_upper_bound?": [float],  # its name in format 1
        "solver": dict,
        "status": str,
        "num_solver_iterations": int,
        "spec?": (dict, None),
        "history?": [str],
    },
)


@dataclass(frozen=True, eq=False)
class Solution:
    """A mixture over policies for each role, which its players are advised to play; a policy is drawn once an episode.

    Attributes
    ----------
    by_role
        One mixture a role.
    roles
        Number of seats of each role, seats in order.
    model_regret
        What each player could gain by a single strategy, by the model's mean payoffs: f64 ``[N]``, payoff units.
    pessimistic_regret
        The same if the members may disagree in the deviator's favor: its optimistic payoff against the pessimistic
        payoff of the profile: f64 ``[N]``.
    table
        The payoff table that was solved.
    solver
        The configuration of the meta-strategy solver.
    status, num_solver_iterations
        How the solver ended.
    spec
        The game; None in files that were written before it was kept.
    history
        Named arrays of figures over the updates of a solution that learned by itself
        (:func:`coffee_fast.anchored_self_play`), f64; None of others.
    """

    by_role: tuple[Mixture, ...]
    roles: tuple[int, ...]
    model_regret: Float64
    pessimistic_regret: Float64
    table: PayoffTable
    solver: Mapping[str, Any]
    status: str
    num_solver_iterations: int = field(default=0)
    spec: GameSpec | None = None
    history: Mapping[str, Float64] | None = None

    @classmethod
    def extract(
        cls,
        policies: Sequence[Policy] | Sequence[Sequence[Policy]],
        table: PayoffTable,
        solver: MetaSolver,
        spec: GameSpec | None = None,
    ) -> Solution:
        """Solve a table whose strategies are ``policies``: a list of them, or where there are several roles one a role.

        Roles are those of ``spec``; without one, all players of a symmetric table are one role, others a role each.
        """
        if not isinstance(table, PayoffTable):
            raise InvalidArgumentError(f"Solution.extract: table must be a PayoffTable, got {shown(table)}")
        if not (spec is None or isinstance(spec, GameSpec)):
            raise InvalidArgumentError(f"Solution.extract: spec must be a GameSpec or None, got {shown(spec)}")
        if not callable(getattr(solver, "solve", None)) or isinstance(solver, type):
            raise InvalidArgumentError(f"Solution.extract: solver must be a meta-strategy solver, got {shown(solver)}")
        check_independent("Solution.extract: solver", solver)
        roles = roles_of(table, spec)
        by_role = _policies_by_role(policies, table, roles)
        found = alike_within_roles(table, solver.solve(table), roles)
        mixtures = [found.mixtures[seats.start] for seats in seats_of(roles)]
        return cls(
            by_role=tuple(Mixture(tuple(own), mixture) for own, mixture in zip(by_role, mixtures, strict=True)),
            roles=roles,
            model_regret=np.asarray(found.regret, dtype=np.float64),
            pessimistic_regret=np.asarray(table.pessimistic_regret(found.mixtures), dtype=np.float64),
            table=table,
            solver=describe_part(solver),
            status=found.status,
            num_solver_iterations=int(found.num_iterations),
            spec=spec,
        )

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """The solution as something to play, one mixture a player; ``simulate`` takes it or the solution itself."""
        return tuple(mixture for mixture, size in zip(self.by_role, self.roles, strict=True) for _ in range(size))

    @property
    def mixture(self) -> Mixture:
        """What every player plays, where all are of one role; ``InvalidArgumentError`` where they are not."""
        if len(self.by_role) > 1:
            raise InvalidArgumentError(
                f"this solution is of {len(self.by_role)} roles that play differently: take solution.mixtures, "
                "one a player"
            )
        return self.by_role[0]

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The strategies, where all players are of one role."""
        return self.mixture.policies

    @property
    def probabilities(self) -> Float64:
        """The weights ``f64[S]`` of the strategies, where all players are of one role."""
        return self.mixture.probabilities

    @property
    def role_names(self) -> tuple[str, ...]:
        """A name for each role, its number where the game has none."""
        return names_of_roles(self.spec, len(self.roles))

    @property
    def sum_model_regret(self) -> float:
        """Model regret summed over players, as the paper's tables report it."""
        return float(self.model_regret.sum())

    def support(self, min_probability: float = 0.01, role: int = 0) -> list[int]:
        """Return the strategies of a role of probability at least ``min_probability``, most probable first."""
        min_probability = check_number("support: min_probability", min_probability)
        role = check_count("support: role", role, at_most=len(self.roles) - 1)
        probabilities = self.by_role[role].probabilities
        order = np.argsort(-probabilities, kind="stable")
        return [int(s) for s in order if probabilities[s] >= min_probability]

    def player(self, seat: int | str, seed: int = 0, spec: GameSpec | None = None) -> Player:
        """Return a player of this solution: ``reset()`` before each episode, then ``act(knowledge, legal_actions)``.

        Parameters
        ----------
        seat
            Which player of the game it is, from 0, or its name.
        seed
            Same seed, same play.
        spec
            The game, where the solution does not know it: one of an older file.
        """
        return Player(self, seat, seed, spec)

    def export(self, path: str | Path, format: str = "numpy") -> None:
        """Write the solution to a new folder for programs without coffee_fast; see :func:`export_solution`."""
        export_solution(self, path, format)

    def __repr__(self) -> str:
        game = f"{shown(self.spec.name)}, " if self.spec else ""
        each = [self._plays(role) for role in range(len(self.roles))]
        if len(each) > 1:
            each = [f"{name} {plays}" for name, plays in zip(self.role_names, each, strict=True)]
        return (
            f"Solution({game}{'; '.join(each[:MOST_SHOWN])}, "
            f"model regret {self.model_regret.sum():.3g}, {self.solver.get('kind')} {self.status})"
        )

    def _plays(self, role: int) -> str:
        support, probabilities = self.support(role=role), self.by_role[role].probabilities
        plays = ", ".join(f"{s}: {probabilities[s]:.1%}" for s in support[:MOST_SHOWN])
        more = f" and {len(support) - MOST_SHOWN} more" if len(support) > MOST_SHOWN else ""
        return f"plays {plays}{more} of {len(probabilities)} strategies"

    def _repr_html_(self) -> str:
        """The strategies that are played and what they earn against each other, for notebooks."""
        return solution_as_html(self)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the solution to a new folder ``path``: its weights as safetensors, the rest as JSON.

        With ``overwrite`` a solution that is at ``path`` gives way, once this one is written whole.

        Raises
        ------
        CheckpointError
            If ``path`` exists already, or with ``overwrite`` is no solution.
        """
        tensors, descriptions = tensors_of(self)
        fields: dict[str, Any] = {
            "policies": descriptions,
            "model_regret": self.model_regret.tolist(),
            "pessimistic_regret": self.pessimistic_regret.tolist(),
            "solver": dict(self.solver),
            "status": self.status,
            "num_solver_iterations": self.num_solver_iterations,
            "spec": self.spec.to_json() if self.spec else None,
        }
        if self.roles != (2,):  # those of two players alike are as they were before there were roles
            sizes = [len(mixture.policies) for mixture in self.by_role]
            fields |= {"roles": list(self.roles), "num_strategies": sizes}
        if self.history is not None:
            fields["history"] = sorted(self.history)
        _FOLDER.save(path, fields, tensors, overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Solution:
        """Read a folder that :meth:`save` wrote.

        Raises
        ------
        CheckpointError
            If a file is missing, damaged or not of a solution, or its parts do not fit; the message names it.
        """
        fields, tensors = _FOLDER.load(path)
        file = Path(path) / _FOLDER.json
        pessimistic = fields.get("pessimistic_regret", fields.get("regret_upper_bound"))
        try:
            policies = [
                policy_from_arrays(description, tensors, f"policy{index}.")
                for index, description in enumerate(fields["policies"])
            ]
            roles = tuple(fields.get("roles", (2,)))
            solution = cls(
                by_role=mixtures_from(policies, fields.get("num_strategies", [len(policies)]), tensors, roles),
                roles=roles,
                model_regret=np.asarray(fields["model_regret"], dtype=np.float64),
                pessimistic_regret=np.asarray(pessimistic, dtype=np.float64),
                table=table_from(tensors, roles),
                solver=fields["solver"],
                status=fields["status"],
                num_solver_iterations=fields["num_solver_iterations"],
                spec=GameSpec.from_json(fields["spec"]) if fields.get("spec") else None,
                history=history_from(fields.get("history"), tensors),
            )
            sizes = tuple(len(mixture.policies) for mixture in solution.mixtures)
        except (KeyError, TypeError, ValueError, CoffeeError) as error:
            raise CheckpointError(f"{file}: not a complete solution ({error})") from None
        table = solution.table
        if table.num_strategies != sizes or (solution.spec and solution.spec.roles != roles):
            raise CheckpointError(
                f"{file}: {len(policies)} policies, but the payoff table is of {table.num_strategies} strategies"
            )
        for name in ("model_regret", "pessimistic_regret"):
            if getattr(solution, name).shape != (table.num_players,):
                raise CheckpointError(f"{file}: {name} must hold a number for each of {table.num_players} players")
        return solution


def _policies_by_role(policies: Any, table: PayoffTable, roles: Sequence[int]) -> list[Sequence[Policy]]:
    """The strategies of each role, as many as the table has."""
    is_list = isinstance(policies, Sequence) and not isinstance(policies, str)
    by_role = [policies] if is_list and len(roles) == 1 and not _are_lists(policies) else policies
    sizes = [table.num_strategies[seats.start] for seats in seats_of(roles)]
    if not is_list or not _are_lists(by_role) or [len(own) for own in by_role] != sizes:
        what = (
            f"one for each of {sizes[0]} strategies" if len(sizes) == 1 else f"one list a role, of {sizes} strategies"
        )
        raise InvalidArgumentError(f"Solution.extract: policies must be a list, {what}, got {shown(policies)}")
    return list(by_role)


def _are_lists(policies: Sequence[Any]) -> bool:
    return all(isinstance(own, Sequence) and not isinstance(own, str) for own in policies)
