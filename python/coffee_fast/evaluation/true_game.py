"""How good a solution is in the game itself: regret against best responses that are trained there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from coffee_fast.checks import check_count
from coffee_fast.empirical import EmpiricalGame, simulate_missing
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.evaluation.best_responses import figures_of, names_of, policies_of, train_best_responses
from coffee_fast.evaluation.deviations import merge_strategies, regret_by_deviations
from coffee_fast.evaluation.exact import exact_report
from coffee_fast.evaluation.regret_report import RegretReport
from coffee_fast.evaluation.sampling_error import deviation_weights, linear_standard_error
from coffee_fast.games import GameTree
from coffee_fast.policies import Mixture, Policy, as_profile
from coffee_fast.psro.execution import Execution
from coffee_fast.responses import DDQN, PolicyGradient, as_oracles
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.simulation import check_dynamics, check_two_alike
from coffee_fast.typing import Float64, ProgressCallback

if TYPE_CHECKING:
    from pathlib import Path

    from coffee_fast.dynamics import Dynamics
    from coffee_fast.evaluation.best_responses import BestResponses
    from coffee_fast.games import GameSpec
    from coffee_fast.psro.solution import Solution
    from coffee_fast.responses import OneOrMoreOracles, ResponseOracle


JUDGES: tuple[ResponseOracle, ...] = (DDQN(), PolicyGradient())


@dataclass(frozen=True, eq=False)
class CombinedGame:
    """The true game among the strategies of some solutions and best responses to each, estimated twice.

    Attributes
    ----------
    strategies, strategy_names
        Uniform random play, the solutions' strategies, then one best response a solution and oracle.
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
            deviations=(self.strategy_names[best],),
            deviation_gains=(gains,),
            strategy_names=(self.strategy_names,),
            response_report=self.response_reports[index],
            num_simulations=self.num_simulations,
            seed=self.seed,
        )


def combined_game(
    game: Dynamics,
    solutions: Sequence[Solution | Mixture],
    seed: int,
    *,
    response: OneOrMoreOracles | None = None,
    num_simulations: int = 1000,
    num_threads: int = 1,
    cache_dir: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> CombinedGame:
    """Train a best response to each solution in ``game`` and estimate all payoffs among all strategies there.

    Arguments are those of :func:`true_regret`; the game is one of two players who are alike, since the table of others
    would be too large: there :func:`true_regret` measures deviations alone.
    """
    check_dynamics("combined_game", "game", game)
    check_two_alike("combined_game", game.spec)
    execution = Execution.of("combined_game", cache_dir, False, num_threads, progress, folder="cache_dir")
    asked = _Asked.of("combined_game", game, solutions, seed, response, num_simulations)
    return _combined(asked, asked.train(execution), execution)


@dataclass(frozen=True)
class _Asked:
    """What is to be measured, as plain values."""

    game: Dynamics
    profiles: list[list[Mixture]]
    seed: int
    oracles: tuple[ResponseOracle, ...]
    num_simulations: int

    @classmethod
    def of(cls, caller: str, game: Dynamics, solutions: Any, seed: Any, response: Any, num_simulations: Any) -> _Asked:
        oracles = as_oracles(f"{caller}: response", JUDGES if response is None else response)
        if not isinstance(solutions, Sequence) or isinstance(solutions, str):
            raise InvalidArgumentError(f"{caller}: solutions must be a list of them, got {shown(solutions)}")
        profiles = [as_profile(solution, game.spec.num_players) for solution in solutions]
        if not profiles:
            raise InvalidArgumentError(f"{caller}: solution must be at least one solution, got an empty sequence")
        _check_alike(caller, profiles, game.spec)
        num_simulations = check_count(f"{caller}: num_simulations", num_simulations, at_least=2)
        return cls(game, profiles, check_seed(seed), oracles, num_simulations)

    def train(self, execution: Execution) -> BestResponses:
        """Train the best responses."""
        return train_best_responses(self.game, self.profiles, self.seed, oracles=self.oracles, execution=execution)


def _combined(asked: _Asked, best: BestResponses, execution: Execution) -> CombinedGame:
    wanted = [profile[0] for profile in asked.profiles]
    strategies, mixtures = merge_strategies(wanted)
    names = [f"strategy {index}" for index in range(len(strategies))]
    strategies += policies_of(best, role=0)
    names += names_of(best)
    padded = np.zeros((len(wanted), len(strategies)))
    padded[:, : mixtures.shape[1]] = mixtures
    samples = []
    for part in ("selection", "validation"):
        sampled = simulate_missing(
            EmpiricalGame(1),
            asked.game,
            strategies,
            asked.num_simulations,
            seed=derive_seed(asked.seed, f"payoffs/{part}"),
            num_threads=execution.num_threads,
        )
        samples.append(sampled)
        execution.tell("evaluation", len(samples), 2, {"num_strategies": float(len(strategies))})
    return CombinedGame(
        strategies=tuple(strategies),
        strategy_names=tuple(names),
        mixtures=padded,
        selection=samples[0],
        validation=samples[1],
        response_reports=tuple(figures_of(best, place, [""]) for place in range(len(wanted))),
        num_simulations=asked.num_simulations,
        seed=asked.seed,
    )


@overload
def true_regret(
    game: Dynamics,
    solution: Solution | Mixture,
    seed: int,
    *,
    response: OneOrMoreOracles | None = ...,
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
    response: OneOrMoreOracles | None = ...,
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
    response: OneOrMoreOracles | None = None,
    num_simulations: int = 1000,
    num_threads: int = 1,
    cache_dir: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> RegretReport | tuple[RegretReport, ...]:
    r"""Measure how much a player could gain in the true game by leaving a solution.

    For each solution and role best responses are trained in the game, against opponents drawn from the solution each
    episode. The combined set of a role holds uniform random play, its strategies in every solution and its best
    responses; their payoffs are estimated anew. Then, with :math:`\sigma` the solution,

    .. math:: \max_{s} u_i(s, \sigma_{-i}) - u_i(\sigma).

    In a :class:`coffee_fast.GameTree` the figures are exact (``is_exact``), against all policies there are; nothing is
    trained or sampled. Elsewhere a trained best response need not be the best there is, so the figure is a lower bound.
    Where a role has several seats, payoffs are averaged over them, and so is the figure: it is the gain of a player who
    is seated by lot.

    Parameters
    ----------
    game
        The true game.
    solution
        A solution, or a strategy that all players play; or a sequence of such or of profiles, lists of one strategy a
        player. Those of one call share one combined set.
    seed
        In ``[0, 2**63)``.
    response
        Oracle for the best responses, or several of which each trains one to each solution: whichever gains most
        counts, and :attr:`RegretReport.deviations` say whose it is. By default the paper's double DQN and policy
        gradients.
    num_simulations
        Episodes in each of the two sample sets: of two players alike for each pair of strategies, half of them in
        either seating; in other games for each deviation, the others playing the solution.
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

    Notes
    -----
    Cost, besides the best responses: of two players alike quadratic in the number of strategies, since all solutions of
    a call use the same table; in other games linear, whatever the number of players.

    References
    ----------
    Nguyen and Wellman 2026, Section 5.2 and Appendix E.
    """
    if isinstance(solution, str) or not isinstance(solution, Sequence):
        solutions: Sequence[Solution | Mixture] = [solution]
    else:
        solutions = solution
    check_dynamics("true_regret", "game", game)
    execution = Execution.of("true_regret", cache_dir, False, num_threads, progress, folder="cache_dir")
    asked = _Asked.of("true_regret", game, solutions, seed, response, num_simulations)
    if isinstance(game, GameTree) and game.has_recall:
        exact = tuple(exact_report(game, profile, asked.seed) for profile in asked.profiles)
        return exact if solutions is solution else exact[0]
    best = asked.train(execution)
    if game.spec.roles == (2,):
        combined = _combined(asked, best, execution)
        reports = tuple(combined.regret(index) for index in range(len(solutions)))
    else:
        reports = regret_by_deviations(game, asked.profiles, best, asked.num_simulations, asked.seed, execution)
    return reports if solutions is solution else reports[0]


def _check_alike(caller: str, profiles: Sequence[Sequence[Mixture]], spec: GameSpec) -> None:
    """Raise unless the players of each role play the same: its figures are of who is seated by lot."""
    for profile in profiles:
        for role in range(spec.num_roles):
            first, *others = (profile[seat] for seat in spec.seats_of(role))
            if any(_differ(first, other) for other in others):
                raise InvalidArgumentError(
                    f"{caller}: players of one role must play the same mixture; measure unlike ones in a game whose "
                    f"specification has a role for each (roles={(1,) * spec.num_players})"
                )


def _differ(one: Mixture, other: Mixture) -> bool:
    if one is other:
        return False
    return one.policies != other.policies or one.probabilities.tolist() != other.probabilities.tolist()


def _row_player(sampled: EmpiricalGame) -> tuple[Float64, Float64]:
    """Mean payoffs of the row player and their standard errors: f64 ``[S, S]`` each."""
    return sampled.table().payoffs(0).mean(axis=0), sampled.standard_errors()[0][0]
