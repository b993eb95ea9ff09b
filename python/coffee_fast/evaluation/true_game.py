"""How good a solution is in the game itself: regret against best responses that are trained there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from coffee_fast.checks import check_count
from coffee_fast.empirical import EmpiricalGame, simulate_missing
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.evaluation.best_responses import train_best_responses
from coffee_fast.evaluation.regret_report import RegretReport
from coffee_fast.evaluation.sampling_error import deviation_weights, linear_standard_error
from coffee_fast.policies import Mixture, Policy, UniformRandom, as_mixture
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.psro.loop import check_run
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import check_dynamics, check_two_alike
from coffee_fast.typing import Float64, ProgressCallback

if TYPE_CHECKING:
    from pathlib import Path

    from coffee_fast.dynamics import Dynamics
    from coffee_fast.psro.solution import Solution
    from coffee_fast.responses import ResponseOracle


@dataclass(frozen=True, eq=False)
class CombinedGame:
    """The true game among the strategies of some solutions and best responses to each, estimated twice.

    Attributes
    ----------
    strategies, strategy_names
        Uniform random play, the solutions' strategies, then one best response a solution.
    mixtures
        The solutions as mixtures over these: f64 ``[num_solutions, S]``.
    selection, validation
        Two independent estimates of the payoffs: the first picks deviations, the second measures them.
    """

    strategies: tuple[Policy, ...]
    strategy_names: tuple[str, ...]
    mixtures: Float64
    selection: EmpiricalGame
    validation: EmpiricalGame
    response_reports: tuple[Mapping[str, float], ...]
    num_simulations: int
    seed: int

    def regret(self, index: int) -> RegretReport:
        """Return the regret of solution ``index``."""
        mixture = self.mixtures[index]
        payoffs, errors = _row_player(self.selection)
        gains = payoffs @ mixture - mixture @ payoffs @ mixture
        best = int(np.argmax(gains))
        fresh_payoffs, fresh_errors = _row_player(self.validation)
        weights, profile = deviation_weights(mixture, best), np.outer(mixture, mixture)
        both = np.ones(2)  # the profile is symmetric: the players' figures are the same
        return RegretReport(
            regret=gains[best] * both,
            regret_standard_error=linear_standard_error(weights, errors) * both,
            debiased_regret=float((weights * fresh_payoffs).sum()) * both,
            debiased_standard_error=linear_standard_error(weights, fresh_errors) * both,
            payoff=float((profile * fresh_payoffs).sum()) * both,
            payoff_standard_error=linear_standard_error(profile, fresh_errors) * both,
            deviation=self.strategy_names[best],
            deviation_gains=gains,
            strategy_names=self.strategy_names,
            response_report=self.response_reports[index],
            num_simulations=self.num_simulations,
            seed=self.seed,
        )


def combined_game(
    game: Dynamics,
    solutions: Sequence[Solution | Mixture],
    seed: int,
    *,
    response: ResponseOracle | None = None,
    num_simulations: int = 1000,
    num_threads: int = 1,
    cache_dir: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> CombinedGame:
    """Train a best response to each solution in ``game`` and estimate all payoffs among all strategies there.

    Arguments are those of :func:`true_regret`.
    """
    check_dynamics("true_regret", "game", game)
    check_two_alike("true_regret", game.spec)
    num_simulations = check_count("true_regret: num_simulations", num_simulations, at_least=2)
    seed, cache_dir, _, num_threads = check_run(
        "true_regret", seed, cache_dir, False, num_threads, progress, folder="cache_dir"
    )
    if response is not None and not callable(getattr(response, "respond", None)):
        raise InvalidArgumentError(
            f"true_regret: response must be an oracle with a method respond(...), got {shown(response)}"
        )
    if not isinstance(solutions, Sequence) or isinstance(solutions, str):
        raise InvalidArgumentError(f"true_regret: solutions must be a list of them, got {shown(solutions)}")
    wanted = [as_mixture(solution) for solution in solutions]
    if not wanted:
        raise InvalidArgumentError("true_regret: solution must be at least one solution, got an empty sequence")

    responses = train_best_responses(
        game, wanted, seed, response=response, num_threads=num_threads, cache_dir=cache_dir, progress=progress
    )
    strategies, mixtures = _merge(wanted)
    names = [f"strategy {index}" for index in range(len(strategies))]
    strategies += [response.policy for response in responses]
    names += [f"best response {index}" for index in range(len(responses))]
    padded = np.zeros((len(wanted), len(strategies)))
    padded[:, : mixtures.shape[1]] = mixtures

    samples = []
    for part in ("selection", "validation"):
        part_seed = derive_seed(seed, f"payoffs/{part}")
        samples.append(
            simulate_missing(
                EmpiricalGame(1), game, strategies, num_simulations, seed=part_seed, num_threads=num_threads
            )
        )
        if progress:
            progress("evaluation", len(samples), 2, {"num_strategies": float(len(strategies))})
    return CombinedGame(
        strategies=tuple(strategies),
        strategy_names=tuple(names),
        mixtures=padded,
        selection=samples[0],
        validation=samples[1],
        response_reports=tuple(response.report for response in responses),
        num_simulations=num_simulations,
        seed=seed,
    )


@overload
def true_regret(
    game: Dynamics,
    solution: Solution | Mixture,
    seed: int,
    *,
    response: ResponseOracle | None = ...,
    num_simulations: int = ...,
    num_threads: int = ...,
    cache_dir: str | Path | None = ...,
    progress: ProgressCallback | None = ...,
) -> RegretReport: ...
@overload
def true_regret(
    game: Dynamics,
    solution: Sequence[Solution | Mixture],
    seed: int,
    *,
    response: ResponseOracle | None = ...,
    num_simulations: int = ...,
    num_threads: int = ...,
    cache_dir: str | Path | None = ...,
    progress: ProgressCallback | None = ...,
) -> tuple[RegretReport, ...]: ...
def true_regret(
    game: Dynamics,
    solution: Solution | Mixture | Sequence[Solution | Mixture],
    seed: int,
    *,
    response: ResponseOracle | None = None,
    num_simulations: int = 1000,
    num_threads: int = 1,
    cache_dir: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> RegretReport | tuple[RegretReport, ...]:
    r"""Measure how much a player could gain in the true game by leaving a solution.

    For each solution a best response is trained in the game, against opponents drawn from the solution each episode.
    The combined set holds uniform random play, every solution's strategies and every best response; all its payoffs
    are estimated anew. Then, with :math:`\sigma` the solution,

    .. math:: \max_{s} u_i(s, \sigma_{-i}) - u_i(\sigma).

    A trained best response need not be the best there is, so the figure is a lower bound. Payoffs are averaged over
    both seats, and so is the figure: it is the gain of a player who is seated by lot.

    Parameters
    ----------
    game
        The true game, symmetric with two players.
    solution
        A solution or mixture, or a sequence of them; those of one call share one combined set.
    seed
        In ``[0, 2**63)``.
    response
        Oracle for the best responses; by default the paper's double DQN.
    num_simulations
        Episodes for each pair of strategies in each of the two sample sets, half of them in either seating.
    num_threads
        Threads for best responses and simulation, 0 for all cores; the report does not depend on it.
    cache_dir
        Folder that keeps best responses, trained and in training, so that an interrupted evaluation goes on where it
        was.
    progress
        Called during training and after each sample set.

    Returns
    -------
    RegretReport
        Or a tuple of them for a sequence of solutions.

    References
    ----------
    Nguyen and Wellman 2026, Section 5.2 and Appendix E.
    """
    if isinstance(solution, str) or not isinstance(solution, Sequence):
        solutions: Sequence[Solution | Mixture] = [solution]
    else:
        solutions = solution
    combined = combined_game(
        game,
        solutions,
        seed,
        response=response,
        num_simulations=num_simulations,
        num_threads=num_threads,
        cache_dir=cache_dir,
        progress=progress,
    )
    reports = tuple(combined.regret(index) for index in range(len(solutions)))
    return reports if solutions is solution else reports[0]


def _row_player(sampled: EmpiricalGame) -> tuple[Float64, Float64]:
    """Mean payoffs of the row player and their standard errors: f64 ``[S, S]`` each."""
    return sampled.table().payoffs(0).mean(axis=0), sampled.standard_errors()[0]


def _merge(mixtures: Sequence[Mixture]) -> tuple[list[Policy], Float64]:
    """Return the distinct policies, uniform random first, and each mixture's probabilities over them."""
    strategies: list[Policy] = [UniformRandom()]
    place = {policy_fingerprint(strategies[0]): 0}
    rows = []
    for mixture in mixtures:
        row: dict[int, float] = {}
        for policy, probability in zip(mixture.policies, mixture.probabilities, strict=True):
            index = place.setdefault(policy_fingerprint(policy), len(strategies))
            if index == len(strategies):
                strategies.append(policy)
            row[index] = row.get(index, 0.0) + float(probability)
        rows.append(row)
    weights = np.zeros((len(rows), len(strategies)))
    for weight, row in zip(weights, rows, strict=True):
        weight[list(row)] = list(row.values())
    return strategies, weights
