"""Teammates who learn to play with partners that may play a little worse than they think."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_number
from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.regularized.games import as_game
from coffee_fast.regularized.risk_averse.induction import check_unseen
from coffee_fast.regularized.risk_averse.policy_sweep import PolicySweep, known_game, mixed, ranges_of
from coffee_fast.regularized.risk_averse.solutions import RiskAversePolicies
from coffee_fast.stage_games.risk import PerPlayer, Risk
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64


def srpo(
    game: PayoffLike | TabularGame | Mapping[str, ArrayLike],
    *,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    discount: float | None = None,
    initial: Sequence[ArrayLike] | None = None,
    unseen_value: ArrayLike | None = None,
    step_size: float | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = 5000,
) -> RiskAversePolicies:
    r"""Return where policy gradients end that learn beside an adversary in the place of the partners.

    .. math:: U_i = \min_p \left[ U_i(x_i, p) + KL(p \| x_{-i}) / \tau_i \right] + \epsilon_i \, entropy(x_i)
        = -\log E_{b \sim x_{-i}} \exp(-\tau_i U_i(x_i, b)) / \tau_i + \epsilon_i \, entropy(x_i)

    Teammates who are sure of each other come to rest where one works and the other relies on it. Enough strategic risk
    aversion leaves no such equilibrium. All players take steps of natural policy gradient at once, against the exact
    worst partners and with exact values; so what is found depends on ``initial``, and is an equilibrium that learning
    itself finds. :func:`rqe` of the divergence ``"kl"`` and the regularizer ``"entropy"`` has the same equilibria, and
    those from which learning moves away.

    Parameters
    ----------
    game
        A payoff table (of several members their mean), a tabular game, or a log of play as
        :meth:`TabularGame.from_dataset` takes it, whose certificate is about its table.
    temperature
        :math:`\epsilon`, in units of payoff, one or one a player; by default a tenth of the player's range of payoffs
        (of rewards).
    risk_aversion
        :math:`\tau`, one or one a player, in units of one over payoff; 0 is plain self-play. By default one over the
        temperature.
    discount
        Of a tabular game of one step with transitions: play goes on for ever with this discount per step.
    initial
        Policies to learn from, one array a player, ``[A_i]``, ``[S, A_i]`` or ``[H, S, A_i]``, positive for every legal
        action; by default uniform. Players who are alike and start alike stay alike.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, one number or one a player.
    step_size
        The share of the way to the best responses, on a line of logarithms, that one step takes, in (0, 1]; by default
        smaller the wider the stage game's payoffs are in units of temperature.
    tolerance
        Converged with gaps at most this share of each stage game's payoff range or, if that is less, of ten
        temperatures.
    max_iterations
        Steps at most.

    Raises
    ------
    InvalidGameError
        Payoffs that are not known, or cells that are empty without ``unseen_value``.
    InvalidArgumentError
        Temperatures that are not positive, negative risk aversion, and other impossible arguments.

    Notes
    -----
    Deterministic. Cost of a step: that of all cells, once (and the transitions). Source: SRPO, arXiv 2602.21515, with
    tables in the place of networks.

    >>> helped = [[0.6, 0.6], [1.0, 0.0]]  # one who helps is enough, and pays 0.4
    >>> for risk_aversion in (0.0, 1.0):
    ...     start = [[0.6, 0.4], [0.4, 0.6]]
    ...     found = srpo(helped, temperature=0.2, risk_aversion=risk_aversion, initial=start)
    ...     print(found.status, [round(float(policy[0, 0, 0]), 3) for policy in found.policies])
    converged [0.883, 0.195]
    converged [0.608, 0.608]
    """
    check_number("srpo: tolerance", tolerance, is_open=True)
    max_iterations = check_count("srpo: max_iterations", max_iterations, at_least=1)
    if step_size is not None:
        check_number("srpo: step_size", step_size, is_open=True, at_most=1.0)
    game = known_game("srpo", as_game("srpo", game), discount)
    risk = Risk.of("srpo", temperature, risk_aversion, "kl", "entropy", ranges_of(game))
    worth = check_unseen("srpo", game, unseen_value)
    sweep = PolicySweep(game, risk, worth, tolerance=tolerance)
    sweep.start("srpo", initial)
    is_equilibrium, num_steps = sweep.judge(discount), 0
    while not is_equilibrium and num_steps < max_iterations:
        shares = _shares(sweep, risk) if step_size is None else np.full(sweep.ranges.shape, step_size)
        for player, response in enumerate(sweep.responses):
            sweep.logs[player] = mixed(sweep.logs[player], response, shares[player, :, :, None])
        is_equilibrium, num_steps = sweep.judge(discount), num_steps + 1
    sweep.has_converged = is_equilibrium
    return dataclasses.replace(sweep.result(sweep.following, sweep.change), num_iterations=num_steps)


def _shares(sweep: PolicySweep, risk: Risk) -> Float64:
    """Return steps ``[N, H, S]`` short enough for how steeply responses bend, with others' play and with one's own."""
    units = risk.temperature[:, None, None]
    ranges, tau = sweep.ranges / units, risk.risk_aversion[:, None, None] * units
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + ranges / 2.0 + tau * ranges * ranges / 8.0))
