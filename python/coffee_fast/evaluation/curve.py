"""The course of the true-game regret over a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from coffee_fast.checks import check_count
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.evaluation.true_game import true_regret
from coffee_fast.psro.result import PSROResult
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.evaluation.regret_report import RegretReport
    from coffee_fast.meta_solvers import MetaSolver
    from coffee_fast.responses import OneOrMoreOracles


def regret_by_iteration(
    game: Dynamics,
    result: PSROResult,
    seed: int,
    *,
    every: int = 1,
    solver: MetaSolver | None = None,
    response: OneOrMoreOracles | None = None,
    num_simulations: int = 1000,
    num_threads: int = 1,
    cache_dir: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> dict[int, RegretReport]:
    """Measure the true regret of the solutions that were known after every so many iterations.

    All compete with one combined set of strategies, which holds best responses to each of them, so a deviation that
    was only found later counts against the early ones too. Costs a training of a best response for each, by
    every oracle.

    Parameters
    ----------
    every
        Distance of the iterations that are judged, counted back from the last one. Iteration 0, uniform random play, is
        always among them.
    solver
        Extracts the solutions; by default the run's own.
    game, result, seed, response, num_simulations, num_threads, cache_dir, progress
        As in :func:`coffee_fast.true_regret`.

    Returns
    -------
    dict
        Reports by iteration, as :func:`coffee_fast.plotting.regret_curve` draws them.
    """
    if not isinstance(result, PSROResult):
        raise InvalidArgumentError(f"regret_by_iteration: result must be a PSROResult, got {shown(result)}")
    iterations = judged_iterations(result.num_iterations, every)
    reports = true_regret(
        game,
        [result.solution_at(iteration, solver) for iteration in iterations],
        seed,
        response=response,
        num_simulations=num_simulations,
        num_threads=num_threads,
        cache_dir=cache_dir,
        progress=progress,
    )
    return dict(zip(iterations, reports, strict=True))


def judged_iterations(num_iterations: int, every: int) -> list[int]:
    """Return 0, the last iteration, and those between at this distance.

    >>> judged_iterations(10, every=4)
    [0, 2, 6, 10]
    """
    every = check_count("regret_by_iteration: every", every, at_least=1)
    return sorted({0, *range(num_iterations, 0, -every)})
