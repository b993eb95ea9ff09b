"""A solution: the mixture over strategies that is reported, with figures that say how near equilibrium it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._provenance import describe_part
from coffee_fast._sealed import SealedFolder
from coffee_fast.checks import check_number
from coffee_fast.empirical import PayoffTable
from coffee_fast.errors import CheckpointError, InvalidArgumentError, shown
from coffee_fast.games import GameSpec
from coffee_fast.meta_solvers.base import check_independent
from coffee_fast.players import Player
from coffee_fast.policies import Mixture
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.psro.export import export_solution
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
        "model_regret": [float],
        "pessimistic_regret?": [float],
        "regret_upper_bound?": [float],  # its name in format 1
        "solver": dict,
        "status": str,
        "num_solver_iterations": int,
        "spec?": (dict, None),
    },
)


@dataclass(frozen=True, eq=False)
class Solution:
    """A mixture over policies that every player is advised to play; the policy is drawn once an episode.

    Attributes
    ----------
    policies, probabilities
        The strategies and their weights: f64 ``[S]``.
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
    """

    policies: tuple[Policy, ...]
    probabilities: Float64
    model_regret: Float64
    pessimistic_regret: Float64
    table: PayoffTable
    solver: Mapping[str, Any]
    status: str
    num_solver_iterations: int = field(default=0)
    spec: GameSpec | None = None

    @classmethod
    def extract(
        cls, policies: Sequence[Policy], table: PayoffTable, solver: MetaSolver, spec: GameSpec | None = None
    ) -> Solution:
        """Solve a symmetric table whose strategies are ``policies``."""
        if not isinstance(table, PayoffTable) or not table.is_symmetric:
            raise InvalidArgumentError(f"Solution.extract: table must be a symmetric PayoffTable, got {shown(table)}")
        size = table.num_strategies[0]
        if not isinstance(policies, Sequence) or isinstance(policies, str) or len(policies) != size:
            raise InvalidArgumentError(
                f"Solution.extract: policies must be a list, one for each of {size} strategies, got {shown(policies)}"
            )
        if not callable(getattr(solver, "solve", None)) or isinstance(solver, type):
            raise InvalidArgumentError(f"Solution.extract: solver must be a meta-strategy solver, got {shown(solver)}")
        check_independent("Solution.extract: solver", solver)
        if not (spec is None or isinstance(spec, GameSpec)):
            raise InvalidArgumentError(f"Solution.extract: spec must be a GameSpec or None, got {shown(spec)}")
        found = solver.solve(table)
        return cls(
            policies=tuple(policies),
            probabilities=np.asarray(found.mixtures[0], dtype=np.float64),
            model_regret=np.asarray(found.regret, dtype=np.float64),
            pessimistic_regret=np.asarray(table.pessimistic_regret(found.mixtures), dtype=np.float64),
            table=table,
            solver=describe_part(solver),
            status=found.status,
            num_solver_iterations=int(found.num_iterations),
            spec=spec,
        )

    @property
    def mixture(self) -> Mixture:
        """The solution as something to play: accepted by ``simulate`` and ``generate_dataset``."""
        return Mixture(self.policies, self.probabilities)

    @property
    def sum_model_regret(self) -> float:
        """Model regret summed over players, as the paper's tables report it."""
        return float(self.model_regret.sum())

    def support(self, min_probability: float = 0.01) -> list[int]:
        """Return the strategies of probability at least ``min_probability``, most probable first."""
        min_probability = check_number("support: min_probability", min_probability)
        order = np.argsort(-self.probabilities, kind="stable")
        return [int(s) for s in order if self.probabilities[s] >= min_probability]

    def player(self, seat: int, seed: int = 0, spec: GameSpec | None = None) -> Player:
        """Return a player of this solution: ``reset()`` before each episode, then ``act(knowledge, legal_actions)``.

        Parameters
        ----------
        seat
            Which player of the game it is, from 0.
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
        support = self.support()
        plays = ", ".join(f"{s}: {self.probabilities[s]:.1%}" for s in support[:MOST_SHOWN])
        more = f" and {len(support) - MOST_SHOWN} more" if len(support) > MOST_SHOWN else ""
        game = f"{shown(self.spec.name)}, " if self.spec else ""
        return (
            f"Solution({game}plays {plays}{more} of {len(self.policies)} strategies, "
            f"model regret {self.model_regret.sum():.3g}, {self.solver.get('kind')} {self.status})"
        )

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
        tensors: dict[str, Any] = {"probabilities": self.probabilities, "payoffs": self.table.payoffs(0)}
        descriptions = []
        for index, policy in enumerate(self.policies):
            description, arrays = policy_arrays(policy, f"policy{index}.")
            descriptions.append(description)
            tensors |= arrays
        fields = {
            "policies": descriptions,
            "model_regret": self.model_regret.tolist(),
            "pessimistic_regret": self.pessimistic_regret.tolist(),
            "solver": dict(self.solver),
            "status": self.status,
            "num_solver_iterations": self.num_solver_iterations,
            "spec": self.spec.to_json() if self.spec else None,
        }
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
            policies = tuple(
                policy_from_arrays(description, tensors, f"policy{index}.")
                for index, description in enumerate(fields["policies"])
            )
            mixture = Mixture(policies, tensors["probabilities"])
            solution = cls(
                policies=policies,
                probabilities=tensors["probabilities"],
                model_regret=np.asarray(fields["model_regret"], dtype=np.float64),
                pessimistic_regret=np.asarray(pessimistic, dtype=np.float64),
                table=PayoffTable.symmetric(tensors["payoffs"]),
                solver=fields["solver"],
                status=fields["status"],
                num_solver_iterations=fields["num_solver_iterations"],
                spec=GameSpec.from_json(fields["spec"]) if fields.get("spec") else None,
            )
        except (KeyError, TypeError, ValueError, CheckpointError) as error:
            raise CheckpointError(f"{file}: not a complete solution ({error})") from None
        table = solution.table
        if table.num_strategies != (len(mixture.policies),) * table.num_players:
            raise CheckpointError(
                f"{file}: {len(policies)} policies, but the payoff table is of {table.num_strategies} strategies"
            )
        for name in ("model_regret", "pessimistic_regret"):
            if getattr(solution, name).shape != (table.num_players,):
                raise CheckpointError(f"{file}: {name} must hold a number for each of {table.num_players} players")
        return solution
