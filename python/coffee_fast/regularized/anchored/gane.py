"""General-sum anchored Nash equilibria: every player as good as it can be, for a price on leaving its reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.regularized.anchored.anchors import Anchors, KLValue
from coffee_fast.regularized.anchored.backward_induction import Induced, Stage, induce, product
from coffee_fast.regularized.anchored.best_response_flow import follow_best_responses
from coffee_fast.regularized.anchored.log_figures import concentrability_of, expected_gap
from coffee_fast.regularized.anchored.solutions import AnchoredEquilibrium, AnchoredPolicies
from coffee_fast.regularized.games import as_game
from coffee_fast.stage_games.arguments import KLWeight, References, frozen
from coffee_fast.stage_games.kernels import (
    METHODS,
    Equilibria,
    Method,
    deviation_payoffs_of_logs,
    kl_divergence,
    solve_anchored,
)
from coffee_fast.stage_games.normal_form import StageGame
from coffee_fast.stage_games.status import status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Profile

AnyMethod = Method | Literal["best_response_flow"]
_FLOW = "best_response_flow"


@overload
def gane(
    game: PayoffLike,
    *,
    kl_weight: KLWeight = None,
    reference: References = None,
    risk_aversion: float = 0.0,
    method: AnyMethod = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 500,
) -> AnchoredEquilibrium: ...


@overload
def gane(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    kl_weight: KLWeight = None,
    reference: References = None,
    smoothing: float = 1.0,
    unseen_value: ArrayLike | None = None,
    kl_value: KLValue | None = None,
    method: AnyMethod = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 500,
) -> AnchoredPolicies: ...


def gane(
    game: PayoffLike | TabularGame | Mapping[str, ArrayLike],
    *,
    kl_weight: KLWeight = None,
    reference: References = None,
    risk_aversion: float = 0.0,
    smoothing: float = 1.0,
    unseen_value: ArrayLike | None = None,
    kl_value: KLValue | None = None,
    method: AnyMethod = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 500,
) -> AnchoredEquilibrium | AnchoredPolicies:
    r"""Return a Nash equilibrium of the game in which player ``i`` maximizes its payoff less a KL penalty.

    .. math:: J_i = E \sum_h \left[ r_{i,h} - \lambda_i \, KL(\pi_{i,h} \| ref_{i,h}) \right]

    In equilibrium :math:`\pi_i \propto ref_i \, e^{q_i / \lambda_i}` for the deviation payoffs :math:`q_i`. On tables
    estimated from ``n`` observations that cover the reference, the gap in the true game falls like ``1 / n``, without
    pessimism about what was seen rarely.

    Parameters
    ----------
    game
        A payoff table, a tabular game (solved by backward induction), or a log of play as
        :meth:`TabularGame.from_dataset` takes it. Of a log the certificate is about its table, in which every player
        sees the state and nothing else (``about`` says so); a log of private information needs its ``observation``.
    kl_weight
        :math:`\lambda`, in units of payoff, one or one a player; by default a tenth of the player's range of payoffs
        (of rewards).
    reference
        One array of probabilities a player, positive wherever an action is legal: ``[A_i]``, and for a tabular game
        also ``[S, A_i]`` or ``[H, S, A_i]``; ``"uniform"``; or ``"behavior"``, the log's frequencies. By default the
        behavior for a log, else uniform.
    risk_aversion
        Of a table with members: 0 for their mean, else :math:`\tau` of the entropic certainty equivalent
        :math:`-\log mean \, e^{-\tau u} / \tau` of each payoff over members.
    smoothing
        Plays added to each legal action for the reference ``"behavior"``.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, one number or one a player; such
        cells are refused without it.
    kl_value
        What of the KL penalties values count: ``"own"`` the player's, ``"zero_sum"`` also the other's as a gain, so
        that values add to zero. By default ``"zero_sum"`` for two players with opposite rewards and one weight.
    method
        ``"auto"``: fixed point iteration where it provably contracts, mirror descent in large zero-sum games if its
        rate allows; else, and where these run out of iterations, the branch of equilibria is traced from an infinite
        weight. Or one of ``"fixed_point"``, ``"mirror_descent"``, ``"homotopy"`` alone, or
        ``"best_response_flow"``: mixtures flow to their best responses, sure to settle in zero-sum games.
    tolerance
        Converged with gaps at most this share of the (stage) game's payoff range or, if that is less, of ten KL
        weights; responses are then right to about its square root.
    max_iterations
        Of the fixed point iteration, mirror descent and the flow.

    Raises
    ------
    InvalidGameError
        Payoffs that are not known, or cells that are empty without ``unseen_value``.
    InvalidArgumentError
        Weights that are not positive, references off the simplex or zero somewhere, and other impossible arguments.

    Notes
    -----
    Deterministic. Cost of one stage game: a pass over the payoffs an iteration, a linear system of all actions
    together a step of the branch; memory does not grow with either. Source: the anchored equilibria of the GANE
    estimator for offline general-sum games; the stage solvers are the logit branch of Turocy 2005 and magnetic mirror
    descent of Sokota et al. 2023; the flow is that of Lascu and Majka 2025 on finite actions.

    >>> table = PayoffTable.from_arrays([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # the prisoner's dilemma
    >>> found = gane(table, kl_weight=1.0, reference=[[0.5, 0.5], [0.9, 0.1]])
    >>> found.status, found.mixtures[1].round(4).tolist()
    ('converged', [0.7404, 0.2596])
    """
    check_number("gane: tolerance", tolerance, is_open=True)
    max_iterations = check_count("gane: max_iterations", max_iterations, at_least=1)
    check_choice("gane: method", method, ("auto", *METHODS, _FLOW))
    game = as_game("gane", game)
    if isinstance(game, PayoffTable):
        return _solve_table(game, kl_weight, reference, risk_aversion, method, tolerance, max_iterations)
    anchors = Anchors.of(
        "gane", game, kl_weight, reference, smoothing=smoothing, unseen_value=unseen_value, kl_value=kl_value
    )

    def solve(payoffs: Profile, references: Profile, weights: Float64) -> Stage:
        found = _solve(payoffs, references, weights, method, tolerance, max_iterations)
        return _stage(payoffs, references, weights, found)

    return _policies(game, anchors, induce(game, anchors, solve))


def _solve_table(
    table: PayoffTable,
    kl_weight: KLWeight,
    reference: References,
    risk_aversion: float,
    method: AnyMethod,
    tolerance: float,
    max_iterations: int,
) -> AnchoredEquilibrium:
    game = StageGame.of("gane", table, kl_weight, reference, risk_aversion)
    found = _solve(game.payoffs, game.reference, game.kl_weight, method, tolerance, max_iterations)
    value, _ = _regularized_values(game.payoffs, game.reference, game.kl_weight, found.mixtures)
    return AnchoredEquilibrium(
        mixtures=game.all_mixtures(found.mixtures),
        gap=game.all_players(found.gap),
        value=game.all_players(value + game.origins),
        status=status_of(found.converged[0]),
        num_iterations=int(found.num_iterations[0]),
        is_unique=bool(found.contraction[0] < 1.0 or found.zero_sum[0]),
        contraction=float(found.contraction[0]),
        method=_FLOW if method == _FLOW else METHODS[found.method[0]],
        kl_weight=game.all_players(game.kl_weight),
    )


def _solve(
    payoffs: Profile, reference: Profile, kl_weight: Float64, method: AnyMethod, tolerance: float, max_iterations: int
) -> Equilibria:
    if method == "best_response_flow":
        return follow_best_responses(payoffs, reference, kl_weight, tolerance=tolerance, max_iterations=max_iterations)
    return solve_anchored(
        payoffs, reference, kl_weight, method=method, tolerance=tolerance, max_iterations=max_iterations
    )


def _regularized_values(
    payoffs: Profile, reference: Profile, kl_weight: Float64, mixtures: Profile
) -> tuple[Float64, Float64]:
    """Return ``[G, N]`` each: payoffs less KL penalties, and the penalties."""
    values = deviation_payoffs_of_logs(payoffs, mixtures)
    expected = [(np.exp(x) * q).sum(axis=1) for x, q in zip(mixtures, values, strict=True)]
    divergence = [kl_divergence(x, ref) for x, ref in zip(mixtures, reference, strict=True)]
    penalty = kl_weight * np.stack(divergence, axis=1)
    return np.stack(expected, axis=1) - penalty, penalty


def _stage(payoffs: Profile, reference: Profile, kl_weight: Float64, found: Equilibria) -> Stage:
    marginals = [np.exp(x) for x in found.mixtures]
    value, penalty = _regularized_values(payoffs, reference, kl_weight, found.mixtures)
    return Stage(product(marginals), marginals, found.gap, value, penalty, found.converged, found.num_iterations)


def _policies(game: TabularGame, anchors: Anchors, found: Induced) -> AnchoredPolicies:
    concentrability, unilateral = concentrability_of(game, anchors)
    return AnchoredPolicies(
        policies=tuple(frozen(policy) for policy in found.policies),
        gap=found.gap,
        stage_gap=found.stage_gap,
        value=found.value,
        values=found.values,
        status=status_of(found.has_converged),
        num_iterations=found.num_iterations,
        is_unique=found.is_unique,
        contraction=found.contraction,
        kl_weight=anchors.kl_weight,
        concentrability=concentrability,
        unilateral_concentrability=unilateral,
        expected_gap=expected_gap(game, anchors, found),
        about=game.about,
    )
