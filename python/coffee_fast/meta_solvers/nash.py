"""Nash equilibria of two-player zero-sum games by linear programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.errors import InvalidGameError, NumericalError
from coffee_fast.meta_solvers.base import ConfigurableSolver, MetaSolution, make_solution
from coffee_fast.typing import Float64


@dataclass(frozen=True)
class Nash(ConfigurableSolver):
    r"""A Nash equilibrium of a two-player zero-sum game, on payoffs averaged over members.

    Each player maximizes the payoff that it is sure of: :math:`\max_x \min_b \sum_a x_a A_{ab}` (von Neumann 1928), a
    linear program that HiGHS solves. Payoffs that add to a constant are zero-sum but for that constant. A symmetric
    table gets one mixture for both players. Where there are several equilibria, one of them.

    >>> from coffee_fast import PayoffTable
    >>> table = PayoffTable.from_arrays([[[2, -1], [-1, 1]], [[-2, 1], [1, -1]]])
    >>> Nash().solve(table).mixtures[0].round(6).tolist()
    [0.4, 0.6]
    """

    kind: ClassVar[str] = "nash"

    def solve(self, table: PayoffTable) -> MetaSolution:
        """Solve one linear program a player (one in all for a symmetric table); the status is ``"converged"``.

        Raises
        ------
        InvalidGameError
            The game has not two players, or payoffs that do not add to a constant within 1e-9 of their range.
        """
        if table.num_players != 2:
            raise InvalidGameError(f"Nash: the game must have two players, got {table.num_players}")
        table.kernel("solve")  # refuses unknown payoffs
        mean = table.mean()
        row, column = mean.payoffs(0)[0], mean.payoffs(1)[0]
        _check_zero_sum(row, column)
        mixture, num_iterations = _max_min(row)
        mixtures = [mixture, mixture]
        if not table.is_symmetric:
            mixtures[1], more_iterations = _max_min(column.T)
            num_iterations += more_iterations
        return make_solution(table, mixtures, status="converged", num_iterations=num_iterations, solver=self.kind)


def _check_zero_sum(row: Float64, column: Float64) -> None:
    sums = row + column
    spread, scale = np.ptp(sums), max(np.ptp(row), np.ptp(column))
    if spread > 1e-9 * scale:
        raise InvalidGameError(
            f"Nash: the payoffs of both players must add to a constant (a zero-sum game), but their sums range over "
            f"[{sums.min():g}, {sums.max():g}]; use Replicator or RobustReplicator for general games"
        )


def _max_min(payoffs: Float64) -> tuple[Float64, int]:
    """Return the mixture over rows with the largest guaranteed payoff, and the solver's iterations."""
    from scipy.optimize import linprog

    num_rows, num_columns = payoffs.shape
    spread = np.ptp(payoffs)
    # Any scale and offset has the same solutions; the program's tolerances are for numbers near one.
    scaled = (payoffs - payoffs.min()) / spread if spread > 0 else np.zeros_like(payoffs)
    result = linprog(  # maximize v subject to x' A >= v in every column
        c=np.r_[np.zeros(num_rows), -1.0],
        A_ub=np.c_[-scaled.T, np.ones(num_columns)],
        b_ub=np.zeros(num_columns),
        A_eq=np.r_[np.ones(num_rows), 0.0][None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * num_rows + [(None, None)],
        method="highs",
    )
    if result.status != 0:
        raise NumericalError(f"Nash: the linear program failed: {result.message}")
    mixture = np.maximum(result.x[:num_rows], 0.0)
    return mixture / mixture.sum(), int(result.nit)
