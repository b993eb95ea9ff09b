"""General-sum anchored mirror descent: coarse correlated equilibria around a reference, for any number of players."""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_flag, check_number
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.regularized.anchored.anchors import Anchors
from coffee_fast.regularized.anchored.backward_induction import Stage, induce, product
from coffee_fast.regularized.anchored.solutions import CorrelatedEquilibrium, CorrelatedPolicies
from coffee_fast.regularized.games import as_game
from coffee_fast.stage_games.arguments import LARGEST_RATIO, KLWeight, References, frozen
from coffee_fast.stage_games.kernels import (
    LOG_ZERO,
    anchored_best_response,
    anchored_mirror_descent,
    contraction,
    deviation_payoffs_of_logs,
    is_zero_sum,
    nearest_potential,
    regularized_gap,
)
from coffee_fast.stage_games.normal_form import StageGame
from coffee_fast.stage_games.status import status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Profile


@overload
def gamd(
    game: PayoffLike,
    *,
    kl_weight: KLWeight = None,
    reference: References = None,
    num_iterations: int = 1000,
    last_iterate: bool = False,
    risk_aversion: float = 0.0,
    tolerance: float = 0.0,
) -> CorrelatedEquilibrium: ...


@overload
def gamd(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    kl_weight: KLWeight = None,
    reference: References = None,
    num_iterations: int = 1000,
    last_iterate: bool = False,
    smoothing: float = 1.0,
    unseen_value: ArrayLike | None = None,
    tolerance: float = 0.0,
) -> CorrelatedPolicies: ...


def gamd(
    game: PayoffLike | TabularGame | Mapping[str, ArrayLike],
    *,
    kl_weight: KLWeight = None,
    reference: References = None,
    num_iterations: int = 1000,
    last_iterate: bool = False,
    risk_aversion: float = 0.0,
    smoothing: float = 1.0,
    unseen_value: ArrayLike | None = None,
    tolerance: float = 0.0,
) -> CorrelatedEquilibrium | CorrelatedPolicies:
    r"""Return a coarse correlated equilibrium of the game with KL penalties, by mirror descent from the reference.

    All players move at once, :math:`x_i^{t+1} \propto ref_i \exp(\sum_{k \le t} q_i^k / (\lambda_i (t + 1)))`; the play
    is one round of ``T`` drawn for all of them. Its gap is at most :math:`B_i^2 (1 + \log T) / (8 \lambda_i T)` for
    payoffs in a range of :math:`B_i`, whatever the game.

    Parameters
    ----------
    game, kl_weight, reference, risk_aversion, smoothing, unseen_value
        As in :func:`coffee_fast.regularized.gane`.
    num_iterations
        ``T``, rounds in each stage game at most.
    last_iterate
        Take constant steps and the last round instead of the average: a Nash equilibrium of the game with penalties
        where it is zero-sum or (nearly) has a potential. The gap is then that of the last round's mixtures.
    tolerance
        Stop with gaps at most this share of the (stage) game's payoff range or, if that is less, of ten KL weights;
        with 0 all rounds are played.

    Raises
    ------
    InvalidGameError, InvalidArgumentError
        As :func:`coffee_fast.regularized.gane`.

    Notes
    -----
    Deterministic. Cost: a pass over the payoffs a round; memory that of the game. Source: anchored mirror descent for
    offline general-sum games (GAMD); the bound is that of follow the regularized leader with composite losses.

    >>> table = PayoffTable.from_arrays([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> found = gamd(table, kl_weight=0.5, reference=[[0.9, 0.1], [0.5, 0.5]], num_iterations=2000)
    >>> found.num_iterations, bool((found.gap < 1e-3).all())
    (2000, True)
    """
    num_iterations = check_count("gamd: num_iterations", num_iterations, at_least=1)
    check_number("gamd: tolerance", tolerance)
    last_iterate = check_flag("gamd: last_iterate", last_iterate)

    def solve(payoffs: Profile, references: Profile, weights: Float64) -> Stage:
        return _play(payoffs, references, weights, num_iterations, tolerance, last_iterate)

    game = as_game("gamd", game)
    if isinstance(game, PayoffTable):
        stage_game = StageGame.of("gamd", game, kl_weight, reference, risk_aversion)
        return _equilibrium(stage_game, solve(stage_game.payoffs, stage_game.reference, stage_game.kl_weight))
    anchors = Anchors.of("gamd", game, kl_weight, reference, smoothing=smoothing, unseen_value=unseen_value)
    found = induce(game, anchors, solve)
    return CorrelatedPolicies(
        joint=frozen(found.joint),
        policies=tuple(frozen(policy) for policy in found.policies),
        gap=found.gap,
        stage_gap=found.stage_gap,
        value=found.value,
        values=found.values,
        status=status_of(found.has_converged),
        num_iterations=found.num_iterations,
        is_unique=found.is_unique,
        kl_weight=anchors.kl_weight,
        about=game.about,
    )


def _play(
    payoffs: Profile, reference: Profile, kl_weight: Float64, num_iterations: int, tolerance: float, last_iterate: bool
) -> Stage:
    ranges = np.stack([np.ptp(p.reshape(len(p), -1), axis=1) for p in payoffs], axis=1)
    if not last_iterate:
        found = anchored_mirror_descent(
            payoffs, reference, kl_weight, num_iterations=num_iterations, tolerance=tolerance
        )
        joint, marginals, gap, value = found.joint, found.average, found.gap, found.value
    else:
        # Mirror descent is sure to settle in zero-sum games for steps of weight / max |U|^2.
        step_size = kl_weight.min(axis=1) / (0.5 * np.maximum(ranges.max(axis=1), 1e-150)) ** 2
        found = anchored_mirror_descent(
            payoffs, reference, kl_weight, num_iterations=num_iterations, step_size=step_size
        )
        marginals = found.last
        with np.errstate(divide="ignore"):
            logs = [np.maximum(np.log(x), LOG_ZERO) for x in marginals]
        num_players = payoffs[0].ndim - 1
        joint = product(marginals if len(marginals) == num_players else marginals * num_players)
        gap = regularized_gap(payoffs, reference, kl_weight, logs)
        response = [
            anchored_best_response(q, reference[i], kl_weight[:, i])[1]
            for i, q in enumerate(deviation_payoffs_of_logs(payoffs, logs))
        ]
        value = np.stack(response, axis=1) - gap
    allowed = tolerance * np.minimum(ranges, LARGEST_RATIO * kl_weight)
    converged = (gap <= allowed).all(axis=1) & (tolerance > 0.0)
    return Stage(joint, marginals, gap, value, np.zeros_like(gap), np.asarray(converged), found.num_iterations)


def _equilibrium(game: StageGame, found: Stage) -> CorrelatedEquilibrium:
    mixtures = [frozen(x[0] / x[0].sum()) for x in found.marginals]
    contracts = contraction(game.payoffs, game.kl_weight)[0] < 1.0
    _, distance = nearest_potential(game.payoffs)
    return CorrelatedEquilibrium(
        joint=frozen(found.joint[0]),
        mixtures=tuple(mixtures if len(mixtures) == game.num_players else mixtures * game.num_players),
        gap=game.all_players(found.gap),
        value=game.all_players(found.value + game.origins),
        status=status_of(found.converged[0]),
        num_iterations=int(found.num_iterations[0]),
        is_unique=bool(contracts or is_zero_sum(game.payoffs, game.kl_weight)[0]),
        potential_distance=float(distance[0]),
        kl_weight=game.all_players(game.kl_weight),
    )
