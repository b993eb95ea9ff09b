"""Nash equilibria: by linear programming, at the end of the logit branch, or in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.meta_solvers.base import ConfigurableSolver, MetaSolution, complete_table, make_solution
from coffee_fast.meta_solvers.lemke_howson import lemke_howson, symmetric_lemke_howson
from coffee_fast.meta_solvers.logit_limit import logit_limits
from coffee_fast.typing import Float64, Profile

MAX_EXACT_STRATEGIES = 60
"""Of both players together, or of a symmetric game: how many exact arithmetic is for (about two seconds)."""


@dataclass(frozen=True)
class Nash(ConfigurableSolver):
    r"""A Nash equilibrium of a game of any number of players, on payoffs averaged over members.

    In a zero-sum game of two each player maximizes the payoff that it is sure of, :math:`\max_x \min_b \sum_a x_a
    A_{ab}` (von Neumann 1928), a linear program that HiGHS solves; payoffs that add to a constant are zero-sum but for
    that constant. In other games the branch of logit equilibria is followed from uniform play to where it ends as
    players come to make no errors, one equilibrium in almost all games (McKelvey and Palfrey 1995), and made exact on
    its support by Newton steps. Where that fails, as with payoffs of very different sizes, games of two with at most 60
    strategies together are solved in exact arithmetic by complementary pivots (Lemke and Howson 1964), and in games of
    more all supports are tried if they are few. A symmetric table gets one mixture for both players. However they were
    found, the regret of the mixtures in the table decides what they are called. Cost: milliseconds to seconds for tens
    of strategies a player.

    >>> from coffee_fast import PayoffTable
    >>> table = PayoffTable.from_arrays([[[2, -1], [-1, 1]], [[-2, 1], [1, -1]]])
    >>> Nash().solve(table).mixtures[0].round(6).tolist()
    [0.4, 0.6]
    >>> Nash().solve([[0.0, 3.0], [1.0, 2.0]]).mixtures[0].round(6).tolist()  # hawk and dove
    [0.5, 0.5]
    """

    kind: ClassVar[str] = "nash"

    def solve(self, table: PayoffLike) -> MetaSolution:
        """Find an equilibrium; the status is ``"converged"`` if no player can gain 1e-9 of what is at stake for it.

        Else it is ``"not_converged"``, of the profile of least regret that was found: payoffs of very different sizes,
        or strategies that are all but alike, in games too large for exact arithmetic.
        """
        table = complete_table(table)
        found = (
            make_solution(table, mixtures, num_iterations=num_iterations, solver=self.kind)
            for mixtures, num_iterations in _candidates(table)
        )
        best = next(found)
        while best.status != "converged" and (other := next(found, None)) is not None:
            best = other if other.status == "converged" or other.max_regret < best.max_regret else best
        return best


def _candidates(table: PayoffTable) -> Iterator[tuple[Profile, int]]:
    """Yield mixtures and iterations that may be an equilibrium: the likeliest first, of small games the surest last."""
    if table.num_players != 2:
        yield from logit_limits(table)
        return
    mean, is_symmetric = table.mean(), table.is_symmetric
    row, column = (mean.centered_payoffs(player)[0][0] for player in range(2))
    rounding = 4.0 * np.finfo(np.float64).eps * (np.abs(mean.payoffs(0)[0]) + np.abs(mean.payoffs(1)[0]))
    by_program = _programs(row, column, is_symmetric) if _is_zero_sum(row, column, rounding) else None
    if by_program is not None:
        yield by_program
    else:
        yield from logit_limits(table)
    is_small = (len(row) if is_symmetric else sum(row.shape)) <= MAX_EXACT_STRATEGIES
    if is_small and (exact := symmetric_lemke_howson(row) if is_symmetric else lemke_howson(row, column)):
        yield exact


def _programs(row: Float64, column: Float64, is_symmetric: bool) -> tuple[Profile, int] | None:
    """Return what each player of a zero-sum game is surest with, and the steps; None if a program came to no end."""
    programs = [_max_min(row)] if is_symmetric else [_max_min(row), _max_min(column.T)]
    found = [program for program in programs if program is not None]
    if len(found) < len(programs):
        return None
    mixtures = [mixture for mixture, _ in found]
    return mixtures * (2 if is_symmetric else 1), sum(num_iterations for _, num_iterations in found)


def _is_zero_sum(row: Float64, column: Float64, rounding: Float64) -> bool:
    """Whether sums are alike within 1e-9 of the payoffs there, or of those in the middle if these are larger."""
    sums, sizes = row + column, np.abs(row - np.median(row)) + np.abs(column - np.median(column))
    allowed = 1e-9 * np.maximum(sizes, np.median(sizes)) + rounding
    return bool((np.abs(sums - np.median(sums)) <= allowed).all())


def _max_min(payoffs: Float64) -> tuple[Float64, int] | None:
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
        return None
    mixture = np.maximum(result.x[:num_rows], 0.0)
    return mixture / mixture.sum(), int(result.nit)
