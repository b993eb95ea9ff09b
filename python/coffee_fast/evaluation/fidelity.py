"""How far the model's payoffs are from the true ones, and whether its members' disagreement shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._provenance import plain
from coffee_fast.empirical import EmpiricalGame, simulate_missing
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float64, Int32, ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.games import Game
    from coffee_fast.psro import PSROResult


@dataclass(frozen=True, eq=False)
class FidelityReport:
    """Model payoffs against true payoffs, a figure for each unordered pair of strategies.

    Attributes
    ----------
    profiles
        The pairs ``(a, b)``, ``a <= b``: i32 ``[P, 2]``.
    utility_error
        Mean over the two players of the absolute difference of their payoffs in model and game: f64 ``[P]``, payoff
        units.
    disagreement
        Mean over simulations in the model of the members' disagreement, summed over an episode: f64 ``[P]``.
    correlation
        Pearson's between the two; NaN where one of them does not vary.
    """

    profiles: Int32
    utility_error: Float64
    disagreement: Float64
    correlation: float

    @property
    def mean_utility_error(self) -> float:
        """``utility_error`` averaged over profiles."""
        return float(self.utility_error.mean())

    @property
    def mean_disagreement(self) -> float:
        """``disagreement`` averaged over profiles."""
        return float(self.disagreement.mean())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "profiles": self.profiles.tolist(),
            "utility_error": self.utility_error.tolist(),
            "disagreement": self.disagreement.tolist(),
            "correlation": plain(self.correlation),
            "mean_utility_error": self.mean_utility_error,
            "mean_disagreement": self.mean_disagreement,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FidelityReport:
        """Rebuild a report from :meth:`to_json`."""
        return cls(
            profiles=np.asarray(values["profiles"], dtype=np.int32).reshape(-1, 2),
            utility_error=np.asarray(values["utility_error"], dtype=np.float64),
            disagreement=np.asarray(values["disagreement"], dtype=np.float64),
            correlation=float("nan") if values["correlation"] is None else float(values["correlation"]),
        )


def model_fidelity(
    game: Game,
    result: PSROResult,
    seed: int,
    *,
    num_simulations: int = 1000,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> FidelityReport:
    """Simulate a run's strategies in the true game and compare with what the model said of them.

    Parameters
    ----------
    game
        The true game.
    result
        A run: its strategies and empirical game.
    seed
        In ``[0, 2**63)``.
    num_simulations
        Episodes a profile in the true game.
    num_threads
        Threads for simulation, 0 for all cores; the report does not depend on it.
    progress
        Called once at the end.

    References
    ----------
    Nguyen and Wellman 2026, Section 5.4 and Figure 2: utility error and mean uncertainty.
    """
    true_game = simulate_missing(
        EmpiricalGame(1),
        game,
        result.strategies,
        num_simulations,
        seed=derive_seed(seed, "payoffs"),
        num_threads=num_threads,
    )
    if progress:
        progress("fidelity", 1, 1, {})
    error = np.abs(true_game.table().payoffs(0).mean(axis=0) - result.table.payoffs(0).mean(axis=0))
    columns, rows = np.tril_indices(len(result.strategies))
    utility_error = (error[rows, columns] + error[columns, rows]) / 2.0
    disagreement = np.concatenate([record.disagreement for record in result.records])
    varies = len(rows) > 1 and np.ptp(utility_error) > 0.0 and np.ptp(disagreement) > 0.0
    return FidelityReport(
        profiles=np.stack([rows, columns], axis=1).astype(np.int32),
        utility_error=utility_error,
        disagreement=disagreement,
        correlation=float(np.corrcoef(utility_error, disagreement)[0, 1]) if varies else float("nan"),
    )
