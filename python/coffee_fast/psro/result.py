"""What a run of COffeE-PSRO gives back, and the solutions that are extracted from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._provenance import figures_from_json, plain
from coffee_fast.checks import check_count
from coffee_fast.empirical import PayoffTable
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policy_files import policy_arrays
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.solution import Solution
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.empirical import EmpiricalGame
    from coffee_fast.games import GameSpec
    from coffee_fast.meta_solvers import MetaSolver
    from coffee_fast.policies import Policy


@dataclass(frozen=True, eq=False)
class IterationRecord:
    """What happened in one iteration; iteration 0 is the start with uniform random play alone.

    Attributes
    ----------
    iteration
        Its number, which is also the number of the strategy it trained.
    objective
        ``uncertainty_penalty`` and annealed ``coverage_weight`` of its response training; empty at iteration 0.
    response_report
        The oracle's own figures; empty at iteration 0. Of several roles each name begins with the role's.
    mixtures
        The meta-strategy of each role after it, over strategies ``0 .. iteration``: f64 ``[iteration + 1]`` each.
    model_regret
        Regret of that mixture within the empirical game, mean payoffs: f64 ``[N]``, payoff units.
    solver_status, solver_iterations
        How the meta-strategy solver ended.
    disagreement
        Of the profiles it simulated: mean over episodes of the members' disagreement, summed over an episode, payoff
        units. Of two players alike each strategy against the new one: f64 ``[iteration + 1]``.
    seconds
        Wall-clock seconds of its parts; no part of the result's fingerprint.
    """

    iteration: int
    objective: Mapping[str, float]
    response_report: Mapping[str, float]
    mixtures: tuple[Float64, ...]
    model_regret: Float64
    solver_status: str
    solver_iterations: int
    disagreement: Float64
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def mean_disagreement(self) -> float:
        """``disagreement`` averaged over the profiles."""
        return float(self.disagreement.mean())

    @property
    def mixture(self) -> Float64:
        """The meta-strategy, where all players are of one role."""
        if len(self.mixtures) > 1:
            raise InvalidArgumentError(f"mixture: the game has {len(self.mixtures)} roles, take mixtures, one a role")
        return self.mixtures[0]

    def to_json(self) -> dict[str, Any]:
        """Return everything but ``seconds`` as plain JSON values; NaN becomes null."""
        values = {f.name: plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "seconds"}
        if len(self.mixtures) == 1:  # as before there were roles
            values["mixture"] = values.pop("mixtures")[0]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any], seconds: Mapping[str, float]) -> IterationRecord:
        """Rebuild a record from :meth:`to_json`."""
        known, numbers = {f.name for f in dataclasses.fields(cls)} - {"seconds"}, dict(values)
        if "mixture" in numbers:
            numbers["mixtures"] = [numbers.pop("mixture")]
        if set(numbers) != known:
            raise InvalidArgumentError(f"IterationRecord: expected fields {sorted(known)}, got {sorted(values)}")
        numbers["mixtures"] = tuple(np.asarray(mixture, dtype=np.float64) for mixture in numbers["mixtures"])
        for name in ("model_regret", "disagreement"):
            numbers[name] = np.asarray(values[name], dtype=np.float64)
        numbers["response_report"] = figures_from_json(values["response_report"])
        return cls(**numbers, seconds=dict(seconds))


@dataclass(frozen=True, eq=False)
class PSROResult:
    """The strategies, the empirical game among them, and how each came about.

    Extracting a solution is separate from the run: any meta-solver may be asked for one with :meth:`solve`.

    Attributes
    ----------
    strategies
        One tuple a role: strategy 0 is uniform random play, strategy ``t`` the response trained in iteration ``t``.
    empirical_game
        Payoffs among them as estimated in the model, per ensemble member.
    records
        One a completed iteration, the start included.
    config, seed, model_fingerprint, versions
        What the run was: enough to repeat it. ``config`` is None when read from the folder of a run with an oracle or
        solver that is not of this package.
    status
        ``"complete"``, or ``"incomplete"`` when read from the folder of an interrupted run.
    spec
        The game; None when read from a folder that an earlier version wrote.
    """

    strategies: tuple[tuple[Policy, ...], ...]
    empirical_game: EmpiricalGame
    records: tuple[IterationRecord, ...]
    config: PSROConfig | None
    seed: int
    model_fingerprint: str
    versions: Mapping[str, str]
    status: str
    spec: GameSpec | None = None

    @property
    def num_iterations(self) -> int:
        """Iterations that trained a strategy."""
        return len(self.records) - 1

    @property
    def roles(self) -> tuple[int, ...]:
        """Number of seats of each role, seats in order."""
        return self.empirical_game.roles

    @property
    def _role_of(self) -> tuple[int, ...]:
        return tuple(role for role, size in enumerate(self.roles) for _ in range(size))

    @property
    def exploration_mixtures(self) -> tuple[Float64, ...]:
        """The meta-strategy after each iteration, of a single role: entry ``t`` has length ``t + 1``."""
        return tuple(record.mixture for record in self.records)

    @property
    def table(self) -> PayoffTable:
        """The empirical game's mean payoffs, with the member axis."""
        return self.empirical_game.table()

    def solve(self, solver: MetaSolver | None = None) -> Solution:
        """Extract a solution from all strategies.

        Parameters
        ----------
        solver
            Any meta-strategy solver; by default the run's own.
        """
        return self.solution_at(self.num_iterations, solver)

    def solution_at(self, iteration: int, solver: MetaSolver | None = None) -> Solution:
        """Extract the solution that was known after ``iteration``, from strategies ``0 .. iteration`` only.

        Parameters
        ----------
        iteration
            From 0 (uniform random play alone) to ``num_iterations``; negative numbers count from the end.
        solver
            Any meta-strategy solver; by default the run's own.

        Raises
        ------
        InvalidArgumentError
            If there was no such iteration, or no solver is given and the run's own is not at hand.
        """
        last = self.num_iterations
        iteration = check_count("solution_at: iteration", iteration, at_least=-last - 1, at_most=last)
        num_strategies = iteration % (last + 1) + 1
        if solver is None:
            if self.config is None:
                raise InvalidArgumentError("solution_at: this result has no solver of its own, pass one as solver")
            solver = self.config.meta_solver
        if not callable(getattr(solver, "solve", None)):
            raise InvalidArgumentError(f"solution_at: solver must have a method solve(table), got {shown(solver)}")
        strategies = [role[:num_strategies] for role in self.strategies]
        return Solution.extract(strategies, self.table.of_first(num_strategies), solver, self.spec)

    def final_game_regret(self) -> tuple[Float64, Float64]:
        """Return the regret of each iteration's meta-strategy in the final empirical game, and the pessimistic one.

        Unlike ``model_regret`` of a record, which knows the strategies of its time, this counts every strategy that
        the run ever learned as a deviation: f64 ``[num_iterations + 1]`` each, summed over players.
        """
        table, size = self.table, len(self.records)
        profiles = [
            [
                np.pad(own, (0, size - len(own)))
                for own, seats in zip(r.mixtures, self.roles, strict=True)
                for _ in range(seats)
            ]
            for r in self.records
        ]
        regret = np.array([table.regret(profile).sum() for profile in profiles])
        return regret, np.array([table.pessimistic_regret(profile).sum() for profile in profiles])

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) of all that the seed determines: strategies, payoffs, records; no times, no versions."""
        digest = hashlib.sha256()
        for strategy in (strategy for role in self.strategies for strategy in role):
            kind, arrays = policy_arrays(strategy)
            digest.update(json.dumps(kind, sort_keys=True).encode())
            for array in arrays.values():
                digest.update(array.tobytes())
        for player in range(1 if self.roles == (2,) else sum(self.roles)):
            digest.update(np.ascontiguousarray(self.table.payoffs(player)).tobytes())
        for record in self.records:
            digest.update(json.dumps(record.to_json(), sort_keys=True).encode())
        return digest.hexdigest()
